import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { Redis } from 'ioredis';
import type { Logger } from '../runtime/logger.js';

export interface RunningRedis {
  port: number;
  /** `redis://127.0.0.1:<port>` */
  url: string;
  /** Resolves when the server has ended, whoever ended it. */
  exited: Promise<RedisExit>;
  /** Ends the server cleanly; its data stay in `dataDir`. */
  close(): Promise<void>;
}

export interface RedisExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A Redis that is missing or does not start; the message is one sentence for a person. */
export class RedisError extends Error {
  override readonly name = 'RedisError';
  constructor(
    readonly code: 'redis-missing' | 'redis-port-in-use' | 'redis-not-ready',
    message: string,
  ) {
    super(message);
  }
}

const readyLimitMs = 15_000;
const stopLimitMs = 10_000;

/** The path of `redis-server` on PATH, or undefined. */
export function findRedis(path = process.env['PATH'] ?? ''): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'redis-server'))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return statSync(file).isFile();
      } catch {
        return false;
      }
    });
}

/** Redis never reads stdin, so a watcher beside it does, and ends it when the parent's end of that pipe closes. */
const endsWithItsParent = 'exec 3<&0; (cat <&3; kill -TERM $$) >/dev/null 2>&1 & exec "$@" 3<&-';

/**
 * The command line of a durable Redis on 127.0.0.1. It must be spawned with stdin as a pipe: when that closes (the
 * parent ended, even by kill -9), Redis ends as on SIGTERM. The spawned process id is Redis's own.
 *
 * @throws RedisError `redis-missing`
 */
export function redisCommand(options: { port: number; dataDir: string }): { command: string; args: string[] } {
  const binary = findRedis();
  if (binary === undefined) {
    throw new RedisError(
      'redis-missing',
      'redis-server was not found on PATH: run `node scripts/setup.mjs`, or install it (Debian, Ubuntu: apt-get install redis-server).',
    );
  }
  const settings = {
    port: String(options.port),
    bind: '127.0.0.1',
    dir: options.dataDir,
    appendonly: 'yes',
    'maxmemory-policy': 'noeviction',
    save: '',
    daemonize: 'no',
  };
  const flags = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value]);
  return { command: '/bin/sh', args: ['-c', endsWithItsParent, 'redis', binary, ...flags] };
}

/**
 * Starts Redis on `dataDir` and waits until it answers, its data loaded. A port of 0 picks a free one.
 *
 * @throws RedisError when there is no redis-server, the port is taken, or it does not answer within 15 seconds
 */
export async function startRedis(options: { dataDir: string; port: number; log: Logger }): Promise<RunningRedis> {
  mkdirSync(options.dataDir, { recursive: true });
  const port = options.port === 0 ? await freePort() : options.port;
  const { command, args } = redisCommand({ port, dataDir: options.dataDir });
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const output = lastOutput(child);
  const exited = new Promise<RedisExit>((resolve) => {
    child.once('error', () => resolve({ code: null, signal: null }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  try {
    await answering(child, port, exited, output);
  } catch (err) {
    child.kill('SIGKILL');
    throw err;
  }
  options.log.info('redis started', { port, pid: child.pid });
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    exited,
    async close() {
      child.kill('SIGTERM');
      const limit = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
      await exited;
      clearTimeout(limit);
    },
  };
}

async function answering(
  child: ChildProcess,
  port: number,
  exited: Promise<RedisExit>,
  output: () => string,
): Promise<void> {
  const client = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 25, maxRetriesPerRequest: null });
  client.on('error', () => {});
  let limit: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    limit = setTimeout(() => {
      reject(new RedisError('redis-not-ready', `Redis did not answer within ${readyLimitMs / 1000} s. ${output()}`));
    }, readyLimitMs);
  });
  const ended = exited.then(({ code, signal }) => {
    if (output().includes('Address already in use')) throw portInUse(port);
    throw new RedisError(
      'redis-not-ready',
      `Redis ended while starting (${signal ?? `exit code ${code}`}). ${output()}`,
    );
  });
  const answered = async () => {
    await client.ping();
    // Another Redis may hold the port and answer in the place of ours.
    const pid = /process_id:(\d+)/.exec(await client.info('server'))?.[1];
    if (pid !== String(child.pid)) throw portInUse(port);
  };
  try {
    await Promise.race([answered(), ended, tooLate]);
  } finally {
    clearTimeout(limit);
    client.disconnect();
    ended.catch(() => {});
  }
}

function portInUse(port: number): RedisError {
  return new RedisError('redis-port-in-use', `Port ${port}, where Redis should listen, is already in use.`);
}

/** Keeps the child's pipes empty and remembers the end of what it said. */
function lastOutput(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-4_000);
    });
  }
  return () => (text === '' ? '' : `Redis said last: ${text.trim().split('\n').slice(-5).join(' | ')}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new Error('the system named no free port'));
      });
    });
  });
}
