import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type Collection, MongoClient } from 'mongodb';
import type { Harness } from '../harness.js';
import { metered, type Sample } from '../meter.js';
import { type Service, startService } from '../server-process.js';
import { indexes, type Product, product } from './data.js';

/** A server in a process of its own with a collection of so many products, and the official client in this process. */
export interface Store {
  readonly server: Service;
  readonly products: Collection<Product>;
  readonly documents: number;
  /** the load of the collection, through the client */
  readonly loading: Sample;
  /** of the data directory's file after the load, a document */
  readonly diskBytes: number;
}

export const batchSize = 1_000;
const loadsAtOnce = 2;

/** Starts a server on a new data directory and fills it, its indexes in place before. It ends with the question. */
export async function openStore(harness: Harness, documents: number): Promise<Store> {
  const dataDir = await harness.folder();
  const server = await startService(harness, 'embedded/document-store-server/main', ['--data', dataDir, '--port', '0']);
  const client = new MongoClient(String(server.facts['connectionString']));
  harness.atEnd(() => client.close());
  const products = client.db('shop').collection<Product>('products');
  for (const key of indexes) await products.createIndex(key);
  const loading = await metered(server.pid, () => load(harness, products, documents));
  const diskBytes = statSync(join(dataDir, 'data.mdb')).size / documents;
  return { server, products, documents, loading, diskBytes };
}

async function load(harness: Harness, products: Collection<Product>, documents: number): Promise<number> {
  const told = Math.max(batchSize, Math.ceil(documents / 5));
  let next = 0;
  const lane = async () => {
    while (next < documents) {
      const from = next;
      next = Math.min(documents, from + batchSize);
      if (from % told < batchSize) harness.progress(`loading ${documents} products, ${from} so far`);
      const batch = Array.from({ length: next - from }, (_, i) => product(harness.seed, from + i, documents));
      await products.insertMany(batch);
    }
  };
  await Promise.all(Array.from({ length: loadsAtOnce }, lane));
  return documents;
}
