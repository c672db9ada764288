import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { type Db, type Document, MongoClient } from 'mongodb';
import { silentLogger } from '../../runtime/logger.js';
import { entryPoint } from '../../test/support/entry-point.js';
import { exitOf, readyFacts, runEntry, type SpawnOptions, spawnEntry } from '../../test/support/spawn-entry.js';
import { type DocumentStore, type DocumentStoreOptions, startDocumentStore } from './document-store.js';

/** A server on a fresh data directory with the official driver connected, for this room's tests. */
export interface TestServer {
  dataDir: string;
  store: DocumentStore;
  client: MongoClient;
  db: Db;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** @param options what differs from a plain server; a data directory that is handed in is removed at the end as well */
export async function startTestServer(options: Partial<DocumentStoreOptions> = {}): Promise<TestServer> {
  const dataDir = options.dataDir ?? mkdtempSync(path.join(tmpdir(), 'document-store-'));
  const open = async () => {
    const store = await startDocumentStore({ port: 0, log: silentLogger, ...options, dataDir });
    const client = new MongoClient(store.connectionString, { serverSelectionTimeoutMS: 5000 });
    return { store, client, db: client.db('shop') };
  };
  const close = async () => {
    await server.client.close();
    await server.store.close();
  };
  const server: TestServer = {
    dataDir,
    ...(await open()),
    async restart() {
      await close();
      Object.assign(server, await open());
    },
    async stop() {
      await close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  return server;
}

const main = entryPoint(import.meta.url, './main');

/** Runs the server's own command to its end. */
export const runMain = (args: string[]) => runEntry(main, args);

export interface StoreProcess {
  child: ChildProcess;
  connectionString: string;
  metricsPort: number | undefined;
  exited: Promise<number | null>;
}

/** Starts the server as a process of its own and waits for its ready line. */
export async function spawnStore(
  dataDir: string,
  { args = [], ...options }: SpawnOptions & { args?: string[] } = {},
): Promise<StoreProcess> {
  const child = spawnEntry(main, ['--data', dataDir, '--port', '0', ...args], options);
  const exited = exitOf(child);
  const facts = await readyFacts<{ connectionString: string; metricsPort?: number }>(child, 'document-store');
  return { child, connectionString: facts.connectionString, metricsPort: facts.metricsPort, exited };
}

export type Failure = Error & { code?: number | undefined; [key: string]: unknown };

/** The error of a promise that must fail. */
export async function failure(promise: Promise<unknown>): Promise<Failure> {
  try {
    await promise;
  } catch (err) {
    return err as Failure;
  }
  throw new Error('it did not fail');
}

/** Runs commands that must be refused: each with its code, and its database if that is not `shop`. */
export async function expectRefusals(
  { client }: TestServer,
  refused: [command: Document, code: number, database?: string][],
): Promise<void> {
  for (const [command, code, database = 'shop'] of refused) {
    const err = await failure(client.db(database).command(command));
    const found = [err.code, typeof err['codeName']];
    expect(found, `${JSON.stringify(command)}: ${err.message}`).to.deep.equal([code, 'string']);
  }
}
