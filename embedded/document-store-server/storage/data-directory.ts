import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { StartError } from '../errors.js';

const formatLine = 'shopledger document store, format 1\n';
const heldHere = new Set<string>();

function processStart(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function isAlive(pid: number, started: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = processStart(pid);
  // where the system tells when a process began, a reused pid does not pass for the one that wrote the lock
  return started === '' || now === '' || now === started;
}

function holderOf(content: string): { pid: number; started: string } {
  const [pid = '', started = ''] = content.trim().split(' ');
  return { pid: Number(pid), started };
}

function takeLock(dataDir: string): () => void {
  const file = path.join(dataDir, 'server.lock');
  const real = fs.realpathSync(dataDir);
  const taken = (pid: number) => new StartError(`the data directory ${dataDir} is in use by process ${pid}`);
  if (heldHere.has(real)) throw taken(process.pid);
  for (let attempt = 0; attempt < 10; attempt++) {
    try {
      fs.writeFileSync(file, `${process.pid} ${processStart(process.pid)}\n`, { flag: 'wx' });
      heldHere.add(real);
      return () => {
        heldHere.delete(real);
        fs.rmSync(file, { force: true });
      };
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code !== 'EEXIST') throw err;
    }
    const content = fs.readFileSync(file, 'utf8');
    const holder = holderOf(content);
    if (holder.pid !== process.pid && isAlive(holder.pid, holder.started)) throw taken(holder.pid);
    // rename lets one of several takers win; who moved a lock that is not the stale one puts it back
    const aside = `${file}.${randomUUID()}`;
    try {
      fs.renameSync(file, aside);
    } catch {
      continue;
    }
    if (fs.readFileSync(aside, 'utf8') !== content) fs.linkSync(aside, file);
    fs.rmSync(aside, { force: true });
  }
  throw new StartError(`the lock of the data directory ${dataDir} could not be taken`);
}

function checkFormat(dataDir: string): void {
  const file = path.join(dataDir, 'FORMAT');
  if (fs.existsSync(file)) {
    const found = fs.readFileSync(file, 'utf8');
    if (found === formatLine) return;
    const shown = JSON.stringify(found.slice(0, 80).trim());
    throw new StartError(`the data directory ${dataDir} has another format: ${shown}`);
  }
  const others = fs.readdirSync(dataDir).filter((name) => !name.startsWith('server.lock') && name !== 'FORMAT.new');
  if (others.length > 0) {
    throw new StartError(`the directory ${dataDir} is not empty and holds no document store`);
  }
  const fresh = `${file}.new`;
  const fd = fs.openSync(fresh, 'w');
  fs.writeSync(fd, formatLine);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
  fs.renameSync(fresh, file);
}

/** The length in bytes that the newest meta page of an LMDB file promises. */
function promisedLength(fd: number): number {
  const page = Buffer.alloc(176);
  let newest = { transaction: -1n, length: 0 };
  let offset = 0;
  for (let meta = 0; meta < 2; meta++) {
    const read = fs.readSync(fd, page, 0, page.length, offset);
    if (read < page.length || page.readUInt32LE(24) !== 0xbeefc0de)
      throw new StartError('the data file has no LMDB head');
    const pageSize = page.readUInt32LE(48);
    const transaction = page.readBigUInt64LE(152);
    if (transaction > newest.transaction) {
      newest = { transaction, length: (Number(page.readBigUInt64LE(144)) + 1) * pageSize };
    }
    offset = pageSize;
  }
  return newest.length;
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

function checkLength(dataDir: string): void {
  const file = path.join(dataDir, 'data.mdb');
  if (!fs.existsSync(file) || fs.statSync(file).size === 0) return;
  const fd = fs.openSync(file, 'r');
  try {
    const promised = promisedLength(fd);
    const size = fs.fstatSync(fd).size;
    if (size < promised) {
      throw new StartError(`the data file ${file} is cut off: it has ${size} bytes of ${promised}`);
    }
  } finally {
    fs.closeSync(fd);
  }
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
    const promised = promisedLength(fd);
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
    release = takeLock(dataDir);
    checkFormat(dataDir);
    checkLength(dataDir);
    return release;
  } catch (err) {
    release?.();
    if (err instanceof StartError) throw err;
    throw new StartError(`the data directory ${dataDir} cannot be used: ${(err as Error).message}`);
  }
}
