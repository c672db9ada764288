import { expect } from 'chai';
import { startTestServer, type TestServer } from '../test-server.js';

describe('documents found through an index', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.stop());

  it('are each whole, small and large ones in turn', async () => {
    const things = server.db.collection<{ _id: number; at: number; text: string }>('things');
    await things.createIndex({ at: 1 });
    const sizes = [10, 600, 40_000, 1, 3_000_000, 70_000, 300, 15_000_000, 20];
    const documents = sizes.map((size, at) => ({ _id: at, at, text: String.fromCharCode(97 + at).repeat(size) }));
    for (const document of documents) await things.insertOne(document);
    const found = await things
      .find({ at: { $gte: 0 } })
      .hint({ at: 1 })
      .toArray();
    expect(found.map(({ _id }) => _id)).to.deep.equal(documents.map(({ _id }) => _id));
    for (const { _id, text } of found) expect(text === documents[_id]?.text, `document ${_id}`).to.equal(true);
  });

  it('are as the same transaction left them', async () => {
    const pages = server.db.collection<{ _id: number; at: number; text: string; seen: number }>('pages');
    await pages.createIndex({ at: 1 });
    const sizes = [600, 40_000, 3_000_000];
    await pages.insertMany(sizes.map((size, at) => ({ _id: at, at, text: 'a'.repeat(size), seen: 0 })));
    for (const [at, size] of sizes.entries()) {
      const grown = { $inc: { seen: 1 }, $set: { text: 'b'.repeat(size + 1) } };
      const { modifiedCount } = await pages.bulkWrite([
        { updateOne: { filter: { at }, update: grown } },
        { updateOne: { filter: { at, text: /^b/ }, update: { $inc: { seen: 1 } } } },
      ]);
      const found = await pages.findOne({ at, seen: 2 });
      expect([modifiedCount, found?.text === 'b'.repeat(size + 1)], `${size} bytes`).to.deep.equal([2, true]);
    }
  });
});
