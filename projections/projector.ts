import type { Db } from 'mongodb';
import type { EventCatalog } from '../domain/core/event-codec.js';
import { eventCatalog } from '../domain/event-catalog.js';
import { openCheckpoints } from '../runtime/document-store/checkpoints.js';
import { positionedDocuments } from '../runtime/document-store/positioned.js';
import { collectionIdentities, ensureCollection, readModelId } from '../runtime/document-store/read-model.js';
import type { EventLog } from '../runtime/event-store/event-log.js';
import type { Logger } from '../runtime/logger.js';
import { type Act, openActs } from './acts.js';
import { decoder } from './decode-batch.js';
import { openLanes } from './lanes.js';
import { openParkedEvents } from './parking/parked-events.js';
import { knownParking, type ParkedCount } from './parking/parking.js';
import { type Exclusive, ParkedEventGone } from './parking/replay.js';
import { discard, type Performed, replay } from './perform-act.js';
import { openPresence } from './presence.js';
import type { Projection } from './projection.js';
import type { ParkingLimits, ProjectionFault, Runner } from './runner.js';

/** What a projection is at. `position` is undefined until it has seen anything; `fault` is why it stopped, if it has. */
export interface ProjectionState {
  readonly id: string;
  readonly position: bigint | undefined;
  readonly fault: ProjectionFault | undefined;
  /** Whether it goes with the others; else it catches up alone, or has stopped. */
  readonly live: boolean;
  readonly parked: ParkedCount;
}

export interface RunningProjections {
  /** Checkpoint by read model id (`orders-v1`), of those that have seen anything. */
  positions(): ReadonlyMap<string, bigint>;
  states(): readonly ProjectionState[];
  /** Stops after the batch in hand. */
  close(): Promise<void>;
}

export interface ProjectorDeps {
  readonly eventLog: EventLog;
  readonly db: Db;
  readonly log: Logger;
  readonly projections: readonly Projection[];
  readonly catalog?: EventCatalog;
  readonly limits?: ParkingLimits;
  readonly clock?: () => Date;
  /** At most this many events at once, large ones counted for many; 2,000 unless told otherwise. */
  readonly maxBatch?: number;
  /** How often it looks for what people ask, and for collections that are gone. Milliseconds. */
  readonly lookEveryMs?: number;
  /** How often it says that it runs. Milliseconds. */
  readonly beatEveryMs?: number;
}

function taking(): Exclusive {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work);
    last = next.catch(() => {});
    return next;
  };
}

/**
 * Runs projections over the log. A batch's documents are written before the checkpoints move, so that a crash in between
 * repeats a batch, which changes nothing. What cannot be folded is parked with what follows it, document by document,
 * and the rest goes on. A projection whose collection is gone is folded anew.
 *
 * @throws Error a sentence, when the read models have seen more than the log holds
 * @throws MongoError when indexes or checkpoints cannot be had at the start
 */
