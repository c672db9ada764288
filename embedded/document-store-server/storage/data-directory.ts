import fs from 'node:fs';
import path from 'node:path';
import { DiskFullError, LockedError, lockDataDir } from '../../data-lock.js';
import { checkFileLength, checkMetaPages, checkRoomForFiles, DataDirError } from '../../lmdb-file.js';
import { StartError } from '../errors.js';

/**
 * STORED FORMAT. Any change of a key or value raises it. Format 2 added `expireAfterSeconds` to the indexes in the
 * catalogue, which a server of format 1 would overlook; without it they are the same.
 */
const format = 2;
const formatLine = (number: number) => `shopledger document store, format ${number}\n`;

function checkFormat(dataDir: string): void {
  const file = path.join(dataDir, 'FORMAT');
  if (fs.existsSync(file)) {
    const found = fs.readFileSync(file, 'utf8');
    if (found === formatLine(format)) return;
    if (found === formatLine(1)) {
      writeFormat(file);
      return;
    }
    const shown = JSON.stringify(found.slice(0, 80).trim());
    throw new StartError(`the data directory ${dataDir} has another format: ${shown}`);
  }
  const others = fs.readdirSync(dataDir).filter((name) => !name.startsWith('server.lock') && name !== 'FORMAT.new');
  if (others.length > 0) {
    throw new StartError(`the directory ${dataDir} is not empty and holds no document store`);
  }
  writeFormat(file);
}

function writeFormat(file: string): void {
  const fresh = `${file}.new`;
  const fd = fs.openSync(fresh, 'w');
  fs.writeSync(fd, formatLine(format));
  fs.fsyncSync(fd);
  fs.closeSync(fd);
  fs.renameSync(fresh, file);
}

export const dataFileOf = (dataDir: string): string => path.join(dataDir, 'data.mdb');

/** The names of the files must outlive a power failure as well. */
export function syncDirectory(dataDir: string): void {
  const directory = fs.openSync(dataDir, 'r');
  fs.fsyncSync(directory);
  fs.closeSync(directory);
}

/**
 * Makes a data directory ours: creates it, takes its lock (a dead process's lock is taken over), checks its format and
 * that the data file is whole.
 *
 * @returns gives the lock back
 * @throws StartError in one sentence
 */
export function claimDataDirectory(dataDir: string): () => void {
  let release: (() => void) | undefined;
  try {
    fs.mkdirSync(dataDir, { recursive: true });
    release = lockDataDir(dataDir);
    checkFormat(dataDir);
    const file = dataFileOf(dataDir);
    checkFileLength(file, false);
    checkRoomForFiles(file, path.join(dataDir, 'lock.mdb'));
    if (fs.existsSync(file) && fs.statSync(file).size > 0) checkMetaPages(file);
    return release;
  } catch (err) {
    release?.();
    if (err instanceof StartError) throw err;
    const isOneSentence = [LockedError, DiskFullError, DataDirError].some((kind) => err instanceof kind);
    if (isOneSentence) throw new StartError((err as Error).message);
    throw new StartError(`the data directory ${dataDir} cannot be used: ${(err as Error).message}`);
  }
}
