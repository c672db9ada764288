import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

interface Entry {
  file: string;
  options: string[];
}

export interface SpawnOptions {
  /** how long its files may grow, in the shell's blocks of 512 bytes: the disk that fills up */
  fileBlocks?: number | undefined;
  env?: Record<string, string> | undefined;
}

/** Starts an entry point (`entry-point.ts`) as a process that ends with this one, however that ends. */
export function spawnEntry(main: Entry, args: string[], { fileBlocks, env = {} }: SpawnOptions = {}): ChildProcess {
  const command = [process.execPath, ...main.options, main.file, ...args];
  const [file = '', ...rest] =
    fileBlocks === undefined ? command : ['sh', '-c', `ulimit -f ${fileBlocks}; exec "$@"`, 'sh', ...command];
  return spawn(file, rest, {
    // A server whose spec is cut off stops when its stdin ends.
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, LOG_LEVEL: 'silent', SHOPLEDGER_SUPERVISED: '1', ...env },
  });
}

export const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => child.once('exit', (code) => resolve(code)));

/** What a process says until it ends. */
export async function runEntry(
  main: Entry,
  args: string[],
  options: SpawnOptions = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawnEntry(main, args, options);
  const [stdout, stderr] = [gather(child.stdout), gather(child.stderr)];
  const code = await exitOf(child);
  return { code, stdout: await stdout, stderr: await stderr };
}

/** Waits for a server's `ready <name> <json>` line. @returns what the line says @throws Error when it ends before */
export async function readyFacts<T>(child: ChildProcess, name: string): Promise<T> {
  if (child.stdout === null) throw new Error('The process has no stdout.');
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith(`ready ${name} `)) return JSON.parse(line.slice(`ready ${name} `.length)) as T;
  }
  throw new Error(`The ${name} ended before it was ready.`);
}

async function gather(stream: ChildProcess['stdout']): Promise<string> {
  let text = '';
  if (stream === null) return text;
  for await (const chunk of stream) text += String(chunk);
  return text;
}
