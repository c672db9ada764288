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
const verifyLimitMs = 60_000;
const mains = {
  'event-store': entryPoint(import.meta.url, '../../embedded/event-store-server/main'),
  'document-store': entryPoint(import.meta.url, '../../embedded/document-store-server/main'),
};
export type ServerName = keyof typeof mains;

const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Starts a server on a data directory, as a process that does not outlive this one. @returns it, or how it ended */
export async function startStore(name: ServerName, dataDir: string, options: StartOptions = {}): Promise<Store | End> {
  const args = ['--data', dataDir, '--port', '0', ...(options.args ?? [])];
  const { child, ended, isRunning } = spawnServer(name, args, options.fileBlocks);
  const timer = setTimeout(() => child.kill('SIGKILL'), options.killAfterMs ?? startLimitMs);
  const connectionString = await connectionOf(name, child);
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
    isRunning,
    stop(signal) {
      child.kill(signal);
      return ended;
    },
  };
}

/** Has a server's `--verify` look at a data directory that nobody uses. @returns what it printed, and how it ended */
export async function verifyStore(name: ServerName, dataDir: string): Promise<End & { readonly stdout: string }> {
  const { child, ended } = spawnServer(name, ['--data', dataDir, '--verify']);
  let stdout = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), verifyLimitMs);
  const end = await ended;
  clearTimeout(timer);
  return { ...end, stdout };
}

function spawnServer(name: ServerName, args: readonly string[], fileBlocks?: number) {
  const main = mains[name];
  const command = [process.execPath, ...main.options, main.file, ...args];
  const [file = '', ...rest] =
    fileBlocks === undefined ? command : ['sh', '-c', `ulimit -S -f ${fileBlocks}; exec "$@"`, 'sh', ...command];
  const env = { ...process.env, LOG_LEVEL: 'silent' };
  const child = spawn(file, rest, { stdio: ['ignore', 'pipe', 'pipe'], env });
  alive.add(child);
  let stderr = '';
  let running = true;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
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
  return { child, ended, isRunning: () => running };
}

/** What the ready line says; undefined when the process ends without one. */
async function connectionOf(name: ServerName, child: ChildProcess): Promise<string | undefined> {
  if (child.stdout === null) throw new Error('The process has no stdout.');
  const ready = `ready ${name} `;
  for await (const line of createInterface({ input: child.stdout })) {
    const json = line.startsWith(ready) ? line.slice(ready.length) : undefined;
    if (json !== undefined) return (JSON.parse(json) as { connectionString: string }).connectionString;
  }
  return undefined;
}

export const isStore = (started: Store | End): started is Store => 'child' in started;

export const tellEnd = ({ code, signal, stderr }: End): string =>
  `${signal ?? `exit code ${code}`}${stderr.trim() === '' ? '' : `: ${stderr.trim().split('\n').slice(0, 3).join(' / ')}`}`;
