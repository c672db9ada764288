import { linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Another process works on the same data; the message is one sentence for a person. */
export class DataInUseError extends Error {
  override readonly name = 'DataInUseError';
  readonly code = 'data-in-use';
}

/**
 * Takes the folder for this process alone. A lock whose process is gone, as after kill -9, is taken over.
 *
 * @returns gives the folder back
 * @throws DataInUseError
 */
export function lockFolder(folder: string): () => void {
  const lock = join(folder, 'lock');
  const own = `${lock}.${process.pid}`;
  const owner = `${process.pid} ${startOf(process.pid) ?? ''}`;
  writeFileSync(own, owner);
  try {
    // A link appears with its content in it, so that nobody reads a lock that is half written.
    for (;;) {
      try {
        linkSync(own, lock);
        break;
      } catch (err) {
        if ((err as NodeJS.ErrnoException).code !== 'EEXIST') throw err;
        const holder = readLock(lock);
        if (holder === undefined) continue;
        if (lives(holder)) {
          throw new DataInUseError(`The data in ${folder} are in use by process ${holder.pid}; stop that first.`);
        }
        unlinkSync(lock);
      }
    }
  } finally {
    unlinkSync(own);
  }
  return () => {
    if (readLock(lock)?.text === owner) unlinkSync(lock);
  };
}

interface Holder {
  pid: number;
  start: string;
  text: string;
}

function readLock(file: string): Holder | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    const [pid = '', start = ''] = text.split(' ');
    return { pid: Number(pid), start, text };
  } catch {
    return undefined;
  }
}

/** A process id is used again, in containers soon; together with the start time it is not. */
function lives({ pid, start }: Holder): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (err) {
    return (err as NodeJS.ErrnoException).code === 'EPERM';
  }
  const now = startOf(pid);
  return now === undefined || start === '' || now === start;
}

/** Linux: the boot's id and the process's start in clock ticks since; undefined elsewhere. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`;
  } catch {
    return undefined;
  }
}
