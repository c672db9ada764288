import { randomUUID } from 'node:crypto';
import type { Database } from 'lmdb';
import { type BsonValue, documentValue, fieldsOf } from '../bson/value.js';
import { writeDocument } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import { type Filter, parseFilter } from '../query/filter.js';
import { type Path, parsePath } from '../query/path.js';
import type { IndexBuild } from './index-build.js';
import { entryBytes } from './room-budget.js';
import type { Watcher } from './watch.js';

export interface IndexField {
  path: Path;
  descending: boolean;
}

/** An index as it runs; `_id_` lives in the `ids` table under the collection's id, the others in `index`. */
export interface Index {
  id: number;
  name: string;
  fields: IndexField[];
  /** the key pattern as the client wrote it */
  pattern: Buffer;
  isIdIndex: boolean;
  unique: boolean;
  sparse: boolean;
  partial: { source: Buffer; filter: Filter } | undefined;
  /** of a TTL index: documents go this long after the date under which they stand */
  expireAfterSeconds: number | undefined;
  /** some document has, or once had, an array on an indexed path */
  multikey: boolean;
  /** some key is, or once was, too long to be stored whole */
  inexact: boolean;
}

export interface Collection {
  id: number;
  database: string;
  name: string;
  uuid: string;
  indexes: Index[];
  /** indexes that are not ready yet */
  builds: IndexBuild[];
  /** documents */
  count: number;
  nextRecord: number;
  dropped: boolean;
  /** told of every document that is written */
  watchers: Set<Watcher>;
  /** length of its entry in the catalogue, when it was last written */
  storedBytes: number;
}

interface StoredIndex {
  id: number;
  name: string;
  pattern: string;
  unique: boolean;
  sparse: boolean;
  partial: string | null;
  /** absent in format 1, and where nothing expires */
  expireAfterSeconds?: number | undefined;
  multikey: boolean;
  inexact: boolean;
}

interface StoredCollection {
  id: number;
  database: string;
  name: string;
  uuid: string;
  count: number;
  nextRecord: number;
  indexes: StoredIndex[];
}

type Table = Database<Buffer, Buffer>;

const longestNamespace = 255;

const prefix = { collection: Buffer.from('c:'), garbage: Buffer.from('g:'), nextId: Buffer.from('next-id') };

function keyOf(kind: Buffer, id: number): Buffer {
  const key = Buffer.allocUnsafe(kind.length + 4);
  kind.copy(key);
  key.writeUInt32BE(id, kind.length);
  return key;
}

export function indexFields(pattern: Buffer): IndexField[] {
  return fieldsOf(documentValue(pattern)).map(([name, direction]) => ({
    path: parsePath(name),
    descending: direction.type === 16 ? direction.buffer.readInt32LE(direction.start) < 0 : isNegative(direction),
  }));
}

function isNegative(value: BsonValue): boolean {
  if (value.type === 18) return value.buffer.readBigInt64LE(value.start) < 0n;
  return value.type === 1 && value.buffer.readDoubleLE(value.start) < 0;
}

export function idIndex(): Index {
  const pattern = writeDocument({ _id: 1 });
  return {
    id: 0,
    name: '_id_',
    fields: indexFields(pattern),
    pattern,
    isIdIndex: true,
    unique: true,
    sparse: false,
    partial: undefined,
    expireAfterSeconds: undefined,
    multikey: false,
    inexact: false,
  };
}

function revive(stored: StoredIndex): Index {
  const pattern = Buffer.from(stored.pattern, 'base64');
  const partial = stored.partial === null ? undefined : Buffer.from(stored.partial, 'base64');
  return {
    ...stored,
    pattern,
    fields: indexFields(pattern),
    isIdIndex: stored.name === '_id_',
    partial: partial && { source: partial, filter: parseFilter(documentValue(partial)) },
    expireAfterSeconds: stored.expireAfterSeconds,
  };
}

/** @throws CommandError 73 for what cannot be the name of a collection, or of one that clients write to */
export function checkName(database: string, name: string): void {
  if (name === '' || name.includes('\0') || name.startsWith('.') || name.endsWith('.') || name.includes('$')) {
    throw new CommandError(code.invalidNamespace, `Invalid collection name specified '${database}.${name}'`);
  }
  if (name.startsWith('system.')) {
    throw new CommandError(code.invalidNamespace, `cannot write to '${database}.${name}'`);
  }
  if (Buffer.byteLength(`${database}.${name}`) > longestNamespace) {
    throw new CommandError(code.invalidNamespace, `a namespace is longer than ${longestNamespace} bytes`);
  }
}

/** Collections and indexes, in memory and in LMDB. What changes is written at the end of the transaction it changed in. */
export class Catalogue {
  private readonly collections = new Map<string, Collection>();
  private readonly changed = new Set<Collection>();
  private nextId = 1;
  /** ids of dropped collections and indexes whose records are still to be removed */
  readonly garbage = new Set<number>();

