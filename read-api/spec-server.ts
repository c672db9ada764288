import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Document, MongoClient } from 'mongodb';
import { startDocumentStore } from '../embedded/document-store-server/document-store.js';
import { connectDocumentStore } from '../runtime/document-store/connect.js';
import { type Caller, internalTokenSigner } from '../runtime/http/internal-token.js';
import { listen } from '../runtime/http/listen.js';
import { silentLogger } from '../runtime/logger.js';
import { buildReadApp } from './app.js';
import type { OpenPersonal } from './orders/order-routes.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly code: string | undefined;
  readonly data: unknown;
}

const internalSecret = 'ab'.repeat(32);

/** Tells of every command that a database gets. */
function watched(url: string, onCommand: (command: Document) => void) {
  const client = new MongoClient(url, { monitorCommands: true, useBigInt64: true });
  client.on('commandStarted', ({ command }) => onCommand(command));
  return { db: client.db('specs'), close: () => client.close() };
}

/**
 * The read side over HTTP on a document store of its own.
 *
 * @param onCommand hears what the read side asks of the store
 */
export async function startReadSide(
  openPersonal: OpenPersonal = async () => undefined,
  onCommand?: (command: Document) => void,
) {
  const directory = await mkdtemp(join(tmpdir(), 'shopledger-read-api-'));
  const server = await startDocumentStore({ dataDir: directory, port: 0, log: silentLogger });
  const store = await connectDocumentStore({
    url: server.connectionString,
    database: 'specs',
    appName: 'specs',
    selectionTimeoutMs: 300,
  });
  const asking = onCommand === undefined ? undefined : watched(server.connectionString, onCommand);
  const deps = { db: asking?.db ?? store.db, ping: store.ping, internalSecret, openPersonal, log: silentLogger };
  const listening = await listen(buildReadApp(deps), 0);
  const sign = internalTokenSigner(internalSecret);
  return {
    url: listening.url,
    db: store.db,
    stopDocuments: () => server.close(),
    async get(path: string, caller: Caller, headers: Record<string, string> = {}): Promise<Answer> {
      const sent = { 'x-internal-token': await sign(caller), ...headers };
      const res = await fetch(`${listening.url}${path}`, { headers: sent });
      const body = (await res.json()) as { code?: string; data?: unknown };
      return { status: res.status, headers: res.headers, code: body.code, data: body.data };
    },
    async close() {
      await listening.close();
      await asking?.close();
      await store.close();
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
