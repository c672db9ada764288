import { execFile } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { promisify } from 'node:util';

const tmpfs = 0x01021994;

/** What a figure has to be read with. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  /** GiB */
  readonly memory: number;
  readonly node: string;
  readonly platform: string;
  /** The temporary data lie in memory: fsync costs nothing there, and durable writes look better than they are. */
  readonly diskInMemory: boolean;
}

export async function describeMachine(): Promise<Machine> {
  const cores = cpus();
  return {
    cores: cores.length,
    cpu: cores[0]?.model.trim() ?? 'unknown',
    memory: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    diskInMemory: (await statfs(tmpdir())).type === tmpfs,
  };
}

export function machineLine({ cores, cpu, memory, node, platform, diskInMemory }: Machine): string {
  const disk = diskInMemory ? ', temporary data IN MEMORY: fsync costs nothing' : '';
  return `${cores} cores ${cpu}, ${memory} GiB, Node ${node}, ${platform}${disk}`;
}

/** The commit that the source tree is at, with a plus when files differ from it; `unknown` without git. */
export async function commitOf(folder: string): Promise<string> {
  const git = async (...args: string[]) => (await promisify(execFile)('git', args, { cwd: folder })).stdout.trim();
  try {
    const commit = await git('rev-parse', '--short=12', 'HEAD');
    return (await git('status', '--porcelain')) === '' ? commit : `${commit}+`;
  } catch {
    return 'unknown';
  }
}
