import type { Db } from 'mongodb';
import type { EventCatalog } from '../domain/core/event-codec.js';
import { eventCatalog } from '../domain/event-catalog.js';
import { type Checkpoints, openCheckpoints } from '../runtime/document-store/checkpoints.js';
import { type PositionedDocuments, positionedDocuments } from '../runtime/document-store/positioned.js';
import { ensureIndexes, readModelId } from '../runtime/document-store/read-model.js';
import type { EventLog, StoredEvent } from '../runtime/event-store/event-log.js';
import { type Batch, followLog } from '../runtime/event-store/follow.js';
import type { Logger } from '../runtime/logger.js';
import { batchDecoder, type Decoded, type ProjectionFault } from './decode-batch.js';
import { foldDocuments, touchedDocuments } from './fold-batch.js';
import { furthestBack } from './positions.js';
import type { Projection } from './projection.js';

const maxBatch = 500;
const maxTries = 5;

/** What a projection is at. `position` is undefined until it has seen anything; `fault` is why it stopped, if it has. */
export interface ProjectionState {
  readonly id: string;
  readonly position: bigint | undefined;
  readonly fault: ProjectionFault | undefined;
}

interface Runner {
  readonly id: string;
  readonly projection: Projection;
  readonly documents: PositionedDocuments;
  position: bigint | undefined;
  fault: ProjectionFault | undefined;
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
}

/** Folds the events into the documents and stores them. @returns the fault that ended it early, if any */
async function project(
  { projection, documents, id }: Runner,
  events: readonly StoredEvent[],
  decode: (stored: StoredEvent) => Decoded,
): Promise<ProjectionFault | undefined> {
  const touched = touchedDocuments(projection, events, decode);
  let pending = touched.events;
  let fault = touched.fault;
  for (let tries = 0; pending.size > 0; tries += 1) {
    if (tries === maxTries) throw new Error(`${id}: other writers kept getting in between`);
    const folded = foldDocuments(projection, await documents.read([...pending.keys()]), pending);
    fault = folded.fault ?? fault;
    const refused = new Set(await documents.replace(folded.documents));
    pending = new Map([...pending].filter(([documentId]) => refused.has(documentId)));
  }
  return fault;
}

/** How far a projection has come: to the batch's end, or to just before what it cannot read. */
function reached(batch: Batch, before: bigint | undefined, fault: ProjectionFault | undefined): bigint | undefined {
  if (fault === undefined) return batch.upTo;
  let last = before;
  for (const { position } of batch.events) {
    if (position >= fault.position) break;
    if (last === undefined || position > last) last = position;
  }
  return last;
}

/**
 * Runs projections over one subscription. A batch's documents are written before the checkpoints move, so that a crash
 * in between repeats a batch, which changes nothing. A projection that cannot read an event stops there and says so;
 * the others go on.
 *
 * @throws Error a sentence, when the read models have seen more than the log holds
 * @throws MongoError when indexes or checkpoints cannot be had at the start
 */
export async function startProjections(deps: ProjectorDeps): Promise<RunningProjections> {
  const { eventLog, db, log, projections, catalog = eventCatalog } = deps;
  const checkpoints: Checkpoints = openCheckpoints(db);
  await Promise.all(projections.map((projection) => ensureIndexes(db, projection.model)));
  const stored = await checkpoints.read(projections.map((projection) => readModelId(projection.model)));
  const furthest = [...stored.values()].reduce((a, b) => (a > b ? a : b), 0n);
  const head = await eventLog.head();
  if (furthest > head) {
    throw new Error(
      `the read models have seen position ${furthest} and the log ends at ${head}: it was restored from an older backup, or lost. Drop the database of the read models (not the collection data_keys) to have them folded anew.`,
    );
  }
  const runners = projections.map((projection): Runner => {
    const id = readModelId(projection.model);
    const documents = positionedDocuments(db, id);
    return { id, projection, documents, position: stored.get(id), fault: undefined };
  });

  const advance = async (runner: Runner, batch: Batch, decode: (stored: StoredEvent) => Decoded) => {
    const from = runner.position;
    const unseen = from === undefined ? batch.events : batch.events.filter((event) => event.position > from);
    const fault = await project(runner, unseen, decode);
    return { runner, fault, position: reached(batch, from, fault) };
  };

  const handle = async (batch: Batch): Promise<void> => {
    const behind = runners.filter(
      ({ fault, position }) => fault === undefined && (position === undefined || position < batch.upTo),
    );
    const decode = batchDecoder(catalog);
    const outcomes = await Promise.allSettled(behind.map((runner) => advance(runner, batch, decode)));
    const done = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const moved = done.flatMap(({ runner, position }) =>
      position === undefined || position === runner.position ? [] : [[runner.id, position] as const],
    );
    if (moved.length > 0) await checkpoints.advance(new Map(moved));
    for (const { runner, fault, position } of done) {
      runner.position = position;
      if (fault === undefined) continue;
      runner.fault = fault;
      log.error('projection stopped', { projection: runner.id, ...fault, position: String(fault.position) });
    }
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  };

  const after = furthestBack(runners.map((runner) => runner.position));
  const follower = followLog(eventLog, { after, maxBatch, handle, log });
  return {
    positions: () => new Map(runners.flatMap(({ id, position }) => (position === undefined ? [] : [[id, position]]))),
    states: () => runners.map(({ id, position, fault }) => ({ id, position, fault })),
    close: () => follower.close(),
  };
}
