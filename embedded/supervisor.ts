import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../runtime/logger.js';

export interface ProcessSpec {
  name: string;
  command: string;
  args: string[];
  /** added to the supervisor's own environment */
  env?: Record<string, string>;
  /** 'line': a line `ready <name> {json}` on stdout; a port: 127.0.0.1 accepts connections there */
  ready: 'line' | { port: number };
}

export type SupervisorEvent =
  | { type: 'ready'; name: string; pid: number; facts: Record<string, unknown>; tookMs: number }
  | { type: 'died'; name: string; reason: string; restartInMs: number }
  | { type: 'restart-failed'; name: string; reason: string; restartInMs: number }
  | { type: 'killed-at-stop'; name: string; afterMs: number }
  | { type: 'stopped'; name: string };

export interface SupervisorLimits {
  /** A process that picks up a thousand open orders, or folds a long log, on a busy machine takes more than a moment. */
  readyMs: number;
  stopMs: number;
  firstBackoffMs: number;
  maxBackoffMs: number;
  /** a process that ran this long starts again with the first back-off */
  steadyMs: number;
  /** a log file larger than this moves to `<name>.log.1` */
  logBytes: number;
}

export interface SupervisorOptions {
  /** every process logs (stderr, and stdout beside its ready line) to `<logDir>/<name>.log` */
  logDir: string;
  log: Logger;
  onEvent?: (event: SupervisorEvent) => void;
  onLogLine?: (name: string, line: string) => void;
  /** gives up a start that is still under way, and stops what it started */
  signal?: AbortSignal;
  limits?: Partial<SupervisorLimits>;
}

export interface Supervisor {
  /** what the process last said in its ready line */
  facts(name: string): Record<string, unknown>;
  /** undefined while the process is down */
  pid(name: string): number | undefined;
  restarts(name: string): number;
  /** Sends a signal to one process, for drills; false if it is down. A process that dies of it is restarted. */
  kill(name: string, signal: NodeJS.Signals): boolean;
  /** Stops all, last stage first. */
  stop(): Promise<void>;
}

/** A process that cannot be started; the message is for a person and ends with what the process said last. */
export class SupervisorError extends Error {
  override readonly name = 'SupervisorError';
  constructor(
    readonly code: 'process-ended' | 'process-not-ready' | 'port-in-use' | 'start-aborted' | 'process-unknown',
    message: string,
  ) {
    super(message);
  }
}

const defaults: SupervisorLimits = {
  readyMs: 180_000,
  stopMs: 10_000,
  firstBackoffMs: 200,
  maxBackoffMs: 10_000,
  steadyMs: 30_000,
  logBytes: 10 * 1024 * 1024,
};

/**
 * Starts processes stage by stage (those of one stage in parallel), waits until each is ready, and restarts with
 * exponential back-off what dies later. Processes get `SHOPLEDGER_SUPERVISED=1`, a stdin that closes when the
 * supervisor ends however it ends, and a process group of their own, so that Ctrl-C reaches the supervisor alone.
 *
 * @throws SupervisorError when a process does not become ready; everything started by then is stopped first
 */
export async function startSupervised(stages: ProcessSpec[][], options: SupervisorOptions): Promise<Supervisor> {
  const limits = { ...defaults, ...options.limits };
  mkdirSync(options.logDir, { recursive: true });
  const staged = stages.map((stage) => stage.map((spec) => superviseProcess(spec, options, limits)));
  const byName = new Map(staged.flat().map((process) => [process.name, process]));
  if (byName.size !== staged.flat().length) throw new Error('two supervised processes have one name');

  const stop = async () => {
    for (const stage of staged.toReversed()) await Promise.all(stage.map((process) => process.stop()));
  };
  let starting: Promise<void>[] = [];
  try {
    for (const stage of staged) {
      starting = stage.map((process) => process.start());
      await Promise.race([Promise.all(starting), aborted(options.signal)]);
    }
  } catch (err) {
    await stop();
    await Promise.allSettled(starting);
    throw err;
  }

  const find = (name: string) => {
    const found = byName.get(name);
    if (found === undefined) throw new SupervisorError('process-unknown', `No process is named ${name}.`);
    return found;
  };
  return {
    facts: (name) => find(name).facts(),
    pid: (name) => find(name).pid(),
    restarts: (name) => find(name).restarts(),
    kill: (name, signal) => find(name).kill(signal),
    stop,
  };
}

