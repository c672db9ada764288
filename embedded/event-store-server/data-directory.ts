import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { lockDataDir } from '../data-lock.js';
import { openDiskRoom, smallWrite } from '../disk-room.js';
import { checkFileLength, checkMetaPages, checkRoomForFiles, DataDirError } from '../lmdb-file.js';
import { positionKey } from './keys.js';
import { chainNames } from './names.js';
import { DamageError, damagedRecord, isIntact } from './record.js';
import { removedCount } from './removed.js';
import { encodeState, readState, type Storage, stateKey, type Table } from './storage.js';

/**
 * STORED FORMAT. Any change of a key or value in `keys.ts`, `record.ts`, `head.ts`, `names.ts`, `removed.ts`, `storage.ts`
 * or `persistent/stored-group.ts` raises it. Format 2 chained the names of streams, and added the tables `gaps`,
 * `scavenged` and `subscriptions`.
 */
const formatVersion = 2;
const oldestFormat = 1;

export const dataFile = 'events.mdb';
const markerFile = 'FORMAT';
const formatKey = Buffer.from('format');

/**
 * Opens a data directory, or makes a new one, and claims it for this process.
 *
 * @param serve false for who only looks: nothing is checked beforehand, and data of an older format stay as they are
 * @throws LockedError, DataDirError (another format, a file that was cut), DamageError (the last record or a count)
 */
export async function openStorage(dataDir: string, { serve = true } = {}): Promise<Storage> {
  mkdirSync(dataDir, { recursive: true });
  const release = lockDataDir(dataDir);
  try {
    const path = join(dataDir, dataFile);
    const known = existsSync(join(dataDir, markerFile));
    if (known && !existsSync(path)) {
      throw new DataDirError(`The data directory ${dataDir} has lost its file ${dataFile}; restore a backup.`);
    }
    checkFileLength(path, known);
    checkRoomForFiles(path);
    if (known) checkMetaPages(path);
    const root = openFile(path);
    try {
      const format = formatOf(root, dataDir, known);
      // An older store gets new tables, and LMDB must not meet a full disk.
      if (format > 0 && format < formatVersion) await secureRoom({ root }, path, smallWrite);
      const storage = openTables(root, release, format);
      if (!serve) return storage;
      checkState(storage);
      const isNew = !known || storage.format < formatVersion;
      if (storage.format < formatVersion) await upgrade(storage, path);
      if (isNew) mark(dataDir);
      return { ...storage, format: formatVersion };
    } catch (err) {
      await root.close();
      throw err;
    }
  } catch (err) {
    release();
    throw err;
  }
}

/** Whether a directory holds an event store's data at all. */
export const hasData = (dataDir: string): boolean => existsSync(join(dataDir, dataFile));

/** Says that a store was made here. New files are durable only when their directory is. */
function mark(dataDir: string): void {
  writeFileSync(join(dataDir, markerFile), `shopledger event store, format ${formatVersion}\n`, { flush: true });
  const fd = openSync(dataDir, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function openFile(path: string): RootDatabase<Buffer, Buffer> {
  return open<Buffer, Buffer>({
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
}

const openTable = (root: RootDatabase<Buffer, Buffer>, name: string): Table =>
  root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' });

/** The format of what is there, 0 where nothing is yet. */
function formatOf(root: RootDatabase<Buffer, Buffer>, dataDir: string, known: boolean): number {
  const stored = openTable(root, 'system').get(formatKey)?.toString('latin1');
  if (stored === undefined && known) {
    throw new DataDirError(`The data in ${dataDir} have lost the table that names their format; restore a backup.`);
  }
  const format = stored === undefined ? 0 : Number(stored);
  if (stored !== undefined && !(format >= oldestFormat && format <= formatVersion)) {
    throw new DataDirError(
      `The data in ${dataDir} have format ${stored}; this server reads format ${formatVersion} and older.`,
    );
  }
  return format;
}

function openTables(root: RootDatabase<Buffer, Buffer>, release: () => void, format: number): Storage {
  // One transaction for all: a new store costs one fsync.
  return root.transactionSync(() => {
    const table = (name: string) => openTable(root, name);
    const storage: Storage = {
      root,
      format: format === 0 ? formatVersion : format,
      log: table('log'),
      idx: table('idx'),
      names: table('names'),
      heads: table('heads'),
      system: table('system'),
      gaps: table('gaps'),
      scavenged: table('scavenged'),
      subscriptions: table('subscriptions'),
      async close() {
        await root.close();
        release();
      },
    };
    if (format === 0) {
      storage.system.putSync(stateKey, encodeState({ head: 0, count: 0, nextStreamId: 1 }));
      putFormat(storage);
    }
    return storage;
  });
}

/** @throws NoRoomError, DamageError; the data are as they were then */
async function upgrade(storage: Storage, path: string): Promise<void> {
  const { treeLeafPageCount, treeBranchPageCount, overflowPages } = storage.names.getStats() as Record<string, number>;
  const pages = (treeLeafPageCount ?? 0) + (treeBranchPageCount ?? 0) + (overflowPages ?? 0);
  // All names are written anew, each a little longer.
  await secureRoom(storage, path, smallWrite + 3 * pages * 4096);
  storage.root.transactionSync(() => {
    chainNames(storage);
    putFormat(storage);
  });
}

async function secureRoom(storage: Pick<Storage, 'root'>, path: string, bytes: number): Promise<void> {
  const room = openDiskRoom(storage, path, 0);
  try {
    await room.secure(bytes);
  } finally {
    await room.close();
  }
}

function putFormat(storage: Storage): void {
  storage.system.putSync(formatKey, Buffer.from(String(formatVersion)));
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
