import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Db, MongoClient } from 'mongodb';
import { silentLogger } from '../../runtime/logger.js';
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
