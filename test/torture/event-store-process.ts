import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { entryPoint } from '../support/entry-point.js';

/** How a process ended. */
export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** The server as a process of its own, ready to be asked. */
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
  /** further arguments of the server */
  readonly args?: readonly string[];
  /** how long its files may grow, in blocks of 512 bytes; the limit can be raised while it runs */
  readonly fileBlocks?: number;
  /** kills the process so many milliseconds after it was started, ready or not */
  readonly killAfterMs?: number;
}

const startLimitMs = 30_000;
const main = entryPoint(import.meta.url, '../../embedded/event-store-server/main');
const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Starts the server on a data directory, as a process that does not outlive this one. @returns it, or how it ended */
export async function startStore(dataDir: string, options: StartOptions = {}): Promise<Store | End> {
  const child = spawnServer(['--data', dataDir, '--port', '0', ...(options.args ?? [])], options.fileBlocks);
  alive.add(child);
  let stderr = '';
  let running = true;
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.once('exit', () => {
    running = false;
    alive.delete(child);
  });
  const ended = new Promise<End>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stderr }));
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), options.killAfterMs ?? startLimitMs);
  const connectionString = await connectionOf(child);
  if (connectionString === undefined || options.killAfterMs !== undefined) {
    const end = await ended;
    clearTimeout(timer);
    return end;
  }
  clearTimeout(timer);
  return {
    child,
    connectionString,
    ended,
    isRunning: () => running,
    stop(signal) {
      child.kill(signal);
      return ended;
    },
  };
}

function spawnServer(args: readonly string[], fileBlocks: number | undefined): ChildProcess {
  const command = [process.execPath, ...main.options, main.file, ...args];
  const [file = '', ...rest] =
    fileBlocks === undefined ? command : ['sh', '-c', `ulimit -S -f ${fileBlocks}; exec "$@"`, 'sh', ...command];
  return spawn(file, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, LOG_LEVEL: 'silent' } });
}

/** What the ready line says; undefined when the process ends without one. */
async function connectionOf(child: ChildProcess): Promise<string | undefined> {
  if (child.stdout === null) throw new Error('The process has no stdout.');
  for await (const line of createInterface({ input: child.stdout })) {
    const [, json] = /^ready event-store (.*)$/.exec(line) ?? [];
    if (json !== undefined) return (JSON.parse(json) as { connectionString: string }).connectionString;
  }
  return undefined;
}

export const isStore = (started: Store | End): started is Store => 'child' in started;

export const tellEnd = ({ code, signal, stderr }: End): string =>
  `${signal ?? `exit code ${code}`}${stderr.trim() === '' ? '' : `: ${stderr.trim().split('\n').slice(0, 3).join(' / ')}`}`;
