import { setImmediate as nextTurn } from 'node:timers/promises';
import { longestExactKey } from '../bson/key-encoding.js';
import { checkDocument, documentValue } from '../bson/value.js';
import { CommandError } from '../errors.js';
import type { Collection, Index } from './catalogue.js';
import { indexKeys } from './index-keys.js';
import { entryPrefix, idKey, idOf } from './records.js';
import { dataKey, idBytes, readRecord, recordBytes, type Store, type Table } from './store.js';

/** What a check found: documents, and the first hundred faults in words. */
export interface Verification {
  documents: number;
  faults: string[];
}

interface Check {
  store: Store;
  report(fault: string): void;
  /** told of every document that was looked at */
  counted(): void;
}

const mostFaults = 100;
const pageEntries = 1_000;
const pageBytes = 4 * 1024 * 1024;
const progressDocuments = 100_000;

const nameOf = (collection: Collection) => `${collection.database}.${collection.name}`;
const recordOf = (entry: Buffer) => readRecord(entry, entry.length - 8);

/** All entries under an id, a page at a time, between which others may work. */
async function* entriesOf(table: Table, id: number) {
  const end = idBytes(id + 1);
  let after: Buffer | undefined;
  for (;;) {
    const page: { key: Buffer; value: Buffer }[] = [];
    let bytes = 0;
    for (const entry of table.getRange({ start: after ?? idBytes(id), end, exclusiveStart: after !== undefined })) {
      page.push(entry);
      bytes += entry.value.length;
      if (page.length >= pageEntries || bytes >= pageBytes) break;
    }
    yield* page;
    if (page.length === 0) return;
    after = page.at(-1)?.key;
    await nextTurn();
  }
}

/**
 * Every document: whether it is well-formed, under its `_id`, and in every index under each of its keys.
 *
 * @returns how many entries each index must hold, if all are there
 */
async function checkDocuments(
  { store, report, counted }: Check,
  collection: Collection,
): Promise<Map<Index, number | undefined>> {
  const name = nameOf(collection);
  const wanted = new Map<Index, number | undefined>(collection.indexes.map((index) => [index, 0]));
  let documents = 0;
  for await (const { key, value } of entriesOf(store.data, collection.id)) {
    const record = readRecord(key, 4);
    documents++;
    if (record >= collection.nextRecord) report(`${name}: record ${record} is ahead of the catalogue`);
    try {
      checkDocument(documentValue(value));
      for (const index of collection.indexes) {
        const count = wanted.get(index);
        const keys = index.isIdIndex ? [] : keysOf({ store, report }, collection, index, record, value);
        const isThere = index.isIdIndex ? isUnderId(store, collection, record, value) : keys !== undefined;
        if (index.isIdIndex && !isThere) report(`${name}: record ${record} is not under its _id`);
        const entries = index.isIdIndex ? 1 : (keys?.length ?? 0);
        wanted.set(index, isThere && count !== undefined ? count + entries : undefined);
      }
    } catch (err) {
      if (!(err instanceof CommandError)) throw err;
      report(`${name}: record ${record} is damaged: ${err.message}`);
      for (const index of collection.indexes) wanted.set(index, undefined);
    }
    counted();
  }
  if (documents !== collection.count) report(`${name}: ${documents} documents, ${collection.count} counted`);
  return wanted;
}

function isUnderId(store: Store, collection: Collection, record: number, document: Buffer): boolean {
  const found = store.ids.get(idKey(collection, idOf(document)));
  return found !== undefined && readRecord(found, 0) === record;
}

/** A document's keys in an index; undefined when one of them is missing there. */
function keysOf(
  { store, report }: Pick<Check, 'store' | 'report'>,
  collection: Collection,
  index: Index,
  record: number,
  document: Buffer,
): Buffer[] | undefined {
  const { keys, multikey } = indexKeys(index, documentValue(document));
  if (multikey && !index.multikey) report(`${nameOf(collection)}: index ${index.name} does not know of arrays`);
  if (!index.inexact && keys.some((key) => key.length > longestExactKey)) {
    report(`${nameOf(collection)}: index ${index.name} does not know of its long keys`);
  }
  const missing = keys.some(
    (key) => !store.index.doesExist(Buffer.concat([entryPrefix(index, key), recordBytes(record)])),
  );
  if (missing) report(`${nameOf(collection)}: record ${record} is missing in index ${index.name}`);
  return missing ? undefined : keys;
}

/**
 * Every `_id`. Where all documents are under theirs and there are no more than documents, none can be wrong; else each is
 * looked up.
 */
