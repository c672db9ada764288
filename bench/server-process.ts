import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { entryPoint } from '../test/support/entry-point.js';
import type { Harness } from './harness.js';

const stopLimitMs = 10_000;
const keptLines = 20;

/** A service of the shop, or an embedded server, as a process of its own. */
export interface Service {
  readonly pid: number;
  /** what it said in its ready line */
  readonly facts: Readonly<Record<string, unknown>>;
  /** Ends it in order, or with SIGKILL when it takes too long. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts a service and waits for its ready line. It ends with the question; when it dies before, the question is given
 * up.
 *
 * @param module where it lies, from the root and without its ending, such as `embedded/event-store-server/main`
 * @throws Error with what it said last when it ends before it is ready
 */
export async function startService(harness: Harness, module: string, args: readonly string[]): Promise<Service> {
  const { file, options } = entryPoint(import.meta.url, `../${module}`);
  // Supervised: it ends by itself when this process dies and takes the pipe with it.
  const env = { LOG_LEVEL: 'warn', ...process.env, SHOPLEDGER_SUPERVISED: '1' };
  // Node's own options are handed on, so that `node --cpu-prof` profiles the service too.
  const child = spawn(process.execPath, [...process.execArgv, ...options, file, ...args], { env, stdio: 'pipe' });
  const exited = new Promise<string>((resolve) => {
    child.once('error', (fault) => resolve(fault.message));
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  let stopping = false;
  const stop = async () => {
    stopping = true;
    await stopChild(child, exited);
  };
  try {
    harness.atEnd(stop);
  } catch (fault) {
    await stop();
    throw fault;
  }
  const said: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    said.push(line);
    said.splice(0, said.length - keptLines);
  });
  void exited.then((how) => {
    if (!stopping) harness.fail(new Error([`${module} ended (${how}).`, ...said].join('\n')));
  });
  const facts = await readyLine(child, exited);
  if (facts === undefined || child.pid === undefined) {
    throw new Error([`${module} ended (${await exited}) before it was ready.`, ...said].join('\n'));
  }
  return { pid: child.pid, facts, stop };
}

function readyLine(
  child: ChildProcess & { stdout: NodeJS.ReadableStream },
  exited: Promise<string>,
): Promise<Record<string, unknown> | undefined> {
  return new Promise((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, json] = /^ready \S+ (\{.*\})$/.exec(line) ?? [];
      if (json !== undefined) resolve(JSON.parse(json) as Record<string, unknown>);
    });
    void exited.then(() => resolve(undefined));
  });
}

async function stopChild(child: ChildProcess, exited: Promise<string>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  const limit = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
  await exited;
  clearTimeout(limit);
}
