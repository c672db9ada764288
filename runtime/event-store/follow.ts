import { type AllStreamSubscription, type Position, START, streamNameFilter } from '@eventstore/db-client';
import type { Logger } from '../logger.js';
import { type EventLog, type StoredEvent, toStoredEvent } from './event-log.js';

/** What a follower hands over: events in log order, and how far the log has been seen with them. */
export interface Batch {
  readonly events: readonly StoredEvent[];
  /** Everything the filter lets through up to this position is in this or an earlier batch. */
  readonly upTo: bigint;
}

export interface FollowOptions {
  /** Follow what comes after this position; from the start of the log where it is undefined. */
  readonly after: bigint | undefined;
  /** Only streams whose names begin so; all but the system's own where it is undefined. */
  readonly prefixes?: readonly string[];
  /** At most this many events a batch. */
  readonly maxBatch: number;
  /** Handles a batch; the next one waits for it. When it throws, the same events come again after a pause. */
  handle(batch: Batch): Promise<void>;
  readonly log: Logger;
}

export interface Follower {
  /** The position up to which batches have been handled. */
  position(): bigint;
  /** Stops after the batch in hand. */
  close(): Promise<void>;
}

const firstPauseMs = 50;
const longestPauseMs = 5_000;
const stallCheckMs = 15_000;

/**
 * Follows `$all` for ever: a supervised catch-up subscription that reconnects from where its handler got to, whether the
 * server ends it with an error, without one, or falls silent while the log goes on.
 */
export function followLog(eventLog: EventLog, options: FollowOptions): Follower {
  const { maxBatch, handle, log } = options;
  let done = options.after;
  let closing = false;
  let wake: () => void = () => {};
  const closeRequested = new Promise<void>((resolve) => {
    wake = resolve;
  });

  const followOnce = async (): Promise<void> => {
    const queue: StoredEvent[] = [];
    let seen: bigint | undefined = done;
    let ended: { error?: unknown } | undefined;
    let notify: () => void = () => {};
    const highWater = maxBatch * 4;

    const checkpoints = {
      checkpointInterval: 8,
      async checkpointReached(_: unknown, position: Position) {
        // The callback overtakes events that wait in the subscription's buffer: it counts only when none does.
        if (subscription.readableLength === 0 && (seen === undefined || position.commit > seen)) {
          seen = position.commit;
          notify();
        }
      },
    };
    const subscription: AllStreamSubscription = eventLog.client().subscribeToAll({
      fromPosition: done === undefined ? START : { commit: done, prepare: done },
      filter:
        options.prefixes === undefined
          ? streamNameFilter({ regex: '^[^$]', ...checkpoints })
          : streamNameFilter({ prefixes: [...options.prefixes], ...checkpoints }),
    });
    // Not `for await`: the handler must be synchronous with the subscription's buffer for the check above to hold.
    // It never awaits; flow control is the explicit pause.
    subscription.on('data', (resolved) => {
      const event = toStoredEvent(resolved);
      if (event !== undefined) queue.push(event);
      seen = resolved.event?.position.commit ?? resolved.commitPosition ?? seen;
      if (queue.length >= highWater) subscription.pause();
      notify();
    });
    const stop = (error?: unknown) => {
      ended ??= { error };
      notify();
    };
    subscription.on('error', stop);
    subscription.on('end', () => stop());
    subscription.on('close', () => stop());

    let lastSeen = seen;
    const stallCheck = setInterval(() => {
      const before = lastSeen;
      lastSeen = seen;
      if (before !== seen || queue.length > 0) return;
      eventLog.head().then(
        (head) => {
          if (head > (seen ?? 0n)) stop(new Error('the subscription has fallen silent'));
        },
        (error: unknown) => stop(error),
      );
    }, stallCheckMs);
    stallCheck.unref();

    try {
      while (!closing) {
        if (queue.length === 0 && seen === done) {
          if (ended !== undefined) throw ended.error ?? new Error('the subscription ended');
          await Promise.race([new Promise<void>((resolve) => (notify = resolve)), closeRequested]);
          continue;
        }
        const events = queue.splice(0, maxBatch);
        if (queue.length < maxBatch && subscription.isPaused()) subscription.resume();
        const upTo = (queue.length === 0 ? seen : events.at(-1)?.position) ?? 0n;
        await handle({ events, upTo });
        done = upTo;
      }
    } finally {
      clearInterval(stallCheck);
      subscription.off('error', stop);
      subscription.on('error', () => {});
      await subscription.unsubscribe().catch(() => {});
    }
  };

  const run = async () => {
    let pause = firstPauseMs;
    while (!closing) {
      const before = done;
      try {
        await followOnce();
      } catch (err) {
        if (closing) return;
        if (done !== before) pause = firstPauseMs;
        log.warn('following the log again', { err, after: String(done ?? 'start'), pauseMs: pause });
        let timer: NodeJS.Timeout | undefined;
        await Promise.race([new Promise<void>((resolve) => (timer = setTimeout(resolve, pause))), closeRequested]);
        clearTimeout(timer);
        pause = Math.min(pause * 2, longestPauseMs);
      }
    }
  };

  const running = run();
  return {
    position: () => done ?? 0n,
    async close() {
      closing = true;
      wake();
      await running;
    },
  };
}
