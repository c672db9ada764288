import { type AllStreamSubscription, type Position, START, streamNameFilter } from '@eventstore/db-client';
import type { Logger } from '../logger.js';
import { type EventLog, type StoredEvent, toStoredEvent } from './event-log.js';

/** What a follower hands over: events in log order, and how far the log has been seen with them. */
export interface Batch {
  readonly events: readonly StoredEvent[];
  /** Everything the filter lets through up to this position is in this or an earlier batch. */
  readonly upTo: bigint;
  /** Where the batch before it ended, or where following began; undefined at the start of the log. */
  readonly after: bigint | undefined;
}

/**
 * What a handler answers that lets the next batch come while this one is still on its way to a store. Such a handler
 * stores batches in turn, and refuses one whose `after` it has not come to: the one before may just have failed.
 */
export interface InHand {
  /** When it rejects, this batch and all after it come again. */
  readonly stored: Promise<void>;
}

export interface FollowOptions {
  /** Follow what comes after this position; from the start of the log where it is undefined. */
  readonly after: bigint | undefined;
  /** Only streams whose names begin so; all but the system's own where it is undefined. */
  readonly prefixes?: readonly string[];
  /** At most this many events a batch, as `weigh` counts them; always one at least. */
  readonly maxBatch: number;
  /** For how many an event counts, 1 or more: large ones for more, so that a batch and what waits are bounded in memory. */
  readonly weigh?: (event: StoredEvent) => number;
  /**
   * Handles a batch; the next one waits for it. When it throws, the same events come again after a pause. A batch that is
   * answered as in hand counts as handled once it is stored.
   */
  handle(batch: Batch): Promise<InHand | undefined> | Promise<void>;
  readonly log: Logger;
  /** How often a subscription that says nothing is compared with the log. Milliseconds. */
  readonly stallCheckMs?: number;
}

export interface Follower {
  /** The position up to which batches have been handled. */
  position(): bigint;
  /** Stops after the batch in hand. */
  close(): Promise<void>;
}

const firstPauseMs = 50;
const longestPauseMs = 5_000;

/**
 * Follows `$all` for ever: a supervised catch-up subscription that reconnects from where its handler got to, whether the
 * server ends it with an error, without one, or falls silent while the log goes on.
 */
export function followLog(eventLog: EventLog, options: FollowOptions): Follower {
  const { prefixes, maxBatch, weigh = () => 1, handle, log, stallCheckMs = 15_000 } = options;
  let done = options.after;
  let closing = false;
  // Only the loop below ever waits. Whatever happens wakes it, and it looks for itself what has happened.
  let wake: () => void = () => {};
  const woken = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });

  const followOnce = async (): Promise<void> => {
    const queue: StoredEvent[] = [];
    const highWater = maxBatch * 4;
    let weight = 0;
    let seen = done;
    let latest = done;
    let ended: { error: unknown } | undefined;
    let failed: { error: unknown } | undefined;
    let over = false;

    const reach = (position: bigint) => {
      if (over) return;
      if (seen === undefined || position > seen) seen = position;
      wake();
    };
    const stop = (error: unknown = new Error('the subscription ended')) => {
      if (over) return;
      ended ??= { error };
      wake();
    };

    const checkpoints = {
      checkpointInterval: 8,
      async checkpointReached(_: unknown, position: Position) {
        // The callback overtakes events that wait in the subscription's buffer: it counts only when none does.
        if (subscription.readableLength === 0) reach(position.commit);
      },
    };
    const subscription: AllStreamSubscription = eventLog.client().subscribeToAll({
      fromPosition: done === undefined ? START : { commit: done, prepare: done },
      filter:
        prefixes === undefined
          ? streamNameFilter({ regex: '^[^$]', ...checkpoints })
          : streamNameFilter({ prefixes: [...prefixes], ...checkpoints }),
    });
    // Not `for await`: the handler must be synchronous with the subscription's buffer for the check above to hold.
    // It never awaits; flow control is the explicit pause.
    subscription.on('data', (resolved) => {
      const event = toStoredEvent(resolved);
      if (event !== undefined && (latest === undefined || event.position > latest)) {
        latest = event.position;
        queue.push(event);
        weight += weigh(event);
      }
      reach(resolved.event?.position.commit ?? resolved.commitPosition ?? 0n);
      if (weight >= highWater) subscription.pause();
    });
    subscription.on('error', stop);
    subscription.on('end', () => stop());
    subscription.on('close', () => stop());

    let handed = done;
    let storing: Promise<void> = Promise.resolve();

    let before = seen;
    let missing: bigint | undefined;
    let comparing = false;
    /** Looks in the log for what a silent subscription should have brought; what is missing twice has been lost. */
    const compare = async (): Promise<void> => {
      const at = seen;
      if (before !== at || queue.length > 0) {
        before = at;
        missing = undefined;
        return;
      }
      const ahead = await lookAhead(eventLog, at, prefixes);
      if (seen !== at || queue.length > 0) return;
      if (ahead.wanted === undefined) {
        // A quiet filter: the server's own checkpoints come only every few hundred events.
        if (ahead.last !== undefined) reach(ahead.last);
      } else if (ahead.wanted === missing) {
        stop(new Error('the subscription has fallen silent'));
      }
      missing = ahead.wanted;
    };
    const stallCheck = setInterval(() => {
      if (comparing) return;
      comparing = true;
      void compare()
        .catch(stop)
        .finally(() => {
          comparing = false;
        });
    }, stallCheckMs);
    stallCheck.unref();

    try {
      while (!closing) {
        if (failed !== undefined) throw failed.error;
        if (queue.length === 0 && seen === handed) {
          if (ended !== undefined) throw ended.error;
          await woken();
          continue;
        }
        let [taken, load] = [0, 0];
        for (const event of queue) {
          const next = load + weigh(event);
          if (taken > 0 && next > maxBatch) break;
          taken += 1;
          load = next;
        }
        const events = queue.splice(0, taken);
        weight -= load;
        if (weight < maxBatch && subscription.isPaused()) subscription.resume();
        const upTo = (queue.length === 0 ? seen : events.at(-1)?.position) ?? 0n;
        const inHand = await handle({ events, upTo, after: handed });
        handed = upTo;
        if (inHand === undefined) {
          done = upTo;
          continue;
        }
        storing = inHand.stored.then(
          () => {
            if (failed === undefined) done = upTo;
          },
          (error: unknown) => {
            failed ??= { error };
            wake();
          },
        );
      }
    } finally {
      // Where to go on from is known once what is in hand is stored, or not.
      await storing;
      over = true;
      clearInterval(stallCheck);
      subscription.unsubscribe().catch(() => {});
    }
  };

  const run = async (): Promise<void> => {
    let pauseMs = firstPauseMs;
    while (!closing) {
      const before = done;
      try {
        await followOnce();
      } catch (err) {
        if (closing) return;
        if (done !== before) pauseMs = firstPauseMs;
        log.warn('following the log again', { err, after: String(done ?? 'start'), pauseMs });
        const timer = setTimeout(() => wake(), pauseMs);
        await woken();
        clearTimeout(timer);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
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

/** The next event of the log that a filter lets through, else the last one it does not. */
async function lookAhead(
  eventLog: EventLog,
  after: bigint | undefined,
  prefixes: readonly string[] | undefined,
): Promise<{ wanted?: bigint; last?: bigint }> {
  let last: bigint | undefined;
  for await (const { stream, position } of eventLog.readAll(after)) {
    if (prefixes === undefined || prefixes.some((prefix) => stream.startsWith(prefix))) return { wanted: position };
    last = position;
  }
  return last === undefined ? {} : { last };
}
