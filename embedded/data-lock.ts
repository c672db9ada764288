import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const lockName = 'server.lock';
const diskFullCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

interface Owner {
  pid: number;
  /** what tells this process from a later one with the same pid */
  born: string;
  token: string;
}

/** Raised when another live process holds the data directory. */
export class LockedError extends Error {
  override readonly name = 'LockedError';
  readonly code = 'data-in-use';
}

/** Raised when the disk has no room for the lock, which is some hundred bytes. */
export class DiskFullError extends Error {
  override readonly name = 'DiskFullError';
  readonly code = 'disk-full';
}

/**
 * Claims a data directory for this process. A lock whose process is dead, or whose pid belongs to another process by
 * now, is taken over.
 *
 * @returns the release function, which is safe to call twice
 * @throws LockedError naming the pid that holds the directory; DiskFullError
 */
export function lockDataDir(dataDir: string): () => void {
  const path = join(dataDir, lockName);
  const mine: Owner = { pid: process.pid, born: birthOf(process.pid) ?? 'unknown', token: randomUUID() };
  const draft = join(dataDir, `${lockName}.${mine.token}`);
  try {
    writeDraft(draft, mine, dataDir);
    // A link appears complete or not at all, so nobody ever reads half a lock.
    for (let attempt = 0; !tryLink(draft, path); attempt += 1) {
      const owner = readOwner(path);
      if (owner === undefined) continue;
      if (isAlive(owner) || attempt > 5) {
        throw new LockedError(`The data in ${dataDir} are in use by process ${owner.pid}; stop that first.`);
      }
      removeStale(path, owner);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  return () => {
    if (readOwner(path)?.token === mine.token) rmSync(path, { force: true });
  };
}

function writeDraft(draft: string, owner: Owner, dataDir: string): void {
  try {
    writeFileSync(draft, JSON.stringify(owner));
  } catch (err) {
    if (!diskFullCodes.has(errorCode(err) ?? '')) throw err;
    const what = 'is full, and a start has to write its lock there';
    throw new DiskFullError(`The disk of ${dataDir} ${what}; make room on it and start again.`, { cause: err });
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (err) {
    if (errorCode(err) === 'EEXIST') return false;
    throw err;
  }
}

/** Moves the stale lock aside; if another process took over in between, its lock is put back. */
function removeStale(path: string, stale: Owner): void {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch (err) {
    if (errorCode(err) === 'ENOENT') return;
    throw err;
  }
  if (readOwner(aside)?.token !== stale.token) tryLink(aside, path);
  unlinkSync(aside);
}

function readOwner(path: string): Owner | undefined {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (err) {
    if (errorCode(err) === 'ENOENT') return undefined;
    throw err;
  }
  try {
    const { pid, born, token } = JSON.parse(content) as Partial<Owner>;
    if (typeof pid === 'number' && typeof born === 'string' && typeof token === 'string') return { pid, born, token };
  } catch {
    // falls through: a lock nobody can read has no live owner to name
  }
  return { pid: 0, born: '', token: '' };
}

function isAlive(owner: Owner): boolean {
  if (owner.pid <= 0) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (err) {
    if (errorCode(err) === 'ESRCH') return false;
  }
  const born = birthOf(owner.pid);
  return born === undefined || owner.born === 'unknown' || born === owner.born;
}

/** Boot and start time of a process: the same pid after a restart of either gives another answer. */
function birthOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${fields[19] ?? ''}`;
  } catch {
    // no /proc here
  }
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

function errorCode(err: unknown): string | undefined {
  return err instanceof Error && 'code' in err ? String(err.code) : undefined;
}
