import { checkDocument, documentValue } from '../bson/value.js';
import { CommandError } from '../errors.js';
import type { Collection } from './catalogue.js';
import { indexKeys } from './index-keys.js';
import { entryPrefix, idKey, idOf } from './records.js';
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
      for (const index of collection.indexes) {
        if (index.isIdIndex) continue;
        const { keys } = indexKeys(index, documentValue(value));
        expected.set(index, (expected.get(index) ?? 0) + keys.length);
        for (const one of keys) {
          const entry = Buffer.concat([entryPrefix(index, one), recordBytes(record)]);
          if (!store.index.doesExist(entry)) report(`${name}: record ${record} is missing in index ${index.name}`);
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

/** Checks every document against every index and back. */
export function verifyStore(store: Store): { documents: number; faults: string[] } {
  const faults: string[] = [];
  let documents = 0;
  for (const collection of store.catalogue.all()) {
    documents += verifyCollection(store, collection, (fault) => {
      if (faults.length < mostFaults) faults.push(fault);
    });
  }
  return { documents, faults };
}
