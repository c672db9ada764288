import type { Document } from 'mongodb';
import { failure, startTestServer, type TestServer } from '../test-server.js';

export interface Doc extends Document {
  _id: number;
}

export const sales: Doc[] = [
  { _id: 1, item: 'abc', price: 10, quantity: 2, tags: ['red', 'new'], date: new Date('2014-03-01T08:00:00Z') },
  { _id: 2, item: 'jkl', price: 20, quantity: 1, tags: ['red'], date: new Date('2014-03-01T09:00:00Z') },
  { _id: 3, item: 'xyz', price: 5, quantity: 10, tags: [], date: new Date('2014-03-15T09:00:00Z') },
  { _id: 4, item: 'xyz', price: 5, quantity: 20, date: new Date('2014-04-04T11:21:39.736Z') },
  { _id: 5, item: 'abc', price: 10, quantity: 10, tags: null, date: new Date('2014-04-04T21:23:13.331Z') },
];

/** A server with the sales in a collection of that name, and ways to run pipelines over it. */
export interface Sales {
  server: TestServer;
  run(...pipeline: Document[]): Promise<Document[]>;
  ids(...pipeline: Document[]): Promise<unknown[]>;
  /** the code a pipeline is refused with */
  refusal(...pipeline: Document[]): Promise<number | undefined>;
}

export async function startSales(): Promise<Sales> {
  const server = await startTestServer();
  const collection = server.db.collection<Doc>('sales');
  await collection.insertMany(sales);
  await collection.createIndex({ item: 1 });
  const run = (...pipeline: Document[]) => collection.aggregate(pipeline).toArray();
  return {
    server,
    run,
    ids: async (...pipeline) => (await run(...pipeline)).map(({ _id }) => _id),
    refusal: async (...pipeline) => (await failure(run(...pipeline))).code,
  };
}
