import { hostname } from 'node:os';
import type { Collection, Db } from 'mongodb';
import { newId } from '../runtime/ids.js';

/** Which projectors run on this document store. What is done with a whole read model is done by the only one. */
export interface Presence {
  /** Says that this one runs. */
  beat(): Promise<void>;
  /** Others that have said so lately, each by host and process. */
  others(): Promise<string[]>;
  leave(): Promise<void>;
}

interface Runs {
  readonly _id: string;
  readonly name: string;
  readonly seen_at: Date;
}

/** A projector that has been silent for so long is gone. */
const goneAfterMs = 15_000;

export function openPresence(db: Db, clock: () => Date): Presence {
  const collection: Collection<Runs> = db.collection('projectors');
  const _id = newId();
  return {
    async beat() {
      const seen = { name: `${hostname()}:${process.pid}`, seen_at: clock() };
      await collection.updateOne({ _id }, { $set: seen }, { upsert: true });
    },
    async others() {
      const lately = new Date(clock().getTime() - goneAfterMs);
      await collection.deleteMany({ seen_at: { $lt: new Date(lately.getTime() - goneAfterMs) } });
      const found = await collection.find({ _id: { $ne: _id }, seen_at: { $gte: lately } }).toArray();
      return found.map(({ name }) => name);
    },
    async leave() {
      await collection.deleteOne({ _id });
    },
  };
}
