import type { Collection, Db } from 'mongodb';
import { bulkWriteGuarded } from './duplicate-key.js';

/** A document with the log position it has seen: whatever came at or before it is folded in. */
export type Positioned<Body = object> = Body & { readonly _id: string; readonly position: bigint };

/** A collection whose documents never go back to an earlier position. */
export interface PositionedDocuments {
  read(ids: readonly string[]): Promise<Map<string, Positioned>>;
  /**
   * Replaces each document unless the stored one is as far or further.
   *
   * @returns the ids of documents that were not written, because another writer got there meanwhile
   */
  replace(documents: readonly Positioned[]): Promise<string[]>;
}

export function positionedDocuments(db: Db, collectionName: string): PositionedDocuments {
  const collection: Collection<Positioned> = db.collection(collectionName);
  return {
    async read(ids) {
      if (ids.length === 0) return new Map();
      const found = await collection.find({ _id: { $in: [...ids] } }).toArray();
      return new Map(found.map((document) => [document._id, document]));
    },
    async replace(documents) {
      const refused = await bulkWriteGuarded(
        collection,
        documents.map((replacement) => ({
          replaceOne: {
            filter: { _id: replacement._id, position: { $lt: replacement.position } },
            replacement,
            upsert: true,
          },
        })),
      );
      return refused.flatMap((index) => documents[index]?._id ?? []);
    },
  };
}
