import type { Db } from 'mongodb';
import { type Random, seeded } from '../support/seeded.js';
import { ask, type Flight } from './document-store-ask.js';
import {
  type Books,
  bulk,
  type Call,
  concern,
  findAndModify,
  type Going,
  insertMany,
  one,
  perform,
  type Writer,
} from './document-store-calls.js';
import { type Content, someFields } from './document-store-content.js';
import { contended, expiring, type IndexPlan, indexPlans } from './document-store-indexes.js';
import { keyOf, type Step } from './document-store-ledger.js';
import { type Statement, toldNothing, type View } from './document-store-statements.js';
import { demand } from './violation.js';

const ownDocuments = 40;
const counters = 4;
const projections = 4;

const count: Call = async ({ random, db, books, flight }) => {
  const name = `c${random.between(0, counters - 1)}`;
  const by = random.between(1, 5);
  const addition = books.shared.add(name, by);
  const docs = db.collection<{ _id: string; n: number }>('counters');
  const tells = random.chance(0.4);
  const options = { upsert: true, writeConcern: concern(random) };
  const outcome = await ask(flight, 'counter', () =>
    tells
      ? docs.findOneAndUpdate({ _id: name }, { $inc: { n: by } }, { ...options, returnDocument: 'after' })
      : docs.updateOne({ _id: name }, { $inc: { n: by } }, options).then(() => undefined),
  );
  if (outcome.kind !== 'answered') {
    demand(outcome.kind !== 'refused', () => `a count of ${name} was refused`);
    return false;
  }
  addition.acknowledge();
  if (tells) addition.told(outcome.reply?.n ?? 0);
  return true;
};

/** What a projection holds at a position; anything else was not written by one statement. */
export const projectionAt = (name: string, position: number): Content => ({ _id: name, position, twice: 2 * position });

const project: Call = async ({ random, db, books, flight }) => {
  const name = `p${random.between(0, projections - 1)}`;
  const position = books.nextPosition() - (random.chance(0.2) ? random.between(0, 20) : 0);
  const { _id, ...fields } = projectionAt(name, position);
  const raising = books.shared.raise(name, position);
  const outcome = await ask(flight, 'projection', () =>
    db
      .collection<Content>('projections')
      .updateOne({ _id, position: { $lt: position } }, { $set: fields }, { upsert: true }),
  );
  if (outcome.kind === 'refused') demand(outcome.code === 11000, () => `a projection was refused: ${outcome.code}`);
  if (outcome.kind === 'stopping' || outcome.kind === 'unknown') return false;
  raising.answered();
  return true;
};

/** A collection of the writer's own, filled, and dropped with all that is in it. */
const fillOrDrop: Call = async (writer) => {
  const { random, db, books, view } = writer;
  const name = `small-${view.owner}`;
  const there = [...books.ledger.keys()].filter((key) => key.startsWith(`${name}/`));
  if (there.length > 0 && random.chance(0.7)) {
    const step: Step = { changes: there.map((key) => ({ key, after: undefined })), whole: true };
    const dropping: Statement = { operation: { deleteMany: { filter: {} } }, step, told: toldNothing };
    return perform(writer, 'drop', [dropping], true, () => db.dropCollection(name).then(() => ({})));
  }
  const small: View = { ...view, collection: name, get: (id) => books.ledger.get(keyOf(name, id)) };
  const mark = random.uuid();
  // Now and then more than one step of sweeping takes away.
  const documents = random.chance(0.04)
    ? Array.from({ length: 2_200 }, (_, n): Content => ({ _id: `${mark}-${n}`, tags: [n % 7, 'all'] }))
    : Array.from({ length: random.between(1, 60) }, (): Content => {
        const { slot: _, ...fields } = someFields(random, view.owner);
        return { _id: random.uuid(), ...fields, text: '' };
      });
  const statements = documents.map(
    (document): Statement => ({
      operation: { insertOne: { document } },
      step: { changes: [{ key: keyOf(small.collection, document._id), after: document }] },
      told: { ...toldNothing, inserted: 1 },
    }),
  );
  return perform(writer, 'fill', statements, true, async () => {
    if (random.chance(0.5)) await db.collection(name).createIndex({ tags: 1, n: 1 });
    return db.collection<Content>(name).insertMany(documents);
  });
};

