import type { Db } from 'mongodb';
import { openParkedEvents } from '../../projections/parking/parked-events.js';
import { openCheckpoints } from '../../runtime/document-store/checkpoints.js';
import type { Positioned } from '../../runtime/document-store/positioned.js';
import type { ParkedPlace } from './model-fold.js';

/** What an audit reads of the read models. */
export interface ReadModels {
  /** How far each has come, by its id; none where it has seen nothing. */
  checkpoints(ids: readonly string[]): Promise<ReadonlyMap<string, bigint>>;
  documents(modelId: string): AsyncIterable<Positioned>;
  /** What the models say they leave out. */
  parked(ids: readonly string[]): Promise<readonly ParkedPlace[]>;
}

const batchSize = 500;

/** The read models as the projectors keep them in the document store. */
export function storedReadModels(db: Db): ReadModels {
  return {
    checkpoints: (ids) => openCheckpoints(db).read(ids),
    documents: (modelId) => db.collection<Positioned>(modelId).find({}, { batchSize }) as AsyncIterable<Positioned>,
    async parked(ids) {
      const leftOut = await openParkedEvents(db).leftOut(ids);
      return [...leftOut].flatMap(([model, events]) =>
        events.map(({ kind, key, position, discarded }) => {
          const document = kind === 'document' ? key : undefined;
          return { model, document, stream: document === undefined ? key : undefined, position, alone: discarded };
        }),
      );
    },
  };
}