export async function startProjections(deps: ProjectorDeps): Promise<RunningProjections> {
  const { eventLog, db, log, projections, catalog = eventCatalog } = deps;
  const {
    limits = { keys: 1_000, events: 100_000 },
    clock = () => new Date(),
    lookEveryMs = 1_000,
    beatEveryMs = 5_000,
    maxBatch = 2_000,
  } = deps;
  const [checkpoints, parkedEvents, acts] = [openCheckpoints(db), openParkedEvents(db), openActs(db)];
  const presence = openPresence(db, clock);
  const exclusive = taking();
  const ids = projections.map(({ model }) => readModelId(model));
  const stored = await checkpoints.read(ids);
  const furthest = [...stored.values()].reduce((a, b) => (a > b ? a : b), 0n);
  const head = await eventLog.head();
  if (furthest > head) {
    throw new Error(
      `the read models have seen position ${furthest} and the log ends at ${head}: it was restored from an older backup, or lost. Drop the database of the read models (not the collection data_keys) to have them folded anew.`,
    );
  }

  const runnerDeps = { eventLog, checkpoints, parkedEvents, catalog, limits, clock, log, exclusive, maxBatch };
  const replayDeps = { ...runnerDeps, decode: decoder(catalog) };
  const lanes = openLanes(runnerDeps);
  /** Work on read models while no batch is being folded or on its way to them. */
  const quietly: Exclusive = (work) =>
    exclusive(async () => {
      await lanes.settled();
      return work();
    });

  /** Empties a read model and begins at the start of the log; what was discarded stays so. */
  const empty = async (runner: Runner): Promise<void> => {
    lanes.leave(runner);
    // First of all: whatever ends this halfway, the model begins anew.
    await checkpoints.remove(runner.id);
    await db.collection(runner.id).drop();
    await parkedEvents.releaseAll(runner.id);
    runner.collection = await ensureCollection(db, runner.projection.model);
    runner.parking.clear();
    runner.parking.add((await parkedEvents.leftOut([runner.id])).get(runner.id) ?? []);
    runner.position = undefined;
    runner.fault = undefined;
  };
  const isReplaced = ({ id, collection }: Runner, identities: ReadonlyMap<string, string>) =>
    collection !== '' && identities.get(id) !== collection;

  await Promise.all([parkedEvents.ensureIndexes(), acts.ensureIndexes(), presence.beat()]);
  const [known, written, existing] = await Promise.all([
    parkedEvents.leftOut(ids),
    checkpoints.collections(ids),
    collectionIdentities(db),
  ]);
  const runners = projections.map((projection): Runner => {
    const id = readModelId(projection.model);
    const documents = positionedDocuments(db, id);
    const parking = knownParking(known.get(id));
    // A checkpoint of an earlier version does not say which collection it stands for.
    const collection = written.get(id) ?? (stored.has(id) ? (existing.get(id) ?? 'gone') : '');
    return { id, projection, documents, parking, collection, position: stored.get(id), fault: undefined };
  });
  for (const runner of runners) {
    if (isReplaced(runner, existing)) {
      log.warn('the collection is gone: the read model is folded anew', { projection: runner.id });
      await empty(runner);
    } else runner.collection = await ensureCollection(db, runner.projection.model);
  }
  const starts = new Map<bigint | undefined, Runner[]>();
  for (const runner of runners) starts.set(runner.position, [...(starts.get(runner.position) ?? []), runner]);
  for (const [, members] of [...starts].sort(([a = -1n], [b = -1n]) => (a < b ? 1 : -1))) lanes.open(members);

  const notAlone = async (): Promise<Performed | undefined> => {
    const others = await presence.others();
    return others.length === 0 ? undefined : { state: 'later', outcome: { waits_for: others } };
  };
  const rebuild = (runner: Runner): Promise<Performed> =>
    quietly(async () => {
      const later = await notAlone();
      if (later !== undefined) return later;
      await empty(runner);
      lanes.open([runner]);
      return { state: 'done', outcome: { up_to: lanes.liveAt() ?? 0n } };
    });
  const perform = async (runner: Runner, act: Act): Promise<Performed> => {
    if (act.act === 'rebuild') return rebuild(runner);
    // Another projector would not hear of it, and would park on what is folded from then on.
    const later = await notAlone();
    if (later !== undefined) return later;
    if (act.act === 'discard') return discard(runner, act, quietly, replayDeps);
    return replay(runner, act, quietly, replayDeps);
  };
  /** Does what people have asked for. */
  const doActs = async (): Promise<void> => {
    for (const act of await acts.waiting(ids)) {
      const runner = runners.find(({ id }) => id === act.projection);
      if (runner === undefined) continue;
      const performed = await perform(runner, act).catch((error: unknown): Performed => {
        if (!(error instanceof ParkedEventGone)) throw error;
        return { state: 'refused', outcome: { code: 'event-gone' } };
      });
      if (performed.state === 'later') {
        if (act.outcome === null) {
          await acts.put(act._id, performed.outcome);
          log.warn('an act waits', { projection: runner.id, act: act.act, ...performed });
        }
        continue;
      }
      await acts.end(act._id, performed.state, performed.outcome, clock());
      log.info('an act was carried out', { projection: runner.id, act: act.act, by: act.by, ...performed });
      if (runner.fault?.code !== 'parked-too-much') continue;
      await quietly(async () => {
        runner.fault = undefined;
        lanes.leave(runner);
        lanes.open([runner]);
      });
    }
  };
  /** Finds collections that were dropped while it ran. */
  const findGone = async (): Promise<void> => {
    const seen = runners.map((runner) => [runner, runner.collection] as const);
    const identities = await collectionIdentities(db);
    for (const [runner, collection] of seen) {
      if (runner.collection !== collection || !isReplaced(runner, identities)) continue;
      const performed = await rebuild(runner);
      if (performed.state === 'done') {
        log.warn('the collection is gone: the read model is folded anew', { projection: runner.id });
      } else if (runner.fault === undefined) {
        await quietly(async () => lanes.leave(runner));
        const message = 'the collection is gone, and another projector runs that may write into it';
        runner.fault = { code: 'collection-gone', message };
        log.error('projection stopped', { projection: runner.id, ...runner.fault, ...performed.outcome });
      }
    }
  };

  let closing = false;
  const look = async (): Promise<void> => {
    await doActs();
    await findGone();
  };
  let looking: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  const lookLater = () => {
    timer = setTimeout(() => {
      looking = look()
        .catch((err: unknown) => log.warn('the projector cannot look after its read models', { err }))
        .finally(() => {
          if (!closing) lookLater();
        });
    }, lookEveryMs);
  };
  lookLater();
  // Apart from all else: a long replay must not make it look as if it were gone.
  let beating: Promise<void> = Promise.resolve();
  const beats = setInterval(() => {
    beating = presence.beat().catch((err: unknown) => log.warn('the projector cannot say that it runs', { err }));
  }, beatEveryMs);

  return {
    positions: () => new Map(runners.flatMap(({ id, position }) => (position === undefined ? [] : [[id, position]]))),
    states: () =>
      runners.map((runner) => {
        const { id, position, fault, parking } = runner;
        return { id, position, fault, live: lanes.isLive(runner), parked: parking.count() };
      }),
    async close() {
      closing = true;
      clearTimeout(timer);
      await looking;
      await lanes.close();
      clearInterval(beats);
      await beating;
      await presence.leave().catch(() => {});
    },
  };
}
