import type { Collection, Db } from 'mongodb';
import { bulkWriteGuarded } from '../../runtime/document-store/duplicate-key.js';
import type { LeftOut, ParkedEvent, ParkedFault, ParkedKey, ParkedKind } from './parking.js';

/**
 * An event that a projection leaves out, as it is stored: a reference, the event itself stays in the log. `discarded` is
 * somebody's decision and outlives every rebuild of this version of the model.
 */
export interface ParkedRecord {
  readonly _id: string;
  /** The read model's id (`orders-v1`). */
  readonly projection: string;
  readonly kind: ParkedKind;
  readonly key: string;
  readonly position: bigint;
  readonly stream: string;
  readonly revision: bigint;
  readonly event_id: string;
  readonly event_type: string;
  /** null where it only waits behind another one */
  readonly fault: ParkedFault | null;
  readonly parked_at: Date;
  readonly discarded: { readonly by: string; readonly why: string; readonly at: Date } | null;
}

/** What waits of one document or stream, in short. */
export interface ParkedSummary extends ParkedKey {
  readonly projection: string;
  readonly events: number;
  readonly first: ParkedRecord;
}

export interface ParkedEvents {
  ensureIndexes(): Promise<void>;
  /** What is left out, by projection. */
  leftOut(projections: readonly string[]): Promise<Map<string, LeftOut[]>>;
  /** Stores events; those that are there already stay as they are. */
  add(projection: string, events: readonly ParkedEvent[], at: Date): Promise<void>;
  /** What there is of a document or a stream, the discarded included, in log order. */
  of(projection: string, key: ParkedKey): Promise<ParkedRecord[]>;
  /** Everything that waits, by document and stream, the oldest first. */
  summaries(projection?: string): Promise<ParkedSummary[]>;
  discard(
    projection: string,
    key: ParkedKey,
    position: bigint,
    word: { by: string; why: string; at: Date },
  ): Promise<void>;
  setFault(projection: string, key: ParkedKey, position: bigint, fault: ParkedFault | undefined): Promise<void>;
  /** Removes what waits of a document or a stream, up to a position where one is given. */
  release(projection: string, key: ParkedKey, before?: bigint): Promise<void>;
  /** Removes all that waits of a projection. */
  releaseAll(projection: string): Promise<void>;
}

const idOf = (projection: string, { kind, key }: ParkedKey, position: bigint) =>
  `${projection} ${kind} ${key} ${String(position).padStart(20, '0')}`;

export function openParkedEvents(db: Db): ParkedEvents {
  const collection: Collection<ParkedRecord> = db.collection('parked_events');
  return {
    async ensureIndexes() {
      await collection.createIndexes([{ key: { projection: 1, kind: 1, key: 1, position: 1 } }]);
    },
    async leftOut(projections) {
      const known = new Map<string, LeftOut[]>(projections.map((projection) => [projection, []]));
      const fields = { projection: 1, kind: 1, key: 1, position: 1, discarded: 1 } as const;
      const found = collection.find({ projection: { $in: [...projections] } }).project<ParkedRecord>(fields);
      for await (const { projection, kind, key, position, discarded } of found) {
        known.get(projection)?.push({ kind, key, position, discarded: discarded !== null });
      }
      return known;
    },
    async add(projection, events, at) {
      await bulkWriteGuarded(
        collection,
        events.map((event) => {
          const { kind, key, position, stream, revision, eventId, eventType, fault = null } = event;
          const _id = idOf(projection, event, position);
          const place = { projection, kind, key, position, stream, revision };
          const $setOnInsert = {
            ...place,
            event_id: eventId,
            event_type: eventType,
            fault,
            parked_at: at,
            discarded: null,
          };
          return { updateOne: { filter: { _id }, update: { $setOnInsert }, upsert: true } };
        }),
      );
    },
    of: (projection, { kind, key }) => collection.find({ projection, kind, key }).sort({ position: 1 }).toArray(),
    async summaries(projection) {
      const found = await collection
        .aggregate<{ _id: ParkedKey & { projection: string }; events: number; first: ParkedRecord }>([
          { $match: { discarded: null, ...(projection === undefined ? {} : { projection }) } },
          { $sort: { position: 1 } },
          {
            $group: {
              _id: { projection: '$projection', kind: '$kind', key: '$key' },
              events: { $sum: 1 },
              first: { $first: '$$ROOT' },
            },
          },
          { $sort: { 'first.parked_at': 1, 'first.position': 1 } },
        ])
        .toArray();
      return found.map(({ _id, events, first }) => ({ ..._id, events, first }));
    },
    async discard(projection, key, position, word) {
      await collection.updateOne({ _id: idOf(projection, key, position) }, { $set: { discarded: word } });
    },
    async setFault(projection, key, position, fault = undefined) {
      await collection.updateOne({ _id: idOf(projection, key, position) }, { $set: { fault: fault ?? null } });
    },
    async release(projection, { kind, key }, before) {
      const upTo = before === undefined ? {} : { position: { $lt: before } };
      await collection.deleteMany({ projection, kind, key, discarded: null, ...upTo });
    },
    async releaseAll(projection) {
      await collection.deleteMany({ projection, discarded: null });
    },
  };
}