async function checkIds({ store, report }: Check, collection: Collection, wanted: number | undefined): Promise<void> {
  const name = nameOf(collection);
  let entries = 0;
  for await (const _ of entriesOf(store.ids, collection.id)) entries++;
  if (entries === wanted) return;
  if (wanted !== undefined) report(`${name}: ${entries} entries of _id for ${wanted} documents`);
  for await (const { key, value } of entriesOf(store.ids, collection.id)) {
    const record = readRecord(value, 0);
    const document = store.data.get(dataKey(collection.id, record));
    if (document === undefined) report(`${name}: an _id leads to record ${record}, which is not there`);
    else if (!isSound(() => idKey(collection, idOf(document)).equals(key))) {
      report(`${name}: an _id leads to record ${record}, which has another one`);
    }
  }
}

/** Every entry of an index, in the same way; and whether a unique one holds a key twice. */
async function checkEntries(
  { store, report }: Check,
  collection: Collection,
  index: Index,
  wanted: number | undefined,
): Promise<void> {
  const name = `${nameOf(collection)}: index ${index.name}`;
  let entries = 0;
  let before: Buffer | undefined;
  for await (const { key: entry } of entriesOf(store.index, index.id)) {
    entries++;
    if (!index.unique) continue;
    const key = entry.subarray(0, entry.length - 8);
    if (before?.equals(key) === true) report(`${name} is unique and holds a key of record ${recordOf(entry)} twice`);
    before = Buffer.from(key);
  }
  if (entries === wanted) return;
  if (wanted !== undefined) report(`${name} has ${entries} entries instead of ${wanted}`);
  for await (const { key: entry } of entriesOf(store.index, index.id)) {
    const record = recordOf(entry);
    const key = entry.subarray(0, entry.length - 8);
    const document = store.data.get(dataKey(collection.id, record));
    const stands = (bytes: Buffer) =>
      indexKeys(index, documentValue(bytes)).keys.some((one) => entryPrefix(index, one).equals(key));
    if (document === undefined) report(`${name} leads to record ${record}, which is not there`);
    else if (!isSound(() => stands(document)))
      report(`${name} holds record ${record} under a key that it does not have`);
  }
}

/** A damaged document is told of where documents are checked. */
function isSound(test: () => boolean): boolean {
  try {
    return test();
  } catch (err) {
    if (err instanceof CommandError) return true;
    throw err;
  }
}

/** Entries of collections and indexes that the catalogue does not know, and that do not wait to be swept. */
function checkStrays({ store, report }: Check): void {
  const collections = store.catalogue.all();
  const indexes = collections.flatMap((collection) => collection.indexes);
  for (const { id } of [...collections, ...indexes]) {
    if (store.catalogue.garbage.has(id)) report(`what is in use under the number ${id} is to be removed`);
  }
  const look = (table: Table, what: string, known: ReadonlySet<number>) => {
    for (let start = 0; start <= 0xffffffff; ) {
      const [first] = table.getKeys({ start: idBytes(start), limit: 1 });
      if (first === undefined) return;
      const id = first.readUInt32BE(0);
      if (!known.has(id) && !store.catalogue.garbage.has(id)) {
        report(`the table of ${what} holds entries under the number ${id}, which nothing has`);
      }
      start = id + 1;
    }
  };
  const numbers = (things: { id: number }[]) => new Set(things.map(({ id }) => id));
  look(store.data, 'documents', numbers(collections));
  look(store.ids, '_ids', numbers(collections));
  look(store.index, 'indexes', numbers(indexes.filter((index) => !index.isIdIndex)));
}

/**
 * Checks every document against every index and back, counts, and what belongs to nothing. It holds a page of entries at
 * a time.
 *
 * @param progress told now and then of how many documents were checked
 */
export async function verifyStore(
  store: Store,
  progress: (documents: number) => void = () => {},
): Promise<Verification> {
  const faults: string[] = [];
  let documents = 0;
  const check: Check = {
    store,
    report(fault) {
      if (faults.length < mostFaults) faults.push(fault);
    },
    counted() {
      if (++documents % progressDocuments === 0) progress(documents);
    },
  };
  for (const collection of store.catalogue.all()) {
    const wanted = await checkDocuments(check, collection);
    for (const [index, entries] of wanted) {
      if (index.isIdIndex) await checkIds(check, collection, entries);
      else await checkEntries(check, collection, index, entries);
    }
  }
  checkStrays(check);
  return { documents, faults };
}
