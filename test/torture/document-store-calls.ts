import type { Collection, Db, WriteConcernSettings } from 'mongodb';
import type { Random } from '../support/seeded.js';
import { ask, type Flight, refusalsOf } from './document-store-ask.js';
import { type Content, canonical, updated } from './document-store-content.js';
import type { Indexes } from './document-store-indexes.js';
import { keyOf, type Ledger, type Step } from './document-store-ledger.js';
import type { Shared } from './document-store-shared.js';
import {
  asFilter,
  insertion,
  type Statement,
  someModifiers,
  someStatement,
  someStatements,
  type Told,
  type View,
} from './document-store-statements.js';
import { demand } from './violation.js';

/** What all writers write to. */
export interface Books {
  readonly ledger: Ledger;
  readonly shared: Shared;
  readonly indexes: Indexes;
  /** documents that were sent to expire, and have not yet been waited for */
  expiring: number;
  /** ever higher, over all rounds */
  readonly nextPosition: () => number;
}

export interface Writer {
  readonly random: Random;
  readonly flight: Flight;
  readonly books: Books;
  readonly db: Db;
  readonly view: View;
}

/** Whether the writer goes on: false when it does not know what became of its call. */
export type Going = boolean;
export type Call = (writer: Writer) => Promise<Going>;

export const concern = (random: Random): WriteConcernSettings =>
  random.pick([{ w: 1 }, { w: 1, j: true }, { w: 'majority' }, { w: 1 }]);

function sumOf(statements: readonly Statement[], refused: ReadonlyMap<number, number>, ordered: boolean): Told {
  const done = statements.filter((_, at) => {
    const [first = Number.POSITIVE_INFINITY] = refused.keys();
    return ordered ? at < first : !refused.has(at);
  });
  const sum = (field: keyof Told) => done.reduce((total, { told }) => total + told[field], 0);
  return {
    inserted: sum('inserted'),
    matched: sum('matched'),
    modified: sum('modified'),
    upserted: sum('upserted'),
    deleted: sum('deleted'),
  };
}

interface Counts {
  readonly insertedCount?: number;
  readonly matchedCount?: number;
  readonly modifiedCount?: number;
  readonly upsertedCount?: number;
  readonly deletedCount?: number;
}

/** Sends statements and books what came of them. @param send gives the counts of the answer */
export async function perform(
  writer: Writer,
  what: string,
  statements: readonly Statement[],
  ordered: boolean,
  send: () => Promise<Counts>,
): Promise<Going> {
  const { ledger } = writer.books;
  const write = { what: `${what} of ${writer.view.owner}`, steps: statements.map(({ step }) => step), ordered };
  ledger.send(write);
  const outcome = await ask(writer.flight, what, send);
  if (outcome.kind === 'stopping') {
    // A call of one change is refused before it begins; of others some may be done.
    if (statements.length === 1 && (statements[0]?.step.changes.length ?? 0) < 2) ledger.refuse(write);
    return false;
  }
  if (outcome.kind === 'unknown') return false;
  const refused = outcome.kind === 'refused' ? refusalsOf(outcome.err, outcome.code) : new Map<number, number>();
  ledger.answer(write, refused);
  const counts = (outcome.kind === 'answered' ? outcome.reply : Reflect.get(outcome.err, 'result')) as
    | Counts
    | undefined;
  if (counts === undefined) return true;
  const expected = sumOf(statements, refused, ordered);
  for (const [name, value] of Object.entries(expected)) {
    const told = counts[`${name as keyof Told}Count`] ?? 0;
    demand(told === value, () => `${write.what} was answered with ${told} ${name}, it must be ${value}`);
  }
  return true;
}

function sendOne(docs: Collection<Content>, { operation }: Statement, options: object): Promise<Counts> {
  if ('insertOne' in operation)
    return docs.insertOne(operation.insertOne.document, options).then(() => ({ insertedCount: 1 }));
  if ('updateOne' in operation) {
    const { filter, update, upsert = false } = operation.updateOne;
    return docs.updateOne(filter, update, { ...options, upsert });
  }
  if ('replaceOne' in operation) {
    const { filter, replacement, upsert = false } = operation.replaceOne;
    return docs.replaceOne(filter, replacement, { ...options, upsert }).then((result) => result as Counts);
  }
  if ('updateMany' in operation)
    return docs.updateMany(operation.updateMany.filter, operation.updateMany.update, options);
  if ('deleteOne' in operation) return docs.deleteOne(operation.deleteOne.filter, options);
  return docs.deleteMany(operation.deleteMany.filter, options);
}

