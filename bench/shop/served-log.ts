import { randomUUID } from 'node:crypto';
import { jsonEvent, NO_STREAM } from '@eventstore/db-client';
import { type CommandHandler, createCommandHandler } from '../../command-api/handle-command.js';
import { eventCatalog } from '../../domain/event-catalog.js';
import { type EventLog, openEventLog } from '../../runtime/event-store/event-log.js';
import { silentLogger } from '../../runtime/logger.js';
import type { Harness } from '../harness.js';
import { type Service, startService } from '../server-process.js';
import { service } from './workloads.js';

/** An event store in a process of its own, and this process's one log on it. */
export interface ServedLog {
  readonly server: Service;
  readonly connectionString: string;
  readonly eventLog: EventLog;
}

/**
 * Starts a server, opens the log and appends once both ways: over a hundred appends in the first moment of a connection
 * may never be answered.
 */
export async function openServedLog(harness: Harness, dataDir: string): Promise<ServedLog> {
  const server = await startService(harness, 'embedded/event-store-server/main', ['--data', dataDir, '--port', '0']);
  const connectionString = String(server.facts['connectionString']);
  const eventLog = openEventLog(connectionString, silentLogger);
  harness.atEnd(() => eventLog.close());
  const first = { type: 'bench.opened', data: {}, metadata: {} };
  await eventLog.append(`bench-${randomUUID()}`, [{ id: randomUUID(), ...first }], 'no-stream');
  await eventLog.client().appendToStream(`bench-${randomUUID()}`, jsonEvent(first), { expectedRevision: NO_STREAM });
  return { server, connectionString, eventLog };
}

/** The shop's write loop, with nothing in its cache. */
export function freshHandler(eventLog: EventLog): CommandHandler {
  return createCommandHandler({ eventLog, catalog: eventCatalog, service, log: silentLogger });
}
