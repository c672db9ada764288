import { longestExactKey } from '../bson/key-encoding.js';
import { checkDocument, documentValue } from '../bson/value.js';
import { CommandError } from '../errors.js';
import type { Collection } from './catalogue.js';
import { indexKeys } from './index-keys.js';
import { entryPrefix, idKey, idOf, otherRecord } from './records.js';
import { dataKey, idBytes, readRecord, recordBytes, type Store } from './store.js';

const mostFaults = 100;

function verifyCollection(store: Store, collection: Collection, report: (fault: string) => void): number {
  const name = `${collection.database}.${collection.name}`;
  const range = { start: idBytes(collection.id), end: idBytes(collection.id + 1) };
  const expected = new Map(collection.indexes.map((index) => [index, 0]));
  let documents = 0;
  for (const { key, value } of store.data.getRange(range)) {
    const record = readRecord(key, 4);
    documents++;
    try {
      checkDocument(documentValue(value));
      const found = store.ids.get(idKey(collection, idOf(value)));
      if (found === undefined || readRecord(found, 0) !== record)
        report(`${name}: record ${record} is not under its _id`);
      if (record >= collection.nextRecord) report(`${name}: record ${record} will be given again`);
      for (const index of collection.indexes) {
        if (index.isIdIndex) continue;
        const { keys, multikey } = indexKeys(index, documentValue(value));
        if (multikey && !index.multikey) report(`${name}: index ${index.name} does not know of its arrays`);
        expected.set(index, (expected.get(index) ?? 0) + keys.length);
        for (const one of keys) {
          const entry = Buffer.concat([entryPrefix(index, one), recordBytes(record)]);
          if (!store.index.doesExist(entry)) report(`${name}: record ${record} is missing in index ${index.name}`);
          if (one.length > longestExactKey && !index.inexact)
            report(`${name}: index ${index.name} does not know of its long keys`);
          if (index.unique && otherRecord(store, index, one, record) !== undefined)
            report(`${name}: record ${record} has a key in the unique index ${index.name} that another one has`);
        }
      }
    } catch (err) {
      if (!(err instanceof CommandError)) throw err;
      report(`${name}: record ${record} is damaged: ${err.message}`);
    }
  }
  if (documents !== collection.count) report(`${name}: ${documents} documents, ${collection.count} counted`);
  let ids = 0;
  for (const { value } of store.ids.getRange(range)) {
    ids++;
    if (!store.data.doesExist(dataKey(collection.id, readRecord(value, 0))))
      report(`${name}: an _id leads to no record`);
  }
  if (ids !== documents) report(`${name}: ${ids} entries of _id for ${documents} documents`);
  for (const index of collection.indexes) {
    if (index.isIdIndex) continue;
    const entries = store.index.getKeysCount({ start: idBytes(index.id), end: idBytes(index.id + 1) });
    const wanted = expected.get(index) ?? 0;
    if (entries !== wanted) report(`${name}: index ${index.name} has ${entries} entries instead of ${wanted}`);
  }
  return documents;
}

/** What no collection or index has is garbage, and nothing that one has is. */
function verifyIds(store: Store, report: (fault: string) => void): void {
  const { garbage } = store.catalogue;
  const collections = store.catalogue.all();
  const ids = collections.map(({ id }) => id);
  const indexes = collections.flatMap((collection) => collection.indexes.filter((index) => !index.isIdIndex));
  const owned = { data: ids, ids, index: indexes.map(({ id }) => id) };
  for (const id of [...ids, ...owned.index]) if (garbage.has(id)) report(`what is in use under ${id} is to be removed`);
  for (const table of ['data', 'ids', 'index'] as const) {
    const known = new Set([...owned[table], ...garbage]);
    let [key] = store[table].getKeys({ limit: 1 });
    while (key !== undefined) {
      const id = key.readUInt32BE();
      if (!known.has(id)) report(`the table ${table} holds what belongs to nothing, under ${id}`);
      [key] = store[table].getKeys({ start: idBytes(id + 1), limit: 1 });
    }
  }
}

/** Checks every document against every index and back, and that there is nothing else. */
export function verifyStore(store: Store): { documents: number; faults: string[] } {
  const faults: string[] = [];
  let documents = 0;
  const report = (fault: string) => {
    if (faults.length < mostFaults) faults.push(fault);
  };
  for (const collection of store.catalogue.all()) documents += verifyCollection(store, collection, report);
  verifyIds(store, report);
  return { documents, faults };
}
