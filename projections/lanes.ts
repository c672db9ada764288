import type { EventCatalog } from '../domain/core/event-codec.js';
import type { Checkpoints } from '../runtime/document-store/checkpoints.js';
import type { EventLog, StoredEvent } from '../runtime/event-store/event-log.js';
import { type Batch, type Follower, followLog, type InHand } from '../runtime/event-store/follow.js';
import type { Logger } from '../runtime/logger.js';
import { batchDecoder } from './decode-batch.js';
import type { Exclusive } from './parking/replay.js';
import { type Prepared, ProjectionStopped, prepare, type Runner, type RunnerDeps, store } from './runner.js';

/** A subscription and the projections that it feeds. */
interface Lane {
  readonly members: Set<Runner>;
  /** The last event of the log that it has been given, or where it began. */
  at: bigint | undefined;
  /** How far it has been given the log: there is no event in between. */
  upTo: bigint | undefined;
  onItsWay: OnItsWay | undefined;
  follower: Follower | undefined;
}

/** A batch that is folded and on its way to the store, while the next one is folded on top of it. */
interface OnItsWay {
  readonly upTo: bigint;
  readonly prepared: ReadonlyMap<Runner, Prepared>;
  /** Those of which the store now holds what was folded; rejects where one of them could not be stored. */
  readonly stored: Promise<ReadonlySet<Runner>>;
}

export interface Lanes {
  /** Follows the log for these projections, which are all as far: the furthest ones live, others on their own. */
  open(members: readonly Runner[]): void;
  /** Takes a projection out of whatever feeds it. */
  leave(runner: Runner): void;
  isLive(runner: Runner): boolean;
  /** Waits until nothing is on its way to the store; nothing new comes while the turn is held. */
  settled(): Promise<void>;
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
  /** At most this many events at once, large ones counted for many. */
  readonly maxBatch: number;
  /** Batches and everything else that touches the read models take turns. */
  readonly exclusive: Exclusive;
}

const entriesOfOne = 4;
const nothing: Prepared = { touched: { events: new Map(), parked: [] }, folded: { documents: [], parked: [] } };

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
  const { eventLog, checkpoints, catalog, log, maxBatch, exclusive } = deps;
  let live: Lane | undefined;
  const open = new Set<Lane>();
  const closing = new Set<Promise<void>>();

  const close = (lane: Lane) => {
    open.delete(lane);
    lane.members.clear();
    const closed = (lane.follower?.close() ?? Promise.resolve()).finally(() => closing.delete(closed));
    closing.add(closed);
  };

  const stop = (runner: Runner, { fault }: ProjectionStopped) => {
    runner.fault = fault;
    const { code, message, at } = fault;
    const where = at === undefined ? {} : { ...at, position: String(at.position) };
    log.error('projection stopped', { projection: runner.id, code, because: message, ...where });
  };

  /** Waits for what is done for each projection. One that stops is told of; the first other fault is handed back. */
  const each = async <T>(work: readonly (readonly [Runner, Promise<T>])[]): Promise<[Map<Runner, T>, Error[]]> => {
    const done = new Map<Runner, T>();
    const failed: Error[] = [];
    for (const [runner, promise] of work) {
      try {
        done.set(runner, await promise);
      } catch (error) {
        if (error instanceof ProjectionStopped) stop(runner, error);
        else failed.push(error instanceof Error ? error : new Error(String(error)));
      }
    }
    return [done, failed];
  };
  /** The same, all of them started at once. */
  const forEach = <T>(runners: readonly Runner[], work: (runner: Runner) => Promise<T>) => {
    const started = runners.map((runner) => [runner, work(runner)] as const);
    // One that fails while another is waited for is looked at in its turn.
    for (const [, promise] of started) promise.catch(() => {});
    return each(started);
  };

  /** Documents first, then the checkpoints. */
  const storeAll = async (
    prepared: ReadonlyMap<Runner, Prepared>,
    upTo: bigint,
    failed: readonly Error[],
  ): Promise<ReadonlySet<Runner>> => {
    const batches = [...prepared.keys()];
    const [done, refused] = await forEach(batches, (runner) => store(runner, prepared.get(runner) ?? nothing, deps));
    if (done.size > 0) {
      await checkpoints.advance(
        new Map([...done.keys()].map(({ id }) => [id, upTo])),
        new Map([...done.keys()].map(({ id, collection }) => [id, collection])),
      );
    }
    for (const runner of done.keys()) runner.position = upTo;
    const fault = failed[0] ?? refused[0];
    if (fault !== undefined) throw fault;
    return new Set([...done].filter(([, asFolded]) => asFolded).map(([runner]) => runner));
  };

  const handle = async (lane: Lane, { events, upTo, after }: Batch): Promise<InHand | undefined> => {
    lane.at = events.at(-1)?.position ?? lane.at;
    lane.upTo = upTo;
    const before = lane.onItsWay;
    const reach = (runner: Runner) => (before?.prepared.has(runner) === true ? before.upTo : runner.position);
    const behind = [...lane.members].filter((runner) => !runner.fault && isBefore(reach(runner), upTo));
    const torn = behind.find((runner) => isBefore(reach(runner), after));
    if (torn !== undefined) throw new Error(`${torn.id} has not stored what came before position ${after}`);

    const decode = batchDecoder(catalog);
    const fold = (runner: Runner, ahead: Prepared | undefined) => {
      const from = reach(runner);
      const unseen = from === undefined ? events : events.filter(({ position }) => position > from);
      return prepare(runner, unseen, decode, deps, ahead);
    };
    const [prepared, failed] = await forEach(behind, (runner) => fold(runner, before?.prepared.get(runner)));
    if (before !== undefined) {
      const asFolded = await before.stored;
      const changed = [...prepared.keys()].filter((runner) => before.prepared.has(runner) && !asFolded.has(runner));
      for (const runner of changed) prepared.delete(runner);
      const still = changed.filter(({ fault }) => fault === undefined);
      const [again, failedAgain] = await forEach(still, (runner) => fold(runner, undefined));
      for (const [runner, folded] of again) prepared.set(runner, folded);
      failed.push(...failedAgain);
    }

    const stored = storeAll(prepared, upTo, failed);
    const onItsWay = { upTo, prepared, stored };
    lane.onItsWay = onItsWay;
    const over = () => {
      if (lane.onItsWay === onItsWay) lane.onItsWay = undefined;
    };
    stored.then(over, over);
    if (lane === live || live === undefined || isBefore(upTo, live.at)) return { stored: stored.then(() => {}) };
    await stored;
    for (const runner of lane.members) {
      // One that has stopped has not come as far as its lane.
      if (runner.fault !== undefined) continue;
      if (isBefore(runner.position, live.upTo)) runner.position = live.upTo;
      live.members.add(runner);
      log.info('projection has caught up', { projection: runner.id, position: String(runner.position) });
    }
    close(lane);
    return undefined;
  };

  return {
    open(members) {
      const after = members[0]?.position;
      const lane: Lane = {
        members: new Set(members),
        at: after,
        upTo: after,
        onItsWay: undefined,
        follower: undefined,
      };
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
    async settled() {
      await Promise.allSettled([...open].map(async ({ onItsWay }) => onItsWay?.stored));
    },
    liveAt: () => live?.at,
    isLive: (runner) => live?.members.has(runner) === true,
    async close() {
      for (const lane of open) close(lane);
      await Promise.all(closing);
    },
  };
}
