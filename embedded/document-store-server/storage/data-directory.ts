import fs from 'node:fs';
import path from 'node:path';
import { DiskFullError, LockedError, lockDataDir } from '../../data-lock.js';
import { checkFileLength, DataDirError, promisedLength } from '../../lmdb-file.js';
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

const slack = 1 << 20;

/**
 * LMDB does not notice a data file that lost its end: it answers without the lost records or dies. So the file is
 * kept longer than its newest meta page promises, and one that is shorter is refused.
 */
export interface FileLength {
  /** keeps the file ahead of what is committed; cheap, called around every commit */
  keepAhead(): void;
  close(): void;
}

/** To be called once LMDB has the file open. */
export function watchLength(dataDir: string): FileLength {
  const fd = fs.openSync(path.join(dataDir, 'data.mdb'), 'r+');
  let size = fs.fstatSync(fd).size;
  // the names of the files must outlive a power failure as well
  const directory = fs.openSync(dataDir, 'r');
  fs.fsyncSync(directory);
  fs.closeSync(directory);
  const keepAhead = () => {
    const promised = promisedLength(fd) ?? 0;
    if (promised + slack / 2 <= size) return;
    size = Math.max(fs.fstatSync(fd).size, promised + slack);
    fs.ftruncateSync(fd, size);
  };
  keepAhead();
  return { keepAhead, close: () => fs.closeSync(fd) };
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
    checkFileLength(path.join(dataDir, 'data.mdb'), false);
    return release;
  } catch (err) {
    release?.();
    if (err instanceof StartError) throw err;
    const isOneSentence = [LockedError, DiskFullError, DataDirError].some((kind) => err instanceof kind);
    if (isOneSentence) throw new StartError((err as Error).message);
    throw new StartError(`the data directory ${dataDir} cannot be used: ${(err as Error).message}`);
  }
}
