import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StartOptions } from './server-process.js';

/** Room that runs out. */
export interface SmallDisk {
  /** in words, for a report */
  readonly what: string;
  readonly dataDir: string;
  /** for the server's start, where the limit is the process's */
  readonly startOptions: StartOptions;
  /** Lets the process with this pid write on. */
  makeRoom(pid: number): void;
  /** Removes the disk with its data. */
  remove(): void;
}

/** The server would leave more of a disk to others than there is here. */
const noReserve = { args: ['--disk-reserve', '0'] };
const mounted = new Set<string>();
process.on('exit', () => {
  for (const dir of mounted) unmount(dir);
});

/**
 * A file system of a few MiB in memory where this process may mount one, half of it taken by a file that can be removed;
 * else a limit on how long the server's files may grow.
 *
 * @param dir an empty directory, made when it does not exist
 */
export function openSmallDisk(dir: string, bytes: number): SmallDisk {
  mkdirSync(dir, { recursive: true });
  const dataDir = join(dir, 'data');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${2 * bytes}`, 'tmpfs', dir], { stdio: 'ignore' });
  } catch {
    return limited(dir, bytes);
  }
  mounted.add(dir);
  const ballast = join(dir, 'ballast');
  writeFileSync(ballast, Buffer.alloc(bytes));
  return {
    what: `a file system with ${bytes} bytes left`,
    dataDir,
    startOptions: noReserve,
    makeRoom: () => rmSync(ballast),
    remove() {
      unmount(dir);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function limited(dir: string, bytes: number): SmallDisk {
  return {
    what: `a limit of ${bytes} bytes on the length of a file`,
    dataDir: join(dir, 'data'),
    startOptions: { ...noReserve, fileBlocks: Math.ceil(bytes / 512) },
    makeRoom(pid) {
      execFileSync('prlimit', ['--pid', String(pid), '--fsize=unlimited']);
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

function unmount(dir: string): void {
  mounted.delete(dir);
  try {
    execFileSync('umount', [dir], { stdio: 'ignore' });
  } catch {
    // A process that is still ending holds it; it goes when that is gone.
    execFileSync('umount', ['--lazy', dir], { stdio: 'ignore' });
  }
}
