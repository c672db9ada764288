import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A file system of 8 MiB, to be filled up, on a folder of its own.
 *
 * @returns undefined where none can be mounted: that takes Linux and root
 */
export function mountSmallDisk(): { path: string; unmount: () => void } | undefined {
  const path = mkdtempSync(join(tmpdir(), 'small-disk-'));
  const remove = () => rmSync(path, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    remove();
    return undefined;
  }
  return {
    path,
    unmount() {
      execFileSync('umount', [path]);
      remove();
    },
  };
}