/** A spawned process that became ready. */
interface Run {
  /** milliseconds, monotonic */
  readyAt: number;
  /** resolves with a reason such as `exit code 1` */
  ended: Promise<string>;
}

function superviseProcess(spec: ProcessSpec, options: SupervisorOptions, limits: SupervisorLimits) {
  const { name } = spec;
  const stopSignal = new AbortController();
  let child: ChildProcess | undefined;
  let ended: Promise<string> = Promise.resolve('');
  let watching: Promise<void> = Promise.resolve();
  let facts: Record<string, unknown> = {};
  let restarts = 0;

  const emit = (event: SupervisorEvent) => {
    const { type, ...rest } = event;
    const level = type === 'ready' || type === 'stopped' ? 'info' : 'warn';
    // The logger redacts `name`, because in a shop that is a person's.
    options.log[level](`process ${name}: ${type}`, { ...rest, name: undefined, process: name });
    options.onEvent?.(event);
  };

  const launch = async (): Promise<Run> => {
    const began = performance.now();
    if (spec.ready !== 'line' && (await accepts(spec.ready.port))) {
      throw new SupervisorError('port-in-use', `Port ${spec.ready.port}, which ${name} needs, is already in use.`);
    }
    if (stopSignal.signal.aborted) throw new SupervisorError('start-aborted', `${name} was stopped before it started.`);
    const spawned = spawnInGroup(spec, options, limits);
    child = spawned.child;
    ended = spawned.ended.finally(() => {
      child = undefined;
    });
    const settled = new AbortController();
    try {
      facts = await Promise.race([
        spec.ready === 'line' ? spawned.readyLine : answers(spec.ready.port, settled.signal),
        spawned.ended.then((reason) => {
          throw new SupervisorError('process-ended', `${name} ended while starting (${reason}).${spawned.lastWords()}`);
        }),
        sleep(limits.readyMs, undefined, { signal: settled.signal }).then(() => {
          const waited = `${name} did not become ready within ${limits.readyMs / 1000} s.`;
          throw new SupervisorError('process-not-ready', waited + spawned.lastWords());
        }),
      ]);
    } catch (err) {
      signalGroup(spawned.child, 'SIGKILL');
      await ended;
      throw err;
    } finally {
      settled.abort();
    }
    const readyAt = performance.now();
    emit({ type: 'ready', name, pid: spawned.child.pid ?? 0, facts, tookMs: Math.round(readyAt - began) });
    return { readyAt, ended };
  };

  const watch = async (first: Run): Promise<void> => {
    let run: Run | undefined = first;
    let failures = 0;
    for (;;) {
      let event: 'died' | 'restart-failed' = 'died';
      let reason = 'not started';
      try {
        run ??= await launch();
        const { readyAt } = run;
        reason = await run.ended;
        if (performance.now() - readyAt >= limits.steadyMs) failures = 0;
      } catch (err) {
        event = 'restart-failed';
        reason = err instanceof Error ? err.message : String(err);
      }
      if (stopSignal.signal.aborted) return;
      run = undefined;
      const restartInMs = Math.min(limits.maxBackoffMs, limits.firstBackoffMs * 2 ** failures);
      failures += 1;
      emit({ type: event, name, reason, restartInMs });
      await sleep(restartInMs, undefined, { signal: stopSignal.signal }).catch(() => {});
      if (stopSignal.signal.aborted) return;
      restarts += 1;
    }
  };

  return {
    name,
    facts: () => facts,
    pid: () => child?.pid,
    restarts: () => restarts,
    kill: (signal: NodeJS.Signals) => child?.kill(signal) ?? false,
    async start() {
      const run = await launch();
      watching = watch(run);
    },
    async stop() {
      if (stopSignal.signal.aborted) return watching;
      stopSignal.abort();
      const running = child;
      if (running !== undefined) {
        running.kill('SIGTERM');
        const limit = setTimeout(() => {
          signalGroup(running, 'SIGKILL');
          emit({ type: 'killed-at-stop', name, afterMs: limits.stopMs });
        }, limits.stopMs);
        await ended;
        clearTimeout(limit);
        emit({ type: 'stopped', name });
      }
      await watching;
    },
  };
}

