import { type Db, type Long, MongoClient } from 'mongodb';
import { seeded } from '../support/seeded.js';
import { failureOf } from './document-store-ask.js';
import type { Books } from './document-store-calls.js';
import { compare } from './document-store-compare.js';
import { type Content, someFields } from './document-store-content.js';
import { contended, expiring, expiry, oftenExpiring, openIndexes } from './document-store-indexes.js';
import { keyOf, openLedger } from './document-store-ledger.js';
import type { OpenCursor } from './document-store-readers.js';
import { openShared } from './document-store-shared.js';
import { isStore, type Store, startStore, tellEnd, verifyStore } from './server-process.js';
import { demand, Violation } from './violation.js';

/** A server that is up on the life's data, with the clients of this process. */
export interface Running {
  readonly store: Store;
  readonly dbs: readonly Db[];
  /** Closes the clients; calls that still wait fail. */
  readonly leave: () => Promise<void>;
}

/** One data directory through many starts and ends, and what was sent to it. */
export interface Life {
  readonly dataDir: string;
  readonly books: Books;
  readonly still: Map<string, Set<string>>;
  running: Running | undefined;
}

export const database = 'torture';
const clients = 4;
const stillDocuments = { docs: 200, wide: 1_500 };

export function openLife(dataDir: string): Life {
  let position = 100;
  const nextPosition = () => ++position;
  const books = { ledger: openLedger(), shared: openShared(), indexes: openIndexes(), expiring: 0, nextPosition };
  return { dataDir, books, still: new Map(), running: undefined };
}

/** Starts the server on a life's data. @throws Violation when it does not start */
export async function begin(life: Life): Promise<Running> {
  const store = await startStore('document-store', life.dataDir, { args: oftenExpiring });
  if (!isStore(store)) throw new Violation(`the store does not start on data that nobody damaged: ${tellEnd(store)}`);
  const all = Array.from(
    { length: clients },
    () =>
      new MongoClient(store.connectionString, {
        maxPoolSize: 8,
        retryWrites: false,
        retryReads: false,
        promoteLongs: false,
        socketTimeoutMS: 30_000,
        serverSelectionTimeoutMS: 10_000,
      }),
  );
  const leave = async () => {
    await Promise.all(all.map((client) => client.close(true)));
  };
  life.running = { store, dbs: all.map((client) => client.db(database)), leave };
  if (life.still.size === 0) await fill(life, life.running);
  return life.running;
}

/** Stores the documents that nobody changes, and makes the indexes that always stand. */
async function fill({ books, still }: Life, { dbs }: Running): Promise<void> {
  await dbs[0]?.collection(expiring).createIndex(expiry.pattern, { ...expiry.options, name: expiry.name });
  for (const [collection, count] of Object.entries(stillDocuments)) {
    const random = seeded('still', collection);
    const documents = Array.from({ length: count }, (_, at): Content => {
      const { slot, ...fields } = someFields(random, 'still');
      // In the wide collection slots repeat, so that it never gets an index by which they are unique.
      return { _id: `still-${at}`, ...fields, ...(collection === 'wide' ? { slot: at % 9 } : {}), text: `${at}` };
    });
    const steps = documents.map((after) => ({ changes: [{ key: keyOf(collection, after._id), after }] }));
    const write = { what: `filling ${collection}`, steps, ordered: true };
    books.ledger.send(write);
    await dbs[0]?.collection<Content>(collection).insertMany(documents);
    books.ledger.answer(write, new Map());
    still.set(collection, new Set(documents.map(({ _id }) => _id)));
    // Without it every statement about an owner's documents would read all of them.
    const own = books.indexes.send(collection, 'own', true);
    await dbs[0]?.collection(collection).createIndex({ owner: 1, n: 1 }, { name: 'own' });
    own.answered(true);
    if (collection !== 'docs') continue;
    const slot = books.indexes.send(collection, contended.name, true);
    await dbs[0]?.collection(collection).createIndex(contended.pattern, { ...contended.options, name: contended.name });
    slot.answered(true);
  }
}

/** Ends the server of a life, with notice or without. @throws Violation when it does not end in order on notice */
export async function end(life: Life, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (life.running === undefined) return;
  const { store, leave } = life.running;
  life.running = undefined;
  const stopped = await store.stop(signal);
  await leave();
  demand(signal === 'SIGKILL' || stopped.code === 0, () => `on SIGTERM the store ended with ${tellEnd(stopped)}`);
}

/** Has `--verify` look at the closed directory. @returns how many documents it counts @throws Violation */
export async function verify({ dataDir }: Life): Promise<number> {
  const { code, signal, stdout, stderr } = await verifyStore('document-store', dataDir);
  const [, documents] = /^(\d+) documents, 0 faults\n$/.exec(stdout) ?? [];
  const told = () => `--verify ended with ${tellEnd({ code, signal, stderr })} and said: ${stdout.trim()}`;
  if (code !== 0 || documents === undefined) throw new Violation(told());
  return Number(documents);
}

/** Compares everything that is stored with what was sent. @returns how many documents there are @throws Violation */
export async function settle({ books, running }: Life): Promise<number> {
  const [db] = running?.dbs ?? [];
  if (db === undefined) throw new Error('The store of this life is not running.');
  return compare(db, books);
}

/** Asks for more of cursors of a server that is gone. @throws Violation unless each is answered with CursorNotFound */
export async function askDeadCursors({ running }: Life, cursors: Iterable<OpenCursor>): Promise<number> {
  const [db] = running?.dbs ?? [];
  let asked = 0;
  for (const { id, collection } of cursors) {
    const code = await failureOf(db?.command({ getMore: id as Long, collection, batchSize: 5 }));
    demand(code === 43, () => `getMore on a cursor of before the end was answered with ${code ?? 'documents'}`);
    asked += 1;
  }
  return asked;
}
