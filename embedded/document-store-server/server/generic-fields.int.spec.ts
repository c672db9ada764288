import { expect } from 'chai';
import { type Document, Long, MongoClient, UUID } from 'mongodb';
import { expectRefusals, startTestServer, type TestServer } from '../test-server.js';

interface Doc extends Document {
  _id: string | number;
}

describe('fields any command may carry', () => {
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

  it('meets read concerns that need no replica set, and refuses the others', async () => {
    for (const level of ['local', 'available', 'majority']) await run({ find: 'items', readConcern: { level } });
    await run({ find: 'items', readConcern: {} });
    await expectRefusals(server, [
      [{ find: 'items', readConcern: { level: 'linearizable' } }, 123],
      [{ find: 'items', readConcern: { level: 'snapshot' } }, 123],
      [{ find: 'items', readConcern: { level: 'no' } }, 2],
      [{ find: 'items', readConcern: { strange: 1 } }, 40415],
      [{ find: 'items', readConcern: 'local' }, 14],
    ]);
  });

  it('meets write concerns that a standalone server can, on writes alone', async () => {
    const documents = [{ _id: 'w' }];
    for (const writeConcern of [{ w: 1 }, { w: 'majority', wtimeout: 100 }, { j: true }, {}]) {
      await run({ delete: 'items', deletes: [{ q: { _id: 'w' }, limit: 1 }], writeConcern });
    }
    await expectRefusals(server, [
      [{ insert: 'items', documents, writeConcern: { w: 2 } }, 2],
      [{ insert: 'items', documents, writeConcern: { w: 51 } }, 9],
      [{ insert: 'items', documents, writeConcern: { w: -1 } }, 9],
      [{ insert: 'items', documents, writeConcern: { w: 'dc1' } }, 2],
      [{ insert: 'items', documents, writeConcern: { w: {} } }, 9],
      [{ insert: 'items', documents, writeConcern: { strange: 1 } }, 40415],
      [{ find: 'items', writeConcern: { w: 1 } }, 72],
    ]);
    expect(await server.db.collection<Doc>('items').findOne({ _id: 'w' })).to.equal(null);
  });

  it('refuses transactions and malformed sessions', async () => {
    const txnNumber = Long.fromNumber(1);
    const documents = [{ _id: 't' }];
    await expectRefusals(server, [
      [{ insert: 'items', documents, txnNumber }, 20],
      [{ find: 'items', startTransaction: true, autocommit: false, txnNumber }, 20],
      [{ endSessions: [{}] }, 40414],
      [{ endSessions: [{ id: 1 }] }, 14],
      [{ refreshSessions: 1 }, 14],
    ]);
    const { id, timeoutMinutes } = await run({ startSession: 1 });
    expect([new UUID(id.id.buffer).toString().length, timeoutMinutes]).to.deep.equal([36, 30]);
    await run({ refreshSessions: [id] });
    await run({ endSessions: [id] });
  });

  it('gives up after maxTimeMS, over all batches together, and refuses what is no time', async () => {
    const many = server.db.collection<Doc>('many');
    await many.insertMany(Array.from({ length: 3000 }, (_, _id) => ({ _id, pad: 'x'.repeat(300) })));
    const { cursor } = await run({ find: 'many', batchSize: 1, maxTimeMS: 60_000 });
    await run({ getMore: cursor.id, collection: 'many', batchSize: 1 });
    await expectRefusals(server, [
      [{ getMore: cursor.id, collection: 'many', maxTimeMS: 5 }, 2],
      [{ find: 'items', maxTimeMS: -1 }, 2],
      [{ find: 'items', maxTimeMS: 1.5 }, 2],
      [{ find: 'items', maxTimeMS: 2 ** 31 }, 2],
      [{ find: 'items', maxTimeMS: 'x' }, 2],
      [{ killCursors: 'many' }, 40414],
    ]);
    const { cursorsKilled, cursorsNotFound } = await run({ killCursors: 'many', cursors: [cursor.id, Long.ONE] });
    expect([cursorsKilled, cursorsNotFound].map((ids) => ids.map(String))).to.deep.equal([[String(cursor.id)], ['1']]);
    await expectRefusals(server, [
      [{ getMore: cursor.id, collection: 'many' }, 43],
      [{ getMore: 1, collection: 'many' }, 14],
    ]);
  });

  it('holds a client to the Stable API where it asks so', async () => {
    await expectRefusals(server, [
      [{ ping: 1, apiVersion: '2' }, 322],
      [{ ping: 1, apiStrict: true }, 4886600],
      [{ distinct: 'items', key: 'n', apiVersion: '1', apiStrict: true }, 323],
      [{ find: 'items', noCursorTimeout: true, apiVersion: '1', apiStrict: true }, 323],
    ]);
    const strict = new MongoClient(server.store.connectionString, { serverApi: { version: '1', strict: true } });
    expect(await strict.db('shop').collection('items').countDocuments()).to.equal(3);
    await strict.close();
  });
});
