import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Document } from 'mongodb';
import { MongoClient, MongoServerError } from 'mongodb';
import { startDocumentStore, verifyDataDir } from '../../../embedded/document-store-server/document-store.js';
import { silentLogger } from '../../../runtime/logger.js';

/** What a command came to: its reply, embedded documents as their bytes, or the code it was refused with. */
export type Outcome = { readonly reply: Document } | { readonly code: number; readonly message: string };

export interface Server {
  /** Names not used before. */
  freshName(): string;
  run(command: Document): Promise<Outcome>;
  /** The reply of a command that must not be refused. @throws Error when it is */
  demand(command: Document): Promise<Document>;
  /** Stops it, checks every index against every document, and removes the data. @returns a sentence per fault */
  end(): Promise<string[]>;
}

/** A document store in this process with the official driver connected. */
export async function startServer(): Promise<Server> {
  const dataDir = mkdtempSync(join(tmpdir(), 'fuzz-'));
  const store = await startDocumentStore({ dataDir, port: 0, log: silentLogger });
  const client = new MongoClient(store.connectionString, { maxPoolSize: 8 });
  const db = client.db('fuzz');
  let names = 0;
  const run = async (command: Document): Promise<Outcome> => {
    try {
      return { reply: await db.command(command, { raw: true }) };
    } catch (err) {
      if (!(err instanceof MongoServerError)) throw err;
      return { code: Number(err.code), message: err.message };
    }
  };
  return {
    freshName: () => `c${++names}`,
    run,
    async demand(command) {
      const outcome = await run(command);
      if ('reply' in outcome) return outcome.reply;
      throw new Error(`${Object.keys(command)[0]}: ${outcome.code} ${outcome.message}`);
    },
    async end() {
      await client.close();
      await store.close();
      const { faults } = await verifyDataDir(dataDir, silentLogger);
      rmSync(dataDir, { recursive: true, force: true });
      return faults;
    },
  };
}