/** Documents that expire at once, between such that do not. */
const expire: Call = (writer) => {
  const { random, db, books } = writer;
  const far = new Date('2100-01-01');
  const documents = Array.from({ length: random.between(1, 30) }, (): Content & { fades: boolean } => {
    const past = new Date(Date.now() - random.between(5_000, 1_000_000));
    const fades = random.chance(0.7);
    const kept = [far, null, 'no date', [far, far], 7];
    return { _id: random.uuid(), fades, at: fades ? random.pick([past, [far, past]]) : random.pick(kept) };
  });
  const statements = documents.map((document): Statement => {
    const changes = document.fades ? [] : [{ key: keyOf(expiring, document._id), after: document }];
    return { operation: { insertOne: { document } }, step: { changes }, told: { ...toldNothing, inserted: 1 } };
  });
  books.expiring += documents.filter(({ fades }) => fades).length;
  return perform(writer, 'expiring', statements, true, () => db.collection<Content>(expiring).insertMany(documents));
};

/** Makes an index where it is not, drops it where it is. */
export async function toggleIndex(
  { flight, books, db, random }: Pick<Writer, 'flight' | 'books' | 'db' | 'random'>,
  collection: string,
  { name, pattern, options }: IndexPlan,
): Promise<Going> {
  const isContended = name === contended.name;
  if (isContended && collection === 'docs') return true;
  const there = !books.indexes.has(collection, name);
  const asked = books.indexes.send(collection, name, there);
  const docs = db.collection(collection);
  const outcome = await ask(flight, there ? `createIndex on ${collection}` : 'dropIndex', () =>
    there
      ? docs.createIndex(pattern, { ...options, name, writeConcern: concern(random) } as object)
      : docs.dropIndex(name).then(() => name),
  );
  if (outcome.kind === 'stopping' || outcome.kind === 'unknown') return false;
  if (outcome.kind === 'refused') {
    demand(
      isContended && there && outcome.code === 11000,
      () => `${there ? 'making' : 'dropping'} the index ${name} was refused: ${outcome.err.message}`,
    );
  }
  const done = outcome.kind === 'answered';
  demand(!(done && isContended), () => `the unique index ${name} was made of slots that repeat`);
  asked.answered(done);
  return true;
}

const mix: readonly Call[] = [
  ...Array.from({ length: 9 }, () => one),
  ...[bulk, bulk, bulk, bulk, insertMany, insertMany, findAndModify, findAndModify],
  ...[count, count, project, fillOrDrop, expire],
];

export interface WriterOptions {
  readonly books: Books;
  readonly flight: Flight;
  readonly dbs: readonly Db[];
  readonly random: Random;
  readonly writers: number;
  /** the share of their calls that the first two make about indexes */
  readonly indexing: number;
}

/**
 * Writers side by side, until there is nothing more to begin or a call has no answer: each on documents of its own, all
 * on a few shared ones, the first on the indexes of all documents, the second on those of the wide collection.
 *
 * @throws Violation
 */
export async function runWriters({ books, flight, dbs, random, writers, indexing }: WriterOptions): Promise<void> {
  const run = random.uuid();
  const write = async (number: number) => {
    const owner = `w${number}`;
    const ids = Array.from({ length: ownDocuments }, (_, at) => `${owner}-${at}`);
    const get = (id: string) => books.ledger.get(keyOf('docs', id));
    const db = dbs[number % dbs.length];
    if (db === undefined) return;
    const own = seeded(run, number);
    const writer = { random: own, flight, books, db, view: { collection: 'docs', owner, ids, get } };
    while (flight.going()) {
      const calls =
        number < 2 && own.chance(indexing)
          ? toggleIndex(writer, number === 0 ? 'docs' : 'wide', own.pick(indexPlans))
          : own.pick(mix)(writer);
      if (!(await calls)) return;
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: writers }, (_, number) => write(number)));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
