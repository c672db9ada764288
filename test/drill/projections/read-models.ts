import type { Db } from 'mongodb';
import { firstDifference } from '../../../cli/audit/first-difference.js';
import { eventCatalog } from '../../../domain/event-catalog.js';
import { allProjections } from '../../../projections/all-projections.js';
import { decoder } from '../../../projections/decode-batch.js';
import { foldingOf } from '../../../projections/fold-log.js';
import { openParkedEvents } from '../../../projections/parking/parked-events.js';
import { knownParking } from '../../../projections/parking/parking.js';
import { openCheckpoints } from '../../../runtime/document-store/checkpoints.js';
import { connectDocumentStore } from '../../../runtime/document-store/connect.js';
import { readModelId } from '../../../runtime/document-store/read-model.js';
import { type EventLog, openEventLog, type StoredEvent } from '../../../runtime/event-store/event-log.js';
import { silentLogger } from '../../../runtime/logger.js';
import { eventually } from '../../support/eventually.js';
import type { DrillSystem } from '../drill-system.js';

const limitMs = 60_000;

export const modelIds: readonly string[] = allProjections.map(({ model }) => readModelId(model));

/** Documents by id, positions included. */
export type Documents = ReadonlyMap<string, object>;

export async function withLog<T>({ system }: DrillSystem, work: (eventLog: EventLog) => Promise<T>): Promise<T> {
  const eventLog = openEventLog(system.facts.eventStoreUrl, silentLogger);
  try {
    return await work(eventLog);
  } finally {
    await eventLog.close();
  }
}

export async function withDatabase<T>(url: string, work: (db: Db) => Promise<T>): Promise<T> {
  const store = await connectDocumentStore({ url, database: 'shopledger', appName: 'drill' });
  try {
    return await work(store.db);
  } finally {
    await store.close();
  }
}

async function documentsOf(db: Db, model: string): Promise<Documents> {
  const found = await db.collection<{ _id: string }>(model).find().toArray();
  return new Map(found.map((document) => [document._id, document]));
}

async function wholeLog(eventLog: EventLog): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const event of eventLog.readAll()) events.push(event);
  return events;
}

/**
 * Every document of every read model, once all have seen the last event of the log.
 *
 * @param until waits until each has so many documents, too, as after a drop that the projector has yet to notice
 */
export async function readModelsOf(
  drill: DrillSystem,
  until?: ReadonlyMap<string, Documents>,
): Promise<{ last: bigint; models: ReadonlyMap<string, Documents> }> {
  return withLog(drill, (eventLog) =>
    withDatabase(drill.system.facts.documentStoreUrl, async (db) => {
      const last = (await wholeLog(eventLog)).at(-1)?.position ?? 0n;
      const checkpoints = openCheckpoints(db);
      const models = await eventually(
        'the read models to catch up',
        async () => {
          const reached = await checkpoints.read(modelIds);
          if (modelIds.some((id) => (reached.get(id) ?? -1n) < last)) return undefined;
          const found = await Promise.all(modelIds.map(async (id) => [id, await documentsOf(db, id)] as const));
          const whole = found.every(([id, { size }]) => until === undefined || size >= (until.get(id)?.size ?? 0));
          return whole ? new Map<string, Documents>(found) : undefined;
        },
        limitMs,
      );
      return { last, models };
    }),
  );
}

/** What the log folds to in one go, without what the read models say they leave out. */
export async function freshFold(drill: DrillSystem): Promise<ReadonlyMap<string, Documents>> {
  const events = await withLog(drill, wholeLog);
  const leftOut = await withDatabase(drill.system.facts.documentStoreUrl, (db) =>
    openParkedEvents(db).leftOut(modelIds),
  );
  const folds = allProjections.map((projection) => {
    const id = readModelId(projection.model);
    const folding = foldingOf(projection, decoder(eventCatalog), knownParking(leftOut.get(id)));
    folding.add(events);
    return [id, folding.documents] as const;
  });
  return new Map(folds);
}

/** @returns a line for each document that is missing, too many, or different, with the first field that differs */
export function differences(expected: Documents, seen: Documents): string[] {
  const lines: string[] = [];
  for (const id of new Set([...expected.keys(), ...seen.keys()])) {
    const difference = firstDifference(expected.get(id), seen.get(id));
    if (difference === undefined) continue;
    lines.push(`${id} ${difference.field}: expected ${difference.expected}, found ${difference.seen}`);
  }
  return lines;
}
