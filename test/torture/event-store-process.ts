import type { ChildProcess } from 'node:child_process';
import { type StoreProcess, spawnStore } from '../../embedded/event-store-server/store-fixture.js';

/** How a process ended. */
export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

export interface Store {
  readonly child: ChildProcess;
  readonly connectionString: string;
  /** resolves when the process is gone */
  readonly ended: Promise<End>;
  readonly isRunning: () => boolean;
  /** Sends a signal and waits for the end. */
  stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<End>;
}

export interface StartOptions {
  readonly fileBlocks?: number;
  /** kills the process so many milliseconds after it was started, ready or not */
  readonly killAfterMs?: number;
}

const startLimitMs = 30_000;
const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Starts the server on a data directory, as a process that does not outlive this one. @returns it, or how it ended */
export async function startStore(dataDir: string, options: StartOptions = {}): Promise<Store | End> {
  const { fileBlocks, killAfterMs = startLimitMs } = options;
  let stderr = '';
  let running = true;
  let ended: Promise<End> | undefined;
  const timers: NodeJS.Timeout[] = [];
  const onSpawn = (child: ChildProcess) => {
    alive.add(child);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    ended = new Promise((resolve) => {
      child.once('exit', () => {
        running = false;
        alive.delete(child);
      });
      child.once('close', (code, signal) => resolve({ code, signal, stderr }));
    });
    timers.push(setTimeout(() => child.kill('SIGKILL'), killAfterMs));
  };
  const spawned: StoreProcess | undefined = await spawnStore(dataDir, {
    onSpawn,
    ...(fileBlocks === undefined ? {} : { fileBlocks }),
  }).catch(() => undefined);
  if (ended === undefined) throw new Error('The event store was not spawned.');
  const end = ended;
  if (options.killAfterMs === undefined || spawned === undefined) for (const timer of timers) clearTimeout(timer);
  if (spawned === undefined) return end;
  const { child, connectionString } = spawned;
  return {
    child,
    connectionString,
    ended: end,
    isRunning: () => running,
    stop(signal) {
      child.kill(signal);
      return end;
    },
  };
}

export const isStore = (started: Store | End): started is Store => 'child' in started;

export const tellEnd = ({ code, signal, stderr }: End): string =>
  `${signal ?? `exit code ${code}`}${stderr.trim() === '' ? '' : `: ${stderr.trim().split('\n').slice(0, 3).join(' / ')}`}`;
