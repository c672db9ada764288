import { z } from 'zod';
import type { EventLog } from '../../runtime/event-store/event-log.js';
import { newId } from '../../runtime/ids.js';
import type { Logger } from '../../runtime/logger.js';

/** An order that waits, the second when it is looked at again, and the one when it was placed. */
const waiting = z.tuple([z.string(), z.int(), z.int()]);

/**
 * STORED FORMAT of the side stream: where to follow on, and the orders begun before it that have not ended: those in hand
 * and those owed a refund, those that wait for another card, those whose provider is silent.
 */
const checkpoint = z.object({
  position: z.string().regex(/^\d+$/),
  open: z.array(z.string()),
  retry: z.array(waiting).default([]),
  silent: z.array(waiting).default([]),
});
export type Checkpoint = z.output<typeof checkpoint>;

/** An event of the log holds 1 MiB at the most. */
const mostBytes = 1_000_000;

export interface CheckpointStore {
  readonly resumed: Checkpoint | undefined;
  /** @throws OutcomeUnknown, LogUnavailable */
  store(made: Checkpoint): Promise<void>;
}

/** @throws LogUnavailable when the log does not answer */
export async function openCheckpoint(eventLog: EventLog, stream: string, log: Logger): Promise<CheckpointStore> {
  const stored = await eventLog.readLast(stream);
  if (stored === undefined) await eventLog.keepLast(stream, 10);
  let written = '';
  return {
    resumed: stored === undefined ? undefined : checkpoint.parse(stored.data),
    async store(made) {
      const text = JSON.stringify(made);
      if (text === written) return;
      if (text.length > mostBytes) {
        // The one before stays true: after a restart more is read again.
        log.error('too many open orders for one checkpoint', { open: made.open.length, bytes: text.length });
        return;
      }
      await eventLog.appendSide(stream, { id: newId(), type: 'checkpoint.stored', data: made, metadata: {} });
      written = text;
    },
  };
}
