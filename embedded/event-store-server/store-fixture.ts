import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AllStreamResolvedEvent, EventStoreDBClient, type ResolvedEvent } from '@eventstore/db-client';
import { Registry } from 'prom-client';
import { silentLogger } from '../../runtime/logger.js';
import { entryPoint } from '../../test/support/entry-point.js';
import { exitOf, readyFacts, runEntry, type SpawnOptions, spawnEntry } from '../../test/support/spawn-entry.js';
import { openDiskRoom } from '../disk-room.js';
import { CommitSignal } from './commit-signal.js';
import { dataFile, openStorage } from './data-directory.js';
import { storeMetrics } from './metrics.js';
import { type EventStoreOptions, type RunningEventStore, startEventStore } from './server.js';
import { Writer } from './writer.js';

/** Shared by the specs of this folder: a store on a temporary directory with the official client beside it. */
export interface TestStore {
  dataDir: string;
  store: RunningEventStore;
  client: EventStoreDBClient;
  /**
   * Another client, disposed of with the store.
   *
   * @param settings more of the connection string, as in `throwOnAppendFailure=false`
   */
  connect(settings?: string): EventStoreDBClient;
  /** Closes the store and starts it again on the same data, with a new client. */
  restart(): Promise<void>;
  /** Closes the store and keeps the data. */
  stop(): Promise<void>;
  remove(): Promise<void>;
}

export const makeDataDir = (): string => mkdtempSync(join(tmpdir(), 'event-store-'));

export async function openTestStore(options: Partial<EventStoreOptions> = {}): Promise<TestStore> {
  const dataDir = options.dataDir ?? makeDataDir();
  const start = () => startEventStore({ port: 0, log: silentLogger, ...options, dataDir });
  const store = await start();
  let clients: EventStoreDBClient[] = [];
  const test: TestStore = {
    dataDir,
    store,
    client: connect(store.connectionString),
    connect(settings) {
      const client = connect(`${test.store.connectionString}${settings === undefined ? '' : `&${settings}`}`);
      clients.push(client);
      return client;
    },
    async restart() {
      await test.stop();
      test.store = await start();
      test.client = test.connect();
    },
    async stop() {
      await Promise.all(clients.map((client) => client.dispose()));
      clients = [];
      await test.store.close();
    },
    async remove() {
      await test.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  clients.push(test.client);
  return test;
}

/** The store's insides without its server, for specs that look at one part. Whoever opens them closes them. */
export async function openParts(dataDir: string, now: () => number = Date.now, options: { serve?: boolean } = {}) {
  const storage = await openStorage(dataDir, options);
  const room = openDiskRoom(storage, join(dataDir, dataFile), 0);
  const signal = new CommitSignal();
  const metrics = storeMetrics(new Registry());
  const fatal = (err: unknown) => {
    throw err;
  };
  const writer = new Writer({ storage, room, signal, metrics, log: silentLogger, fatal, now });
  return {
    storage,
    room,
    signal,
    metrics,
    writer,
    log: silentLogger,
    now,
    async close() {
      await writer.idle();
      await room.close();
      await storage.close();
    },
  };
}

export type Parts = Awaited<ReturnType<typeof openParts>>;

export const connect = (connectionString: string): EventStoreDBClient =>
  EventStoreDBClient.connectionString(connectionString);

export async function collect<T>(events: AsyncIterable<T>, count = Number.POSITIVE_INFINITY): Promise<T[]> {
  const taken: T[] = [];
  if (count === 0) return taken;
  for await (const event of events) {
    taken.push(event);
    if (taken.length >= count) break;
  }
  return taken;
}

export const typesOf = (events: readonly (ResolvedEvent | AllStreamResolvedEvent)[]): string[] =>
  events.map(({ event }) => event?.type ?? '(none)');

/** What a promise was rejected with; a promise that resolves is a failure. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (err) {
    return err;
  }
  throw new Error(`A rejection was expected, it resolved to ${String(value)}.`);
}

export interface StoreProcess {
  child: ChildProcess;
  connectionString: string;
  /** where it was asked for */
  metricsPort: number | undefined;
  exited: Promise<number | null>;
}

const main = entryPoint(import.meta.url, './main');

/** Runs the server's own command to its end. */
export const runMain = (args: string[]) => runEntry(main, args);

/** Starts the server as a process of its own and waits for its ready line. */
export async function spawnStore(
  dataDir: string,
  { args = [], ...options }: SpawnOptions & { args?: string[] } = {},
): Promise<StoreProcess> {
  const child = spawnEntry(main, ['--data', dataDir, '--port', '0', ...args], options);
  const exited = exitOf(child);
  const facts = await readyFacts<{ connectionString: string; metricsPort?: number }>(child, 'event-store');
  return { child, connectionString: facts.connectionString, metricsPort: facts.metricsPort, exited };
}
