import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Database, open, type RootDatabase } from 'lmdb';
import { lockDataDir } from '../data-lock.js';
import { checkFileLength, checkMetaPages, DataDirError } from '../lmdb-file.js';
import { decodeHead, type Head } from './head.js';
import { nameKey, positionKey, streamKey } from './keys.js';
import { DamageError, damagedRecord, isIntact } from './record.js';
import { removedCount } from './removed.js';
import { readU64, writeU64 } from './wire.js';

/**
 * STORED FORMAT. Any change of a key or value below, of `record.ts`, `head.ts`, `removed.ts` or
 * `persistent/stored-group.ts` raises it. Format 2 added the tables `gaps`, `scavenged` and `subscriptions`; data of
 * format 1 are format 2 with these empty.
 */
export const formatVersion = 2;
const upgradable = ['1'];

export const dataFile = 'events.mdb';
const markerFile = 'FORMAT';

export type Table = Database<Buffer, Buffer>;

/** What the last commit left behind. Positions are dense from 1, so `count` (of events ever written) equals `head`. */
export interface LogState {
  head: number;
  count: number;
  nextStreamId: number;
}

export interface Storage {
  readonly root: RootDatabase<Buffer, Buffer>;
  /** position -> record (`record.ts`) */
  readonly log: Table;
  /** stream id, revision -> position */
  readonly idx: Table;
  /** stream name or its hash -> stream id, name */
  readonly names: Table;
  /** stream id -> head (`head.ts`) */
  readonly heads: Table;
  /** format version, log state, number of removed events */
  readonly system: Table;
  /** first position -> last position of each run that a scavenge removed (`removed.ts`) */
  readonly gaps: Table;
  /** stream id -> first revision that a scavenge left (`removed.ts`) */
  readonly scavenged: Table;
  /** persistent subscription -> settings and progress (`persistent/stored-group.ts`) */
  readonly subscriptions: Table;
  close(): Promise<void>;
}

/**
 * Opens a data directory, or makes a new one, and claims it for this process.
 *
 * @param check whether to look at the last record and the count; a full check does so itself
 * @throws LockedError, DataDirError (another format, a file that was cut), DamageError (the last record or the count)
 */
export async function openStorage(dataDir: string, { check = true } = {}): Promise<Storage> {
  mkdirSync(dataDir, { recursive: true });
  const release = lockDataDir(dataDir);
  try {
    const path = join(dataDir, dataFile);
    const marker = join(dataDir, markerFile);
    const known = existsSync(marker);
    if (known && !existsSync(path)) {
      throw new DataDirError(`The data directory ${dataDir} has lost its file ${dataFile}; restore a backup.`);
    }
    checkFileLength(path, known);
    if (known) checkMetaPages(path);
    const storage = openTables(path, release);
    try {
      checkFormat(storage, dataDir, known);
      if (check) checkState(storage);
      if (!known) {
        writeFileSync(marker, `shopledger event store, format ${formatVersion}\n`, { flush: true });
        syncDirectory(dataDir);
      }
      return storage;
    } catch (err) {
      await storage.root.close();
      throw err;
    }
  } catch (err) {
    release();
    throw err;
  }
}

/** Whether a directory holds an event store's data at all. */
export const hasData = (dataDir: string): boolean => existsSync(join(dataDir, dataFile));

/** New files are durable only when their directory is. */
function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function openTables(path: string, release: () => void): Storage {
  const root = open<Buffer, Buffer>({
    path,
    noSubdir: true,
    encoding: 'binary',
    keyEncoding: 'binary',
    // A commit is answered only after its fsync; lmdb would otherwise resolve it earlier.
    overlappingSync: false,
    // A failed commit is told once; lmdb would otherwise reject a promise that nobody holds, too.
    eventTurnBatching: false,
    maxDbs: 12,
  });
  const table = (name: string): Table =>
    root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' });
  // One transaction for all tables: a new store costs one fsync instead of five.
  const tables = root.transactionSync(() => ({
    log: table('log'),
    idx: table('idx'),
    names: table('names'),
    heads: table('heads'),
    system: table('system'),
    gaps: table('gaps'),
    scavenged: table('scavenged'),
    subscriptions: table('subscriptions'),
  }));
  return {
    root,
    ...tables,
    async close() {
      await root.close();
      release();
    },
  };
}

