import { randomUUID } from 'node:crypto';
import type { Collection, Db } from 'mongodb';
import type { ParkedKey } from './parking/parking.js';

/** What somebody asks of the projector. */
export type Asked =
  | { readonly act: 'replay'; readonly key: ParkedKey | null }
  | { readonly act: 'discard'; readonly key: ParkedKey; readonly position: bigint }
  | { readonly act: 'rebuild' };

/** Who asks, and why. */
export interface Word {
  readonly by: string;
  readonly why: string;
}

/** An act as it is kept: asked for by the command line, carried out by the projector, and never removed. */
export type Act = Asked &
  Word & {
    readonly _id: string;
    readonly projection: string;
    readonly asked_at: Date;
    readonly state: 'asked' | 'done' | 'refused';
    readonly ended_at: Date | null;
    /** What came of it, as figures and a few words; none of it personal. */
    readonly outcome: Readonly<Record<string, unknown>> | null;
  };

/**
 * What people do to projections, by way of the document store: the projector that runs takes it up within a second, one
 * that starts later takes it up then.
 */
export interface Acts {
  ensureIndexes(): Promise<void>;
  /** @returns the act's id */
  ask(projection: string, asked: Asked, word: Word, at: Date): Promise<string>;
  /** What waits to be done for these projections, in the order it was asked. */
  waiting(projections: readonly string[]): Promise<Act[]>;
  end(id: string, state: 'done' | 'refused', outcome: Act['outcome'], at: Date): Promise<void>;
  /** Says why it still waits. */
  put(id: string, outcome: Act['outcome']): Promise<void>;
  read(id: string): Promise<Act | undefined>;
  /** The last ones, the newest first. */
  latest(limit: number): Promise<Act[]>;
}

export function openActs(db: Db): Acts {
  const collection: Collection<Act> = db.collection('projection_acts');
  return {
    async ensureIndexes() {
      await collection.createIndexes([{ key: { state: 1, asked_at: 1 } }, { key: { asked_at: -1 } }]);
    },
    async ask(projection, asked, { by, why }, at) {
      const _id = randomUUID();
      const fresh = { state: 'asked', ended_at: null, outcome: null } as const;
      await collection.insertOne({ _id, projection, ...asked, by, why, asked_at: at, ...fresh });
      return _id;
    },
    waiting: (projections) =>
      collection
        .find({ state: 'asked', projection: { $in: [...projections] } })
        .sort({ asked_at: 1 })
        .toArray() as Promise<Act[]>,
    async end(id, state, outcome, at) {
      await collection.updateOne({ _id: id }, { $set: { state, outcome, ended_at: at } });
    },
    async put(id, outcome) {
      await collection.updateOne({ _id: id }, { $set: { outcome } });
    },
    async read(id) {
      return ((await collection.findOne({ _id: id })) as Act | null) ?? undefined;
    },
    latest: (limit) => collection.find().sort({ asked_at: -1 }).limit(limit).toArray() as Promise<Act[]>,
  };
}
