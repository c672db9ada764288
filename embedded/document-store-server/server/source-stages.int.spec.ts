import { expect } from 'chai';
import type { Document } from 'mongodb';
import { expectRefusals, startTestServer, type TestServer } from '../test-server.js';

interface Doc extends Document {
  _id: string | number;
}

describe('stages that make their own documents', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
    await server.db.collection<Doc>('items').insertMany([
      { _id: 1, n: 1 },
      { _id: 2, n: 2.5 },
      { _id: 3, n: 1 },
    ]);
  });
  after(() => server.stop());

  const run = (command: Document) => server.db.command(command);

  const stage = (pipeline: Document[], aggregate: unknown = 1) => run({ aggregate, pipeline, cursor: {} });

  it('$listLocalSessions tells of sessions in use', async () => {
    const session = server.client.startSession();
    await server.db.collection('items').findOne({}, { session });
    const id = (session.id as unknown as { id: { buffer: Uint8Array } }).id.buffer;
    const ids = async () => {
      const found = await server.db
        .aggregate([{ $listLocalSessions: {} }, { $match: { lastUse: { $type: 'date' } } }])
        .toArray();
      return found.map(({ _id }) => Buffer.from(_id.id.buffer).toString('hex'));
    };
    expect(await ids()).to.include(Buffer.from(id).toString('hex'));
    await run({ endSessions: [session.id] });
    expect(await ids()).to.not.include(Buffer.from(id).toString('hex'));
    await session.endSession();
    const { cursor } = await stage([{ $listLocalSessions: {} }, { $skip: 0 }, { $limit: 1 }, { $project: { _id: 1 } }]);
    expect([cursor.firstBatch.length, cursor.ns]).to.deep.equal([1, 'shop.$cmd.aggregate']);
  });

  it('$collStats counts', async () => {
    const items = server.db.collection('items');
    const [counted] = await items.aggregate([{ $collStats: { count: {} } }]).toArray();
    expect([counted?.['ns'], counted?.['count']]).to.deep.equal(['shop.items', 3]);
    const [stored] = await items.aggregate([{ $collStats: { storageStats: { scale: 2 } } }]).toArray();
    const { size } = await run({ collStats: 'items', scale: 2 });
    expect([stored?.['storageStats'].size, stored?.['count']]).to.deep.equal([size, undefined]);
  });

  it('are refused elsewhere, and in the Stable API', async () => {
    const strict = { apiVersion: '1', apiStrict: true };
    const aggregate = (pipeline: Document[], name: unknown = 1) => ({ aggregate: name, pipeline, cursor: {} });
    await expectRefusals(server, [
      [aggregate([{ $match: {} }]), 73],
      [aggregate([{ $collStats: { count: {} } }]), 73],
      [aggregate([{ $listLocalSessions: {} }], 'items'), 73],
      [aggregate([{ $match: {} }, { $collStats: { count: {} } }], 'items'), 40324],
      [aggregate([{ $collStats: { latencyStats: {} } }], 'items'), 72],
      [aggregate([{ $collStats: { count: {} } }], 'none'), 26],
      [aggregate([{ $changeStream: {} }], 'items'), 40573],
      [{ ...aggregate([{ $listLocalSessions: {} }]), ...strict }, 323],
      [{ ...aggregate([{ $collStats: { storageStats: {} } }], 'items'), ...strict }, 323],
    ]);
    const { cursor } = await run({ ...aggregate([{ $collStats: { count: {} } }], 'items'), ...strict });
    expect(cursor.firstBatch[0].count).to.equal(3);
  });

  it('aggregate keeps to maxTimeMS over its batches', async () => {
    const { cursor } = await run({ aggregate: 'items', pipeline: [], cursor: { batchSize: 1 }, maxTimeMS: 60_000 });
    const { cursor: next } = await run({ getMore: cursor.id, collection: 'items' });
    expect(next.nextBatch).to.have.length(2);
  });
});
