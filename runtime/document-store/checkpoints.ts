import type { Collection, Db } from 'mongodb';
import { bulkWriteGuarded } from './duplicate-key.js';

interface Checkpoint {
  readonly _id: string;
  readonly position: bigint;
  /** The identity of the collection that has been written up to there. */
  readonly collection?: string;
}

/** How far each follower of the log has got, by its id. */
export interface Checkpoints {
  /** @returns the ids that have a checkpoint */
  read(ids: readonly string[]): Promise<Map<string, bigint>>;
  /** @returns for those that say so: the identity of the collection that they stand for */
  collections(ids: readonly string[]): Promise<Map<string, string>>;
  /**
   * Moves checkpoints on in one write; one that is further already stays where it is.
   *
   * @param collections the identities of the collections that they stand for
   */
  advance(positions: ReadonlyMap<string, bigint>, collections?: ReadonlyMap<string, string>): Promise<void>;
  /** Begins anew: the next `advance` may say any position. */
  remove(id: string): Promise<void>;
}

export function openCheckpoints(db: Db): Checkpoints {
  const collection: Collection<Checkpoint> = db.collection('checkpoints');
  const find = (ids: readonly string[]) => collection.find({ _id: { $in: [...ids] } }).toArray();
  const write = async (
    positions: readonly (readonly [string, bigint])[],
    collections: ReadonlyMap<string, string> | undefined,
  ) => {
    const refused = await bulkWriteGuarded(
      collection,
      positions.map(([_id, position]) => {
        const identity = collections?.get(_id);
        const update = { $max: { position }, ...(identity === undefined ? {} : { $set: { collection: identity } }) };
        return { updateOne: { filter: { _id }, update, upsert: true } };
      }),
    );
    return positions.filter((_, index) => refused.includes(index));
  };
  return {
    async read(ids) {
      return new Map((await find(ids)).map(({ _id, position }) => [_id, position]));
    },
    async collections(ids) {
      const known = (await find(ids)).flatMap(({ _id, collection }) =>
        collection === undefined ? [] : [[_id, collection] as const],
      );
      return new Map(known);
    },
    async advance(positions, collections) {
      const refused = await write([...positions], collections);
      // Two first writes of one checkpoint can race; the second time it exists.
      if (refused.length > 0) await write(refused, collections);
    },
    async remove(id) {
      await collection.deleteOne({ _id: id });
    },
  };
}
