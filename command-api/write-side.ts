import { eventCatalog } from '../domain/event-catalog.js';
import { type EventLog, openEventLog } from '../runtime/event-store/event-log.js';
import { followLog } from '../runtime/event-store/follow.js';
import type { Logger } from '../runtime/logger.js';
import { type CommandHandler, createCommandHandler } from './handle-command.js';

export interface WriteSide {
  readonly eventLog: EventLog;
  readonly commands: CommandHandler;
  /** Lets the commands in hand finish, then closes. */
  close(): Promise<void>;
}

/**
 * The write loop of a process with its log, and the feed that keeps cached products and shops fresh: prices are read
 * from the cache alone.
 *
 * @throws LogUnavailable when the event store does not answer
 */
export async function openWriteSide(url: string, service: string, log: Logger): Promise<WriteSide> {
  const eventLog = openEventLog(url, log, { timeoutMs: 3_000 });
  const commands = createCommandHandler({ eventLog, catalog: eventCatalog, service, log });
  const feed = followLog(eventLog, {
    after: await eventLog.head(),
    prefixes: ['product-', 'shop-'],
    maxBatch: 500,
    handle: async ({ events }) => commands.feed(events),
    log,
  });
  return {
    eventLog,
    commands,
    async close() {
      await commands.drain();
      await feed.close();
      await eventLog.close();
    },
  };
}
