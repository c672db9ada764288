import { changedFields } from '../bson/changed-fields.js';
import { checkDocumentSize } from '../bson/document-size.js';
import { encodeKey, longestExactKey, storedKey, successor } from '../bson/key-encoding.js';
import { toText } from '../bson/to-text.js';
import { type BsonValue, bsonType, documentValue, getField } from '../bson/value.js';
import { writeFields } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import type { Collection, Index } from './catalogue.js';
import { costOfNoting, noteWrite } from './index-build.js';
import { indexKeys, valuesUnder } from './index-keys.js';
import { readsAny } from './index-roots.js';
import { entryBytes, freedBytes } from './room-budget.js';
import { dataKey, idBytes, readRecord, recordBytes, type Store, writeRecord } from './store.js';

const nothing = Buffer.alloc(0);
const idName = Buffer.from('_id');

export function idOf(document: Buffer): BsonValue {
  const id = getField(documentValue(document), idName);
  if (id === undefined) throw new CommandError(code.internal, 'a stored document has no _id');
  return id;
}

export function idKey(collection: Collection, id: BsonValue): Buffer {
  return Buffer.concat([idBytes(collection.id), storedKey(encodeKey(id))]);
}

/** The key of an index entry. */
function entryKey(index: Index, key: Buffer, record: number): Buffer {
  const end = 4 + key.length;
  const entry = Buffer.allocUnsafe(end + 8);
  entry.writeUInt32BE(index.id);
  key.copy(entry, 4);
  writeRecord(entry, record, end);
  return entry;
}

/** The key of an index entry without its record id. */
export function entryPrefix(index: Index, key: Buffer): Buffer {
  return Buffer.concat([idBytes(index.id), key]);
}

export function recordOfId(store: Store, collection: Collection, id: BsonValue): number | undefined {
  const found = store.ids.get(idKey(collection, id));
  return found && readRecord(found, 0);
}

export function getRecord(store: Store, collection: Collection, record: number): Buffer | undefined {
  return store.data.get(dataKey(collection.id, record));
}

/** The refusal of a document for a key that another one has. @param key of several that the document has */
export function duplicate(collection: Collection, index: Index, document: Buffer, key?: Buffer): CommandError {
  const values = valuesUnder(index, documentValue(document), key);
  const shown = values.map(([name, value]) => `${name}: ${toText(value)}`);
  const namespace = `${collection.database}.${collection.name}`;
  return new CommandError(
    code.duplicateKey,
    `E11000 duplicate key error collection: ${namespace} index: ${index.name} dup key: { ${shown.join(', ')} }`,
    { keyPattern: index.pattern, keyValue: writeFields(values) },
  );
}

function checkUnique(
  store: Store,
  collection: Collection,
  index: Index,
  keys: Buffer[],
  record: number,
  document: Buffer,
): void {
  if (!index.unique) return;
  for (const key of keys) {
    if (otherRecord(store, index, key, record) !== undefined) {
      throw duplicate(collection, index, document, key);
    }
  }
}

/** Another record under a key than this one. */
export function otherRecord(store: Store, index: Index, key: Buffer, record: number): number | undefined {
  const prefix = entryPrefix(index, key);
  for (const entry of store.index.getKeys({ start: prefix, end: successor(prefix) ?? Buffer.of(0xff), limit: 2 })) {
    const found = readRecord(entry, entry.length - 8);
    if (found !== record) return found;
  }
  return undefined;
}

export function removeKeys(store: Store, index: Index, keys: readonly Buffer[], record: number): void {
  for (const key of keys) store.index.removeSync(entryKey(index, key, record));
}

export function putKeys(
  store: Store,
  collection: Collection,
  index: Index,
  keys: Buffer[],
  multikey: boolean,
  record: number,
) {
  for (const key of keys) {
    store.index.putSync(entryKey(index, key, record), nothing);
    if (key.length > longestExactKey && !index.inexact) {
      index.inexact = true;
      store.catalogue.touch(collection);
    }
  }
  if (multikey && !index.multikey) {
    index.multikey = true;
    store.catalogue.touch(collection);
  }
}

function secondary(collection: Collection): Index[] {
  return collection.indexes.filter((index) => !index.isIdIndex);
}