const formatKey = Buffer.from('format');
const stateKey = Buffer.from('state');

function checkFormat(storage: Storage, dataDir: string, known: boolean): void {
  const stored = storage.system.get(formatKey);
  if (stored === undefined && known) {
    throw new DataDirError(`The data in ${dataDir} have lost the table that names their format; restore a backup.`);
  }
  if (stored === undefined) {
    storage.root.transactionSync(() => {
      storage.system.putSync(formatKey, Buffer.from(String(formatVersion)));
      storage.system.putSync(stateKey, encodeState({ head: 0, count: 0, nextStreamId: 1 }));
    });
    return;
  }
  const found = stored.toString('latin1');
  if (upgradable.includes(found)) storage.system.putSync(formatKey, Buffer.from(String(formatVersion)));
  else if (found !== String(formatVersion)) {
    throw new DataDirError(
      `The data in ${dataDir} have format ${found}; this server reads format ${formatVersion} and older.`,
    );
  }
}

/** The last record must be there and intact, and every table must hold as much as was committed and not removed. */
function checkState(storage: Storage): void {
  const state = readState(storage);
  const events = state.count - removedCount(storage);
  const streams = state.nextStreamId - 1;
  for (const [name, count] of [
    ['log', events],
    ['idx', events],
    ['names', streams],
    ['heads', streams],
  ] as const) {
    const entries = (storage[name].getStats() as { entryCount?: number }).entryCount ?? 0;
    if (entries === count) continue;
    throw new DamageError(state.head, '?', -1, `the table "${name}" holds ${entries} entries instead of ${count}`);
  }
  if (state.head === 0) return;
  const last = storage.log.get(positionKey(state.head));
  if (last === undefined || !isIntact(last, state.head)) throw damagedRecord(last, state.head);
}

export function encodeState(state: LogState): Buffer {
  const value = Buffer.alloc(28);
  writeU64(value, state.head, 4);
  writeU64(value, state.count, 12);
  writeU64(value, state.nextStreamId, 20);
  value.writeUInt32BE(crc32(value.subarray(4)), 0);
  return value;
}

/** @throws DamageError when it is missing or does not match its checksum */
export function readState(storage: Storage): LogState {
  const value = storage.system.get(stateKey);
  if (value?.length !== 28 || value.readUInt32BE(0) !== crc32(value.subarray(4))) {
    throw new DamageError(-1, '?', -1, "the log's state does not match its checksum");
  }
  return { head: readU64(value, 4), count: readU64(value, 12), nextStreamId: readU64(value, 20) };
}

export function putState(storage: Storage, state: LogState): void {
  void storage.system.put(stateKey, encodeState(state));
}

export function encodeName(name: string, streamId: number): Buffer {
  const bytes = Buffer.from(name, 'utf8');
  const value = Buffer.allocUnsafe(12 + bytes.length);
  writeU64(value, streamId, 4);
  value.set(bytes, 12);
  value.writeUInt32BE(crc32(value.subarray(4)), 0);
  return value;
}

/** @throws DamageError when the value does not match its checksum */
export function decodeName(value: Buffer, asked: string): { name: string; streamId: number } {
  if (value.length < 12 || value.readUInt32BE(0) !== crc32(value.subarray(4))) {
    throw new DamageError(-1, asked, -1, "the stream's entry does not match its checksum");
  }
  return { name: value.toString('utf8', 12), streamId: readU64(value, 4) };
}

/** Looks a stream up as the last transaction left it. */
export function readHead(storage: Storage, name: string): (Head & { streamId: number }) | undefined {
  const entry = storage.names.get(nameKey(name));
  if (entry === undefined) return undefined;
  const { streamId, name: stored } = decodeName(entry, name);
  if (stored !== name) throw new DamageError(-1, name, -1, "the stream's entry names another stream");
  const key = streamKey(streamId);
  const value = storage.heads.get(key);
  if (value === undefined) throw new DamageError(-1, name, -1, "the stream's head is missing");
  return { ...decodeHead(key, value, name), streamId };
}
