import { statfs } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { documentValue } from '../bson/value.js';
import { writeDocument } from '../bson/write.js';
import { parseFilter } from '../query/filter.js';
import { matchesFilter } from '../query/match.js';
import { checkDeadline } from '../query/pipeline.js';
import type { Collection } from '../storage/catalogue.js';
import { idBytes, type Table } from '../storage/store.js';
import { type Context, findCollection, type Reply } from './context.js';
import { checkAdmin } from './diagnostics.js';

const pageKeys = 1_000;
const turnMs = 10;

/** Bytes, counted when asked for: what the values and the keys to them take, without LMDB's own pages. */
interface Sizes {
  documents: number;
  keys: number;
  indexes: Record<string, number>;
}

async function measureRange(context: Context, table: Table, id: number): Promise<{ keys: number; values: number }> {
  const sum = { keys: 0, values: 0 };
  const end = idBytes(id + 1);
  let start = idBytes(id);
  let turn = performance.now();
  for (;;) {
    context.server.store.checkOpen();
    let read = 0;
    for (const { key, value } of table.getRange({ start, end, exclusiveStart: true, limit: pageKeys })) {
      sum.keys += key.length;
      sum.values += value.length;
      start = key;
      read++;
    }
    if (read < pageKeys) return sum;
    if (performance.now() - turn <= turnMs) continue;
    checkDeadline(context.deadline);
    await nextTurn();
    turn = performance.now();
  }
}

async function measure(context: Context, collection: Collection): Promise<Sizes> {
  const { store } = context.server;
  const { keys, values } = await measureRange(context, store.data, collection.id);
  const indexes: Record<string, number> = {};
  for (const index of collection.indexes) {
    const { isIdIndex } = index;
    const size = await measureRange(context, isIdIndex ? store.ids : store.index, isIdIndex ? collection.id : index.id);
    indexes[index.name] = size.keys + size.values;
  }
  return { documents: values, keys, indexes };
}

function sumOf(numbers: Iterable<number>): number {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
}

/** What `collStats` and the stage `$collStats` tell of a collection, zeros of one that is not there. */
export async function storageStats(context: Context, collection: Collection | undefined, scale = 1): Promise<Reply> {
  const sizes = collection === undefined ? undefined : await measure(context, collection);
  const count = collection?.count ?? 0;
  const scaled = (bytes: number) => Math.trunc(bytes / scale);
  const { documents = 0, keys = 0, indexes = {} } = sizes ?? {};
  const totalIndexSize = sumOf(Object.values(indexes));
  return {
    size: scaled(documents),
    count,
    avgObjSize: count === 0 ? undefined : Math.trunc(documents / count),
    numOrphanDocs: 0,
    storageSize: scaled(documents + keys),
    freeStorageSize: 0,
    capped: false,
    nindexes: collection?.indexes.length ?? 0,
    indexBuilds: [],
    totalIndexSize: scaled(totalIndexSize),
    totalSize: scaled(documents + keys + totalIndexSize),
    indexSizes: Object.fromEntries(Object.entries(indexes).map(([name, bytes]) => [name, scaled(bytes)])),
    scaleFactor: scale,
  };
}

export async function collStats(context: Context): Promise<Reply> {
  const { args, database } = context;
  const name = args.value('collStats') === undefined ? args.text('collstats') : args.text('collStats');
  const scale = args.count('scale', 1) ?? 1;
  args.finish();
  const stats = await storageStats(context, name === undefined ? undefined : findCollection(context, name), scale);
  return { ns: `${database}.${name ?? ''}`, ...stats };
}

async function measureDatabase(context: Context, database: string) {
  const collections = context.server.store.catalogue.all().filter((collection) => collection.database === database);
  const sum = { collections: collections.length, objects: 0, data: 0, storage: 0, indexes: 0, indexBytes: 0 };
  for (const collection of collections) {
    const { documents, keys, indexes } = await measure(context, collection);
    sum.objects += collection.count;
    sum.data += documents;
    sum.storage += documents + keys;
    sum.indexes += collection.indexes.length;
    sum.indexBytes += sumOf(Object.values(indexes));
  }
  return sum;
}

export async function dbStats(context: Context): Promise<Reply> {
  const { args, database, server } = context;
  const scale = args.count('scale', 1) ?? 1;
  args.flag('freeStorage');
  args.finish();
  const { collections, objects, data, storage, indexes, indexBytes } = await measureDatabase(context, database);
  const { bsize, blocks, bfree } = await statfs(server.store.path);
  const scaled = (bytes: number) => bytes / scale;
  return {
    db: database,
    collections,
    views: 0,
    objects,
    avgObjSize: objects === 0 ? 0 : data / objects,
    dataSize: scaled(data),
    storageSize: scaled(storage),
    indexes,
    indexSize: scaled(indexBytes),
    totalSize: scaled(storage + indexBytes),
    scaleFactor: scale,
    fsUsedSize: scaled((blocks - bfree) * bsize),
    fsTotalSize: scaled(blocks * bsize),
  };
}

export async function listDatabases(context: Context): Promise<Reply> {
  const { args, server } = context;
  checkAdmin(context);
  const nameOnly = args.flag('nameOnly');
  const filter = parseFilter(args.documentOrEmpty('filter'));
  args.flags('authorizedDatabases');
  args.finish();
  const names = [...new Set(server.store.catalogue.all().map((collection) => collection.database))].sort();
  const databases: Buffer[] = [];
  let total = 0;
  for (const name of names) {
    const sizes = nameOnly ? undefined : await measureDatabase(context, name);
    const sizeOnDisk = sizes === undefined ? 0 : sizes.storage + sizes.indexBytes;
    const entry = writeDocument(nameOnly ? { name } : { name, sizeOnDisk: BigInt(sizeOnDisk), empty: false });
    if (!matchesFilter(filter, documentValue(entry))) continue;
    databases.push(entry);
    total += sizeOnDisk;
  }
  if (nameOnly) return { databases };
  return { databases, totalSize: BigInt(total), totalSizeMb: BigInt(Math.trunc(total / 2 ** 20)) };
}
