import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { type Document, MongoClient } from 'mongodb';
import { silentLogger } from '../../../runtime/logger.js';
import { eventually } from '../../../test/support/eventually.js';
import { seeded } from '../../../test/support/seeded.js';
import { verifyDataDir } from '../document-store.js';
import { Store } from '../storage/store.js';
import { failure, spawnStore, startTestServer, type TestServer } from '../test-server.js';

interface Doc extends Document {
  _id: number | string;
}

describe('the building of an index', function () {
  this.timeout(60_000);
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer();
  });
  afterEach(() => server.stop());
  const collection = (name = 'items') => server.db.collection<Doc>(name);
  const fill = (documents: number) =>
    collection().insertMany(
      Array.from({ length: documents }, (_, n) => ({ _id: n, n, tags: [`t${n % 7}`, 'all'], group: n % 3 })),
    );
  const names = async () => (await collection().indexes()).map(({ name }) => name);
  const faults = async () => {
    const { dataDir } = server;
    await server.client.close();
    await server.store.close();
    return (await verifyDataDir(dataDir, silentLogger)).faults;
  };
  /** Starts a build that takes a while, and waits until it is under way. */
  const begin = async (key: Record<string, 1>, options: { unique?: boolean } = {}) => {
    const built = collection().createIndex(key, options);
    const answer = built.then(
      () => undefined,
      (err: { code?: number }) => err,
    );
    await server.db.command({ ping: 1 });
    return { answer };
  };

  it('lets others write and read, who do not find by it before it is ready', async () => {
    await fill(12_000);
    let isOver = false;
    const build = collection()
      .createIndexes([{ key: { tags: 1 } }, { key: { group: 1, n: -1 } }])
      .finally(() => {
        isOver = true;
      });
    const plans = new Set<string>();
    let others = 0;
    for (; !isOver; others++) {
      await collection('others').insertOne({ _id: others });
      const { queryPlanner } = await collection().find({ tags: 't1' }).explain('queryPlanner');
      if (!isOver) plans.add(queryPlanner.winningPlan.stage);
    }
    await build;
    expect(others).to.be.above(3);
    expect(plans.has('COLLSCAN')).to.equal(true);
    const { executionStats } = await collection().find({ tags: 't1' }).explain();
    expect(executionStats.totalKeysExamined).to.equal(executionStats.nReturned);
    expect(await faults()).to.deep.equal([]);
  });

  it('takes in what is written meanwhile, wherever the build has got to', async () => {
    await fill(6_000);
    const random = seeded('writes during a build');
    let isOver = false;
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let n = 0; !isOver; n++) {
        const _id = random.between(0, 5_999);
        const choice = random.between(0, 3);
        if (choice === 0) await collection().deleteOne({ _id });
        else if (choice === 1) await collection().insertOne({ _id: `${writer}-${n}`, n: 50_000 + 4 * n + writer });
        else if (choice === 2) await collection().updateOne({ _id }, { $set: { tags: [`new${n}`], group: 9 } });
        else await collection().replaceOne({ _id }, { n: _id });
      }
    });
    await collection().createIndexes([
      { key: { tags: 1 } },
      { key: { n: 1 }, unique: true },
      { key: { group: 1 }, sparse: true },
      { key: { group: -1 }, name: 'nine', partialFilterExpression: { group: 9 } },
    ]);
    isOver = true;
    await Promise.all(writers);
    const [all, through] = await Promise.all([
      collection().find({}).sort({ _id: 1 }).toArray(),
      collection()
        .find({ n: { $gte: 0 } })
        .hint({ n: 1 })
        .sort({ _id: 1 })
        .toArray(),
    ]);
    expect(through).to.deep.equal(all);
    expect(await faults()).to.deep.equal([]);
  });

  it('fails over duplicates with 11000, and leaves nothing behind', async () => {
    await fill(8_000);
    await collection().insertOne({ _id: 'double', n: 7_999 });
    const err = await failure(collection().createIndexes([{ key: { tags: 1 } }, { key: { n: 1 }, unique: true }]));
    expect(err).to.deep.include({ code: 11_000, keyPattern: { n: 1 }, keyValue: { n: 7_999 } });
    expect(await names()).to.deep.equal(['_id_']);
    await collection().insertOne({ _id: 'triple', n: 7_999 });
    expect(await faults()).to.deep.equal([]);
  });

  it('fails over a duplicate that is written meanwhile, which is stored', async () => {
    await fill(12_000);
    const { answer } = await begin({ n: 1 }, { unique: true });
    await collection().insertOne({ _id: 'double', n: 5 });
    expect(await answer).to.include({ code: 11_000 });
    expect(await collection().countDocuments({ n: 5 })).to.equal(2);
    expect(await faults()).to.deep.equal([]);
  });

  it('succeeds when the duplicate is gone before the end', async () => {
    await fill(12_000);
    const { answer } = await begin({ n: 1 }, { unique: true });
    await collection().insertOne({ _id: 'double', n: 5 });
    await collection().deleteOne({ _id: 'double' });
    await collection().insertOne({ _id: 'list', tags: ['a'], n: [1, 2] });
    await collection().updateOne({ _id: 'list' }, { $set: { n: -1 } });
    expect(await answer).to.equal(undefined);
    expect((await failure(collection().insertOne({ _id: 'x', n: 5 }))).code).to.equal(11_000);
    expect(await faults()).to.deep.equal([]);
  });

  it('fails over arrays on two of its paths, also when such a document is written meanwhile', async () => {
    await fill(12_000);
    const { answer } = await begin({ tags: 1, group: 1 });
    await collection().insertOne({ _id: 'two', tags: [1, 2], group: [1, 2] });
    expect(await answer).to.include({ code: 171 });
    expect(await collection().findOne({ _id: 'two' })).to.have.property('group');
    expect((await failure(collection().createIndex({ group: 1, tags: 1 }))).code).to.equal(171);
    expect(await faults()).to.deep.equal([]);
  });

  it('is waited for by others who want the same index, and stands in the way of another one', async () => {
    await fill(12_000);
    const { answer } = await begin({ n: 1 });
    const [other, conflict] = await Promise.all([
      collection().createIndex({ n: 1 }),
      failure(collection().createIndex({ n: 1 }, { expireAfterSeconds: 5 })),
    ]);
    expect([await answer, other, conflict.code]).to.deep.equal([undefined, 'n_1', 85]);
    expect(await names()).to.deep.equal(['_id_', 'n_1']);
    expect(await faults()).to.deep.equal([]);
  });

  it('is ended by dropping the index or the collection', async () => {
    await fill(40_000);
    const { answer: first } = await begin({ tags: 1, n: 1 });
    await collection().dropIndex('tags_1_n_1');
    expect(await first).to.include({ code: 276 });
    expect(await names()).to.deep.equal(['_id_']);
    const { answer: second } = await begin({ tags: 1, n: 1 });
    await collection().drop();
    expect(await second).to.include({ code: 276 });
    await fill(10);
    await collection().createIndex({ n: 1 });
    expect(await collection().countDocuments({ n: { $gte: 5 } })).to.equal(5);
    expect(await faults()).to.deep.equal([]);
  });

  it('stands in the way of a rename, of its collection and over it', async () => {
    await fill(20_000);
    await collection('others').insertOne({ _id: 1 });
    const { answer } = await begin({ tags: 1, n: 1 });
    const rename = (from: string, to: string) => collection(from).rename(to, { dropTarget: true });
    const codes = await Promise.all(
      [rename('items', 'elsewhere'), rename('others', 'items')].map(async (refused) => (await failure(refused)).code),
    );
    expect([codes, await answer]).to.deep.equal([[12587, 12587], undefined]);
    await rename('items', 'elsewhere');
    expect(await collection('elsewhere').createIndex({ n: 1 })).to.equal('n_1');
    expect(await faults()).to.deep.equal([]);
  });

  it('leaves nothing behind when the process dies', async () => {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'document-store-died-'));
    const { child, connectionString, exited } = await spawnStore(dataDir);
    const client = new MongoClient(connectionString, { serverSelectionTimeoutMS: 300 });
    const items = client.db('shop').collection<Doc>('items');
    await items.insertMany(Array.from({ length: 12_000 }, (_, n) => ({ _id: n, tags: ['a', `b${n}`] })));
    const built = failure(items.createIndex({ tags: 1 }));
    await client.db('shop').command({ ping: 1 });
    child.kill('SIGKILL');
    await exited;
    await built;
    await client.close();
    expect((await verifyDataDir(dataDir, silentLogger)).faults).to.deep.equal([]);
    const store = Store.open(dataDir, silentLogger);
    expect(store.catalogue.find('shop', 'items')?.indexes).to.have.length(1);
    await eventually('the sweeper', () => store.catalogue.garbage.size === 0);
    expect([...store.index.getKeys({ limit: 1 })]).to.deep.equal([]);
    await store.close();
    rmSync(dataDir, { recursive: true });
  });

  it('is ended by its time limit and by a stop, and leaves nothing behind', async () => {
    await fill(40_000);
    const indexes = [{ key: { n: 1 }, name: 'n_1' }];
    expect((await failure(server.db.command({ createIndexes: 'items', indexes, maxTimeMS: 15 }))).code).to.equal(50);
    const { answer } = await begin({ tags: 1, n: 1 });
    await server.store.close();
    expect(await answer).to.be.instanceOf(Error);
    await server.restart();
    expect(await names()).to.deep.equal(['_id_']);
    expect(await faults()).to.deep.equal([]);
  });
});