/** Asks for the room that a change of one document takes. */
function spend(
  store: Store,
  collection: Collection,
  change: {
    document: Buffer | undefined;
    before: Buffer | undefined;
    entered: readonly Buffer[];
    removed: readonly Buffer[];
    ids: number;
  },
): void {
  const { document, before, entered, removed, ids } = change;
  let index = entered.length + removed.length;
  let bytes = store.catalogue.costOfTouching(collection) + ids * entryBytes(longestExactKey);
  if (document !== undefined) bytes += entryBytes(12, document.length);
  if (before !== undefined) bytes += freedBytes(before.length);
  for (const key of entered) bytes += entryBytes(12 + key.length);
  for (const build of collection.builds) {
    const cost = costOfNoting(build, before, document);
    index += cost.index;
    bytes += cost.bytes;
  }
  // a new document stands behind all others
  store.spend({ data: before === undefined ? 0 : 1, ids, index, bytes });
}

/** Tells those who have to know what was written: index builds, and searches under way. */
function tell(
  store: Store,
  collection: Collection,
  record: number,
  before: Buffer | undefined,
  after: Buffer | undefined,
): void {
  store.totals.change(before === undefined ? 'inserted' : after === undefined ? 'removed' : 'updated');
  for (const build of collection.builds) noteWrite(store, collection, build, record, before, after);
  for (const watcher of collection.watchers) watcher(record, after);
}

export function checkId(id: BsonValue): void {
  const name = { [bsonType.array]: 'array', [bsonType.regex]: 'regex', [bsonType.undefined]: 'undefined' }[id.type];
  if (name !== undefined) {
    throw new CommandError(code.invalidId, `The '_id' value cannot be of type ${name}`);
  }
}

/** Stores a new document, which has its `_id`. All checks come before the first write. @throws 11000, 171, 10334, 53 */
export function insertRecord(store: Store, collection: Collection, document: Buffer): void {
  checkDocumentSize(document);
  const id = idOf(document);
  checkId(id);
  const key = idKey(collection, id);
  const [primary] = collection.indexes;
  if (store.ids.get(key) !== undefined && primary !== undefined) throw duplicate(collection, primary, document);
  const record = collection.nextRecord;
  const entries = secondary(collection).map((index) => ({ index, ...indexKeys(index, documentValue(document)) }));
  for (const { index, keys } of entries) checkUnique(store, collection, index, keys, record, document);
  const entered = entries.flatMap(({ keys }) => keys);
  spend(store, collection, { document, entered, removed: [], ids: 1, before: undefined });
  collection.nextRecord++;
  collection.count++;
  store.catalogue.touch(collection);
  store.data.putSync(dataKey(collection.id, record), document);
  store.ids.putSync(key, recordBytes(record));
  if (primary !== undefined && key.length > longestExactKey + 4) primary.inexact = true;
  for (const { index, keys, multikey } of entries) putKeys(store, collection, index, keys, multikey, record);
  tell(store, collection, record, undefined, document);
}

/** Replaces a document by another with the same `_id`. All checks come before the first write. */
export function replaceRecord(
  store: Store,
  collection: Collection,
  record: number,
  before: Buffer,
  after: Buffer,
): void {
  checkDocumentSize(after);
  const changed = changedFields(documentValue(before), documentValue(after));
  const entries = secondary(collection)
    .filter((index) => changed === undefined || readsAny(index, changed))
    .map((index) => {
      const old = new Map(indexKeys(index, documentValue(before)).keys.map((key) => [key.toString('latin1'), key]));
      const { keys, multikey } = indexKeys(index, documentValue(after));
      const added = keys.filter((key) => !old.delete(key.toString('latin1')));
      return { index, added, removed: [...old.values()], multikey };
    });
  for (const { index, added } of entries) checkUnique(store, collection, index, added, record, after);
  const entered = entries.flatMap(({ added }) => added);
  const removed = entries.flatMap((entry) => entry.removed);
  spend(store, collection, { document: after, entered, removed, ids: 0, before });
  store.data.putSync(dataKey(collection.id, record), after);
  for (const { index, added, removed, multikey } of entries) {
    removeKeys(store, index, removed, record);
    putKeys(store, collection, index, added, multikey, record);
  }
  tell(store, collection, record, before, after);
}

export function removeRecord(store: Store, collection: Collection, record: number, document: Buffer): void {
  const entries = secondary(collection).map((index) => ({ index, ...indexKeys(index, documentValue(document)) }));
  const removed = entries.flatMap(({ keys }) => keys);
  spend(store, collection, { document: undefined, entered: [], removed, ids: 1, before: document });
  for (const { index, keys } of entries) removeKeys(store, index, keys, record);
  store.ids.removeSync(idKey(collection, idOf(document)));
  store.data.removeSync(dataKey(collection.id, record));
  collection.count--;
  store.catalogue.touch(collection);
  tell(store, collection, record, document, undefined);
}
