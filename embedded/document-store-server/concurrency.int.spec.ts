import { expect } from 'chai';
import type { Document } from 'mongodb';
import { type Failure, failure, startTestServer, type TestServer } from './test-server.js';

describe('cursors over what is dropped', function () {
  this.timeout(20_000);
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.stop());

  const whatIsDropped: Record<string, { hint: Document; drop: () => Promise<unknown> }> = {
    'an index': { hint: { n: 1 }, drop: () => server.db.collection('numbers').dropIndex('n_1') },
    'a collection': { hint: { $natural: 1 }, drop: () => server.db.collection('numbers').drop() },
  };
  for (const [what, { hint, drop }] of Object.entries(whatIsDropped)) {
    it(`end with 175 when ${what} is dropped, also once its entries are swept away`, async () => {
      const numbers = server.db.collection('numbers');
      await numbers.createIndex({ n: 1 });
      await numbers.insertMany(Array.from({ length: 1000 }, (_, n) => ({ n })));
      const cursors = Array.from({ length: 30 }, (_, at) => numbers.find({}, { hint, batchSize: 115 + at }));
      for (const cursor of cursors) await cursor.next();
      await drop();
      // sweeping takes its turns between writes
      for (let n = 0; n < 5; n++) await server.db.collection('others').insertOne({ n });
      const ends: Failure[] = await Promise.all(cursors.map((cursor) => failure(cursor.toArray())));
      expect(new Set(ends.map(({ code }) => code))).to.deep.equal(new Set([175]));
    });
  }
});
