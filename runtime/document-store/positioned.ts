import { BSON, type Collection, type Db, MongoBulkWriteError } from 'mongodb';
import { bulkWriteGuarded } from './duplicate-key.js';
import { isOutage } from './outage.js';

/** A document with the log position it has seen: whatever came at or before it is folded in. */
export type Positioned<Body = object> = Body & { readonly _id: string; readonly position: bigint };

/** Ids of documents that were not written. */
export interface Unwritten {
  /** Another writer got there meanwhile. */
  readonly refused: readonly string[];
  /** No store would take them as they are: too large, or not to be said in BSON. */
  readonly unstorable: readonly string[];
}

/** A collection whose documents never go back to an earlier position. */
export interface PositionedDocuments {
  read(ids: readonly string[]): Promise<Map<string, Positioned>>;
  /** Replaces each document unless the stored one is as far or further. The driver cuts what is too large for one bulk. */
  replace(documents: readonly Positioned[]): Promise<Unwritten>;
  /** Replaces each document whatever it holds, unless the stored one is further than `upTo`. */
  overwrite(documents: readonly Positioned[], upTo: bigint): Promise<Unwritten>;
}

const largestDocument = 16 * 1024 * 1024;

// BadValue, CannotIndexParallelArrays, BSONObjectTooLarge, KeyTooLong: what the server says of one document.
const faultsOfDocument = new Set([2, 171, 10_334, 17_280]);

/** Whether a document can be stored at all. */
export function isStorable(document: object): boolean {
  try {
    return BSON.serialize(document).byteLength <= largestDocument;
  } catch {
    return false;
  }
}

/** The documents that a bulk failed on, where the fault is theirs and not the store's. */
function unstorableOf(documents: readonly Positioned[], error: unknown): string[] {
  if (isOutage(error)) return [];
  const told = error instanceof MongoBulkWriteError ? [error.writeErrors].flat() : [];
  const refused = new Set(told.filter(({ code }) => faultsOfDocument.has(code)).map(({ index }) => index));
  return documents
    .filter((document, index) => refused.has(index) || !isStorable(document))
    .map((document) => document._id);
}

export function positionedDocuments(db: Db, collectionName: string): PositionedDocuments {
  const collection: Collection<Positioned> = db.collection(collectionName);

  const write = async (
    documents: readonly Positioned[],
    guard: (document: Positioned) => object,
  ): Promise<Unwritten> => {
    const operations = documents.map((replacement) => ({
      replaceOne: { filter: { _id: replacement._id, position: guard(replacement) }, replacement, upsert: true },
    }));
    try {
      const refused = await bulkWriteGuarded(collection, operations);
      return { refused: refused.flatMap((index) => documents[index]?._id ?? []), unstorable: [] };
    } catch (error) {
      const unstorable = new Set(unstorableOf(documents, error));
      if (unstorable.size === 0) throw error;
      // What the failed bulk did write is refused now, and found to be there.
      const { refused } = await write(
        documents.filter(({ _id }) => !unstorable.has(_id)),
        guard,
      );
      return { refused, unstorable: [...unstorable] };
    }
  };

  return {
    async read(ids) {
      if (ids.length === 0) return new Map();
      const found = await collection.find({ _id: { $in: [...ids] } }).toArray();
      return new Map(found.map((document) => [document._id, document]));
    },
    replace: (documents) => write(documents, ({ position }) => ({ $lt: position })),
    overwrite: (documents, upTo) => write(documents, () => ({ $lte: upTo })),
  };
}
