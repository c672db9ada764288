import { documentValue } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import type { Collection, Index } from './catalogue.js';
import { indexKeys } from './index-keys.js';
import { duplicate, entryPrefix, getRecord, otherRecord, putKeys, removeKeys } from './records.js';
import { type Cost, entryBytes, RoomNeeded } from './room-budget.js';
import { dataKey, idBytes, readRecord, type Store } from './store.js';

/**
 * Indexes that are being built: nobody finds by them yet, but every write keeps them. The build goes through the
 * collection in pieces, a transaction each; a document that was written meanwhile stands in them already, and entering
 * it again changes nothing.
 *
 * What would refuse a write if the index were ready is only noted: the write is right as long as the index is not
 * there. At the end what was noted is looked at again, and is the build's fault if it still holds.
 *
 * On disk their ids are marked as garbage from the beginning: what a crash leaves behind is swept after the restart.
 */
export interface IndexBuild {
  readonly indexes: readonly Index[];
  /** the first record that was not looked at */
  next: number;
  /** keys of unique indexes that two documents had at one time */
  readonly suspects: Map<string, { index: Index; key: Buffer }>;
  /** documents that could not be entered at one time */
  readonly skipped: Set<number>;
  state: 'building' | 'ready' | 'aborted';
  /** resolves when it is over, however it ended */
  readonly over: Promise<void>;
  readonly end: () => void;
}

const turnMs = 10;
const mostNotes = 1_000;

const aborted = () =>
  new CommandError(code.indexBuildAborted, 'the index build was aborted: what it was for was dropped');

/** Begins to build indexes, inside a transaction; none of them is ready before `buildPiece` says so. */
export function beginBuild(store: Store, collection: Collection, specs: readonly Omit<Index, 'id'>[]): IndexBuild {
  let end = () => {};
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  const indexes = specs.map((spec) => ({ ...spec, id: store.catalogue.newId() }));
  for (const { id } of indexes) store.catalogue.markUnfinished(id);
  const build: IndexBuild = {
    indexes,
    next: 0,
    suspects: new Map(),
    skipped: new Set(),
    state: 'building',
    over,
    end,
  };
  collection.builds.push(build);
  return build;
}

/**
 * Enters as many documents as fit into a turn; when that was the last of them, the indexes are ready. To be called inside
 * a transaction.
 *
 * @returns whether they are ready
 * @throws CommandError 11000 or 171 when the documents do not fit them, 276 when they are no longer wanted; the build is
 * abandoned then
 */
export function buildPiece(store: Store, collection: Collection, build: IndexBuild): boolean {
  try {
    if (collection.dropped || build.state !== 'building') throw aborted();
    const began = performance.now();
    const range = { start: dataKey(collection.id, build.next), end: idBytes(collection.id + 1) };
    for (const { key, value } of store.data.getRange(range)) {
      const record = readRecord(key, 4);
      const isFirst = record === build.next || build.next === 0;
      build.next = record;
      if (!isFirst && performance.now() - began > turnMs) return false;
      store.spend(costOfNoting(build, undefined, value));
      noteWrite(store, collection, build, record, undefined, value);
      if (build.suspects.size + build.skipped.size > mostNotes) lookAgain(store, collection, build);
    }
    lookAgain(store, collection, build);
  } catch (err) {
    // it goes on from there when there is room
    if (err instanceof RoomNeeded) throw err;
    abandonBuild(store, collection, build);
    throw err;
  }
  collection.builds = collection.builds.filter((one) => one !== build);
  collection.indexes.push(...build.indexes);
  for (const { id } of build.indexes) store.catalogue.finished(id);
  store.catalogue.touch(collection);
  build.state = 'ready';
  build.end();
  return true;
}

/** Gives a build up; the sweeper removes what it wrote. */
export function abandonBuild(store: Store, collection: Collection, build: IndexBuild): void {
  if (build.state !== 'building') return;
  build.state = 'aborted';
  collection.builds = collection.builds.filter((one) => one !== build);
  for (const { id } of build.indexes) store.catalogue.garbage.add(id);
  build.end();
}

/** Keeps the indexes of a build as a document is written: `before` as it was, `after` as it is, undefined for not there. */
export function noteWrite(
  store: Store,
  collection: Collection,
  build: IndexBuild,
  record: number,
  before: Buffer | undefined,
  after: Buffer | undefined,
): void {
  for (const index of build.indexes) {
    const old = before && keysOf(index, before);
    const fresh = after && keysOf(index, after);
    if (after !== undefined && fresh === undefined) build.skipped.add(record);
    const { keys, multikey } = fresh ?? { keys: [], multikey: false };
    const kept = new Set(keys.map((key) => key.toString('latin1')));
    removeKeys(store, index, old?.keys.filter((key) => !kept.has(key.toString('latin1'))) ?? [], record);
    putKeys(store, collection, index, keys, multikey, record);
    if (!index.unique) continue;
    for (const key of keys) {
      if (otherRecord(store, index, key, record) === undefined) continue;
      build.suspects.set(entryPrefix(index, key).toString('latin1'), { index, key });
    }
  }
}

/** The room that `noteWrite` takes. */
export function costOfNoting(
  build: IndexBuild,
  before: Buffer | undefined,
  after: Buffer | undefined,
): Cost & { index: number } {
  const cost = { index: 0, bytes: 0 };
  for (const index of build.indexes) {
    for (const document of [before, after]) {
      const keys = (document && keysOf(index, document)?.keys) ?? [];
      cost.index += keys.length;
      for (const key of keys) cost.bytes += entryBytes(12 + key.length);
    }
  }
  return cost;
}

/** undefined where the document cannot stand in the index */
function keysOf(index: Index, document: Buffer) {
  try {
    return indexKeys(index, documentValue(document));
  } catch (err) {
    if (err instanceof CommandError) return undefined;
    throw err;
  }
}

/** @throws CommandError when something that was noted still holds */
function lookAgain(store: Store, collection: Collection, build: IndexBuild): void {
  for (const record of build.skipped) {
    const document = getRecord(store, collection, record);
    if (document !== undefined) for (const index of build.indexes) indexKeys(index, documentValue(document));
  }
  for (const { index, key } of build.suspects.values()) {
    const one = otherRecord(store, index, key, -1);
    const other = one === undefined ? undefined : otherRecord(store, index, key, one);
    const document = other === undefined ? undefined : getRecord(store, collection, other);
    if (document !== undefined) throw duplicate(collection, index, document, key);
  }
  build.skipped.clear();
  build.suspects.clear();
}
