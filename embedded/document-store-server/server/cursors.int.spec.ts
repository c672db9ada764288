import { expect } from 'chai';
import { type ClientSession, type Document, MongoClient } from 'mongodb';
import { failure, startTestServer, type TestServer } from '../test-server.js';
import { Cursors } from './cursors.js';

interface Doc extends Document {
  _id: number | string;
}

const documentsOf = (count: number) => Array.from({ length: count }, (_, _id) => ({ _id }));

describe('cursors of the document store', function () {
  this.timeout(30_000);
  let server: TestServer;
  let elapsed: number;
  let session: ClientSession;
  beforeEach(async () => {
    elapsed = 0;
    server = await startTestServer({ elapsed: () => elapsed });
    await server.db.collection<Doc>('items').insertMany(documentsOf(500));
    session = server.client.startSession();
  });
  afterEach(() => server.stop());
  const open = async (options: Document = {}) => {
    const { cursor } = await server.db.command({ find: 'items', batchSize: 10, ...options }, { session });
    return cursor.id;
  };
  const more = (id: unknown) => server.db.command({ getMore: id, collection: 'items', batchSize: 10 }, { session });

  it('are closed when nobody asked for ten minutes, unless that was asked for', async () => {
    const [idle, read, kept] = [await open(), await open(), await open({ noCursorTimeout: true })];
    elapsed = 9 * 60_000;
    await more(read);
    elapsed = 10 * 60_000 + 1;
    expect((await failure(more(idle))).code).to.equal(43);
    await more(read);
    await more(kept);
    elapsed = 21 * 60_000;
    expect((await failure(more(read))).code).to.equal(43);
    await more(kept);
  });

  it('outlive the connection that opened them, but no restart', async () => {
    const other = new MongoClient(server.store.connectionString);
    const elsewhere = other.startSession();
    const { cursor } = await other.db('shop').command({ find: 'items', batchSize: 10 }, { session: elsewhere });
    // the same session from another connection
    Object.assign(session.serverSession ?? {}, { id: elsewhere.serverSession?.id });
    await other.close(true);
    const { id } = cursor;
    expect((await more(id))['cursor'].nextBatch).to.have.length(10);
    await server.restart();
    session = server.client.startSession();
    expect((await failure(more(id))).code).to.equal(43);
  });

  it('are closed, those that nobody asked for longest first, where they are too many or hold too much', async () => {
    const cursors = new Cursors(() => 0, { open: 3, heldBytes: 1_000 });
    async function* endless() {
      for (;;) yield [Buffer.alloc(1)];
    }
    const start = async (bytes = 0) => {
      const batch = await cursors.start('a.b', endless(), 1, { session: undefined, held: { bytes } });
      return batch.id;
    };
    const [first, second, third] = [await start(), await start(), await start()];
    await cursors.more(first, 'a.b', 1, undefined);
    const fourth = await start();
    expect((await failure(cursors.more(second, 'a.b', 1, undefined)))['code']).to.equal(43);
    const large = await start(2_000);
    expect(cursors.size).to.equal(1);
    for (const id of [first, third, fourth]) expect(cursors.kill(id)).to.equal(false);
    expect(cursors.kill(large)).to.equal(true);
    cursors.close();
  });

  it('are closed no further than to the limit, by what waits to be read as well', async () => {
    const cursors = new Cursors(() => 0, { open: 100, heldBytes: 1_000 });
    async function* endless() {
      for (;;) yield [Buffer.alloc(10), Buffer.alloc(100)];
    }
    const ids: bigint[] = [];
    for (let n = 0; n < 12; n++) ids.push((await cursors.start('a.b', endless(), 1, { session: undefined })).id);
    expect([cursors.size, cursors.heldBytes]).to.deep.equal([10, 1_000]);
    expect((await cursors.more(ids[2] ?? 0n, 'a.b', 2, undefined)).documents).to.have.length(2);
    expect(cursors.heldBytes).to.equal(1_000);
    await cursors.more(ids[2] ?? 0n, 'a.b', 1, undefined);
    expect(cursors.heldBytes).to.equal(900);
    for (const id of ids) cursors.kill(id);
    expect([cursors.size, cursors.heldBytes]).to.deep.equal([0, 0]);
    cursors.close();
  });
});
