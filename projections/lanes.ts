import type { EventCatalog } from '../domain/core/event-codec.js';
import type { Checkpoints } from '../runtime/document-store/checkpoints.js';
import type { EventLog, StoredEvent } from '../runtime/event-store/event-log.js';
import { type Batch, type Follower, followLog } from '../runtime/event-store/follow.js';
import type { Logger } from '../runtime/logger.js';
import { batchDecoder, type Decode } from './decode-batch.js';
import type { Exclusive } from './parking/replay.js';
import { advance, ProjectionStopped, type Runner, type RunnerDeps } from './runner.js';

/** A subscription and the projections that it feeds. */
interface Lane {
  readonly members: Set<Runner>;
  /** The last event of the log that it has handled, or where it began. */
  at: bigint | undefined;
  follower: Follower | undefined;
}

export interface Lanes {
  /** Follows the log for these projections, which are all as far: the furthest ones live, others on their own. */
  open(members: readonly Runner[]): void;
  /** Takes a projection out of whatever feeds it. */
  leave(runner: Runner): void;
  isLive(runner: Runner): boolean;
  /** The last event that the live projections have seen. */
  liveAt(): bigint | undefined;
  /** Stops after the batch in hand. */
  close(): Promise<void>;
}

export interface LanesDeps extends RunnerDeps {
  readonly eventLog: EventLog;
  readonly checkpoints: Checkpoints;
  readonly catalog: EventCatalog;
  readonly log: Logger;
  /** Batches and everything else that touches the read models take turns. */
  readonly exclusive: Exclusive;
}

const maxBatch = 2_000;
const entriesOfOne = 4;

/** A large event counts for many: an order of a thousand lines takes as much room as a few hundred small ones. */
function weigh({ data }: StoredEvent): number {
  let entries = 0;
  for (const value of Object.values(data)) if (Array.isArray(value)) entries += value.length;
  return 1 + Math.floor(entries / entriesOfOne);
}

const isBefore = (a: bigint | undefined, b: bigint | undefined) => b !== undefined && (a === undefined || a < b);

/**
 * One subscription feeds all projections that are live. One that lags, because it is new or built anew, catches up on a
 * subscription of its own and joins the others when it has come as far: it does not hold them back.
 */
export function openLanes(deps: LanesDeps): Lanes {
  const { eventLog, checkpoints, catalog, log, exclusive } = deps;
  let live: Lane | undefined;
  const open = new Set<Lane>();
  const closing = new Set<Promise<void>>();

  const close = (lane: Lane) => {
    open.delete(lane);
    lane.members.clear();
    const closed = (lane.follower?.close() ?? Promise.resolve()).finally(() => closing.delete(closed));
    closing.add(closed);
  };

  /** @returns how far it has come; where it stopped, no further than before */
  const step = async (runner: Runner, { events, upTo }: Batch, decode: Decode): Promise<bigint | undefined> => {
    const from = runner.position;
    try {
      await advance(runner, from === undefined ? events : events.filter((e) => e.position > from), decode, deps);
      return upTo;
    } catch (error) {
      if (!(error instanceof ProjectionStopped)) throw error;
      runner.fault = error.fault;
      const { code, at } = error.fault;
      const where = at === undefined ? {} : { ...at, position: String(at.position) };
      log.error('projection stopped', { projection: runner.id, code, because: error.message, ...where });
      return from;
    }
  };

  const handle = async (lane: Lane, batch: Batch): Promise<void> => {
    const behind = [...lane.members].filter(({ fault, position }) => !fault && isBefore(position, batch.upTo));
    const decode = batchDecoder(catalog);
    const outcomes = await Promise.allSettled(
      behind.map(async (runner) => [runner, await step(runner, batch, decode)] as const),
    );
    const done = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const moved = done.flatMap(([runner, position]) =>
      position === undefined || position === runner.position ? [] : [[runner, position] as const],
    );
    if (moved.length > 0) {
      await checkpoints.advance(
        new Map(moved.map(([{ id }, position]) => [id, position])),
        new Map(moved.map(([{ id, collection }]) => [id, collection])),
      );
    }
    for (const [runner, position] of moved) runner.position = position;
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    lane.at = batch.events.at(-1)?.position ?? lane.at;
    if (lane === live || live === undefined || isBefore(batch.upTo, live.at)) return;
    for (const runner of lane.members) {
      live.members.add(runner);
      log.info('projection has caught up', { projection: runner.id, position: String(runner.position) });
    }
    close(lane);
  };

  return {
    open(members) {
      const after = members[0]?.position;
      const lane: Lane = { members: new Set(members), at: after, follower: undefined };
      live ??= lane;
      open.add(lane);
      lane.follower = followLog(eventLog, {
        after,
        maxBatch,
        weigh,
        log,
        handle: (batch) => exclusive(async () => (open.has(lane) ? handle(lane, batch) : undefined)),
      });
    },
    leave(runner) {
      for (const lane of open) {
        if (lane.members.delete(runner) && lane.members.size === 0 && lane !== live) close(lane);
      }
    },
    liveAt: () => live?.at,
    isLive: (runner) => live?.members.has(runner) === true,
    async close() {
      for (const lane of open) close(lane);
      await Promise.all(closing);
    },
  };
}