function spawnInGroup(spec: ProcessSpec, options: SupervisorOptions, limits: SupervisorLimits) {
  const child = spawn(spec.command, spec.args, {
    env: { ...process.env, ...spec.env, SHOPLEDGER_SUPERVISED: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const logFile = openLog(join(options.logDir, `${spec.name}.log`), limits.logBytes);
  let tail = '';
  const keep = (text: string) => {
    tail = (tail + text).slice(-4_000);
    logFile.write(text);
  };
  const readyPrefix = `ready ${spec.name} `;
  const readyLine = new Promise<Record<string, unknown>>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const facts = line.startsWith(readyPrefix) ? parseFacts(line.slice(readyPrefix.length)) : undefined;
      if (facts !== undefined) resolve(facts);
      else keep(`${line}\n`);
    });
  });
  child.stderr.setEncoding('utf8').on('data', keep);
  const { onLogLine } = options;
  if (onLogLine !== undefined) {
    createInterface({ input: child.stderr }).on('line', (line) => onLogLine(spec.name, line));
  }
  const ended = new Promise<string>((resolve) => {
    child.once('error', (err) => resolve(err.message));
    child.once('exit', (code, signal) => {
      const reason = signal === null ? `exit code ${code}` : `signal ${signal}`;
      // What the process itself had started must not outlive it, nor hold its port.
      signalGroup(child, 'SIGKILL');
      const limit = setTimeout(() => resolve(reason), 500);
      child.once('close', () => {
        clearTimeout(limit);
        resolve(reason);
      });
    });
  }).finally(() => logFile.close());
  const lastWords = () => {
    const lines = tail.trim().split('\n').slice(-8).join('\n  ');
    return lines === '' ? '' : ` It said last:\n  ${lines}`;
  };
  return { child, ended, readyLine, lastWords };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone.
  }
}

function parseFacts(json: string): Record<string, unknown> | undefined {
  try {
    const facts: unknown = JSON.parse(json);
    return typeof facts === 'object' && facts !== null ? { ...facts } : undefined;
  } catch {
    return undefined;
  }
}

/** Writes synchronously: the supervisor has nothing else to do, and the pipe slows a process that logs too fast. */
function openLog(path: string, maxBytes: number): { write(text: string): void; close(): void } {
  let file: number | undefined = openSync(path, 'a', 0o600);
  let size = fstatSync(file).size;
  return {
    write(text) {
      if (file === undefined) return;
      try {
        size += writeSync(file, text);
      } catch {
        // A full disk costs log lines, not the processes that wrote them.
        return;
      }
      if (size <= maxBytes || !text.endsWith('\n')) return;
      closeSync(file);
      renameSync(path, `${path}.1`);
      file = openSync(path, 'a', 0o600);
      size = 0;
    },
    close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const answer = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => answer(true)).once('error', () => answer(false));
  });
}

async function answers(port: number, signal: AbortSignal): Promise<Record<string, unknown>> {
  while (!(await accepts(port))) await sleep(25, undefined, { signal });
  return { port };
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const give = () => reject(new SupervisorError('start-aborted', 'The start was given up.'));
    if (signal?.aborted) give();
    else signal?.addEventListener('abort', give, { once: true });
  });
}
