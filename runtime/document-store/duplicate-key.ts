import {
  type AnyBulkWriteOperation,
  type Collection,
  type Document,
  MongoBulkWriteError,
  type WriteError,
} from 'mongodb';

const duplicateKey = 11_000;

/**
 * Writes in one unordered bulk.
 *
 * @returns the indexes of the operations that met a duplicate key, as a guarded upsert does where its guard refuses
 * @throws MongoBulkWriteError when an operation failed for any other reason
 */
export async function bulkWriteGuarded<T extends Document>(
  collection: Collection<T>,
  operations: readonly AnyBulkWriteOperation<T>[],
): Promise<number[]> {
  if (operations.length === 0) return [];
  try {
    await collection.bulkWrite(operations, { ordered: false });
    return [];
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError) || error.err !== undefined) throw error;
    const faults: readonly WriteError[] = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
    if (faults.length === 0 || faults.some((fault) => fault.code !== duplicateKey)) throw error;
    return faults.map((fault) => fault.index);
  }
}
