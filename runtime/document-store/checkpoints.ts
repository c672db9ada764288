import type { Collection, Db } from 'mongodb';
import { bulkWriteGuarded } from './duplicate-key.js';

interface Checkpoint {
  readonly _id: string;
  readonly position: bigint;
}

/** How far each follower of the log has got, by its id. */
export interface Checkpoints {
  /** @returns the ids that have a checkpoint */
  read(ids: readonly string[]): Promise<Map<string, bigint>>;
  /** Moves checkpoints on in one write; one that is further already stays where it is. */
  advance(positions: ReadonlyMap<string, bigint>): Promise<void>;
}

export function openCheckpoints(db: Db): Checkpoints {
  const collection: Collection<Checkpoint> = db.collection('checkpoints');
  const write = async (positions: readonly (readonly [string, bigint])[]) => {
    const refused = await bulkWriteGuarded(
      collection,
      positions.map(([_id, position]) => ({
        updateOne: { filter: { _id }, update: { $max: { position } }, upsert: true },
      })),
    );
    return positions.filter((_, index) => refused.includes(index));
  };
  return {
    async read(ids) {
      const found = await collection.find({ _id: { $in: [...ids] } }).toArray();
      return new Map(found.map(({ _id, position }) => [_id, position]));
    },
    async advance(positions) {
      const refused = await write([...positions]);
      // Two first writes of one checkpoint can race; the second time it exists.
      if (refused.length > 0) await write(refused);
    },
  };
}
