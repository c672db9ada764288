import type { Db } from 'mongodb';
import { openCheckpoints } from '../../runtime/document-store/checkpoints.js';
import type { Positioned } from '../../runtime/document-store/positioned.js';
import type { ParkedPlace } from './model-fold.js';

/** What an audit reads of the read models. */
export interface ReadModels {
  /** How far each has come, by its id; none where it has seen nothing. */
  checkpoints(ids: readonly string[]): Promise<ReadonlyMap<string, bigint>>;
  documents(modelId: string): AsyncIterable<Positioned>;
  parked(): Promise<readonly ParkedPlace[]>;
}

const batchSize = 500;

/** The read models as the projectors keep them in the document store. */
export function storedReadModels(db: Db): ReadModels {
  return {
    checkpoints: (ids) => openCheckpoints(db).read(ids),
    documents: (modelId) => db.collection<Positioned>(modelId).find({}, { batchSize }) as AsyncIterable<Positioned>,
    parked: async () => [],
  };
}