  constructor(private readonly table: Table) {
    this.load();
  }

  /** Reads all of it from disk again: at start, and after a transaction that did not commit. */
  load(): void {
    for (const collection of this.collections.values()) {
      collection.dropped = true;
      for (const build of collection.builds) build.end();
    }
    this.collections.clear();
    this.changed.clear();
    this.garbage.clear();
    const next = this.table.get(prefix.nextId);
    this.nextId = next === undefined ? 1 : next.readUInt32BE();
    for (const { key, value } of this.table.getRange({})) {
      const kind = key.subarray(0, 2);
      if (kind.equals(prefix.garbage)) this.garbage.add(key.readUInt32BE(2));
      if (!kind.equals(prefix.collection)) continue;
      const stored = JSON.parse(value.toString()) as StoredCollection;
      const collection = {
        ...stored,
        indexes: stored.indexes.map(revive),
        dropped: false,
        builds: [],
        watchers: new Set<Watcher>(),
        storedBytes: value.length,
      };
      this.collections.set(`${stored.database}.${stored.name}`, collection);
    }
  }

  find(database: string, name: string): Collection | undefined {
    return this.collections.get(`${database}.${name}`);
  }

  all(): Collection[] {
    return [...this.collections.values()];
  }

  newId(): number {
    const id = this.nextId++;
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt32BE(this.nextId);
    this.table.putSync(prefix.nextId, bytes);
    return id;
  }

  create(database: string, name: string): Collection {
    checkName(database, name);
    const collection: Collection = {
      id: this.newId(),
      database,
      name,
      uuid: randomUUID(),
      indexes: [idIndex()],
      count: 0,
      nextRecord: 1,
      dropped: false,
      builds: [],
      watchers: new Set(),
      storedBytes: 0,
    };
    this.collections.set(`${database}.${name}`, collection);
    this.changed.add(collection);
    return collection;
  }

  drop(collection: Collection): void {
    collection.dropped = true;
    this.collections.delete(`${collection.database}.${collection.name}`);
    this.changed.delete(collection);
    this.table.removeSync(keyOf(prefix.collection, collection.id));
    this.discard(collection.id);
    for (const index of collection.indexes) if (!index.isIdIndex) this.discard(index.id);
    for (const build of collection.builds) {
      for (const index of build.indexes) this.discard(index.id);
      build.end();
    }
  }

  /** Gives a collection another name; to those who hold it under the old one it is dropped. */
  rename(collection: Collection, database: string, name: string): void {
    const renamed = { ...collection, database, name, watchers: new Set<Watcher>() };
    collection.dropped = true;
    this.changed.delete(collection);
    this.collections.delete(`${collection.database}.${collection.name}`);
    this.collections.set(`${database}.${name}`, renamed);
    this.changed.add(renamed);
  }

  /** Leaves the records of a dropped collection or index to the sweeper. */
  discard(id: number): void {
    this.garbage.add(id);
    this.table.putSync(keyOf(prefix.garbage, id), Buffer.alloc(0));
  }

  discarded(id: number): void {
    this.garbage.delete(id);
    this.table.removeSync(keyOf(prefix.garbage, id));
  }

  /** Says on disk that what is written under an id is garbage unless it is `finished`. */
  markUnfinished(id: number): void {
    this.table.putSync(keyOf(prefix.garbage, id), Buffer.alloc(0));
  }

  finished(id: number): void {
    this.table.removeSync(keyOf(prefix.garbage, id));
  }

  /** The room that a collection's entry takes at the end of the transaction, if it is not to be written anyway. */
  costOfTouching(collection: Collection): number {
    return this.changed.has(collection) ? 0 : entryBytes(8, collection.storedBytes);
  }

  touch(collection: Collection): void {
    this.changed.add(collection);
  }

  /** Writes what changed; the last step inside a transaction. */
  flush(): void {
    for (const collection of this.changed) {
      const stored: StoredCollection = {
        id: collection.id,
        database: collection.database,
        name: collection.name,
        uuid: collection.uuid,
        count: collection.count,
        nextRecord: collection.nextRecord,
        indexes: collection.indexes.map((index) => ({
          id: index.id,
          name: index.name,
          pattern: index.pattern.toString('base64'),
          unique: index.unique,
          sparse: index.sparse,
          partial: index.partial?.source.toString('base64') ?? null,
          expireAfterSeconds: index.expireAfterSeconds,
          multikey: index.multikey,
          inexact: index.inexact,
        })),
      };
      const value = Buffer.from(JSON.stringify(stored));
      collection.storedBytes = value.length;
      this.table.putSync(keyOf(prefix.collection, collection.id), value);
    }
    this.changed.clear();
  }
}