export const one: Call = (writer) => {
  const { random, view, db } = writer;
  const statement = someStatement(random, view, random.chance(0.1) ? undefined : random.pick(view.ids));
  const options = { writeConcern: concern(random) };
  const [what = 'write'] = Object.keys(statement.operation);
  return perform(writer, what, [statement], true, () => sendOne(db.collection('docs'), statement, options));
};

export const bulk: Call = (writer) => {
  const { random, view, db } = writer;
  const ordered = random.chance(0.5);
  const statements = someStatements(random, view, random.between(2, 30), ordered);
  const options = { ordered, writeConcern: concern(random) };
  return perform(writer, `${ordered ? 'ordered' : 'unordered'} bulkWrite`, statements, ordered, () =>
    db.collection<Content>('docs').bulkWrite(
      statements.map(({ operation }) => operation),
      options,
    ),
  );
};

export const insertMany: Call = (writer) => {
  const { random, view, db } = writer;
  const ordered = random.chance(0.5);
  const absent = view.ids.filter((id) => view.get(id) === undefined || random.chance(0.05));
  const ids = absent.slice(0, random.between(1, 20));
  const statements = (ids.length > 0 ? ids : view.ids.slice(0, 1)).map((id) => insertion(random, view, id));
  const documents = statements.flatMap(({ operation }) =>
    'insertOne' in operation ? [operation.insertOne.document as Content] : [],
  );
  const options = { ordered, writeConcern: concern(random) };
  return perform(writer, 'insertMany', statements, ordered, () =>
    db.collection<Content>('docs').insertMany(documents, options),
  );
};

/** The document comes back as it was or as it is. */
export const findAndModify: Call = async (writer) => {
  const { random, view, db, books, flight } = writer;
  const tag = `t${random.between(0, 6)}`;
  const found = view.ids.flatMap((id) => view.get(id) ?? []).filter((content) => content['tag'] === tag);
  const byId = random.chance(0.6);
  // By a tag it is the first in an order that leaves no doubt.
  const rank = ({ n, _id }: Content) => [Number(n), _id] as const;
  const [first] = found.sort((a, b) => rank(a)[0] - rank(b)[0] || (a._id < b._id ? -1 : 1));
  const id = byId ? random.pick(view.ids) : (first?._id ?? '');
  const before = view.get(id);
  const filter = byId ? { _id: id } : { owner: view.owner, tag };
  const sort = { n: 1, _id: 1 } as const;
  const removes = random.chance(0.2);
  const upsert = byId && random.chance(0.5);
  const update = someModifiers(random, before, view.owner);
  const none = before === undefined && (removes || !upsert);
  const after = removes || none ? undefined : updated(before, id, update);
  const contends = after?.['slot'] !== undefined && after['slot'] !== before?.['slot'];
  const step: Step = none
    ? { changes: [] }
    : { changes: [{ key: keyOf(view.collection, id), after }], mayCollide: contends };
  const write = { what: `findAndModify of ${view.owner}`, steps: [step], ordered: true };
  const returnDocument = random.pick(['before', 'after'] as const);
  const docs = db.collection<Content>('docs');
  const options = { sort, writeConcern: concern(random) };
  books.ledger.send(write);
  const outcome = await ask(flight, 'findAndModify', () =>
    removes
      ? docs.findOneAndDelete(filter, options)
      : docs.findOneAndUpdate(filter, asFilter(update), { ...options, upsert, returnDocument }),
  );
  if (outcome.kind === 'stopping') books.ledger.refuse(write);
  if (outcome.kind === 'stopping' || outcome.kind === 'unknown') return false;
  books.ledger.answer(write, outcome.kind === 'refused' ? new Map([[0, outcome.code]]) : new Map());
  if (outcome.kind === 'refused') return true;
  const expected = canonical(removes || returnDocument === 'before' ? before : after);
  demand(
    canonical((outcome.reply as Content | null) ?? undefined) === expected,
    () => `${write.what} (${removes ? 'remove' : returnDocument}) told another document than ${id}`,
  );
  return true;
};
