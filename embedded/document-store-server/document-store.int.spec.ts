import net from 'node:net';
import { expect } from 'chai';
import {
  Binary,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MongoBulkWriteError,
  MongoClient,
  ObjectId,
  Timestamp,
} from 'mongodb';
import { silentLogger } from '../../runtime/logger.js';
import { startDocumentStore } from './document-store.js';
import { failure, startTestServer, type TestServer } from './test-server.js';

interface Doc extends Document {
  _id: string | number;
}

describe('the document store and the official driver', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.stop());
  const collection = (name: string) => server.db.collection<Doc>(name);
  const fill = async (name: string, documents: Doc[]) => {
    await collection(name).insertMany(documents);
    return collection(name);
  };

  it('keeps every BSON type and the order of fields', async () => {
    const types = collection('types');
    const document = {
      _id: 'types',
      zebra: new Int32(1),
      apple: new Double(1),
      long: Long.fromString('9007199254740993'),
      decimal: Decimal128.fromString('29.90'),
      date: new Date(1234567890123),
      id: new ObjectId('0123456789abcdef01234567'),
      binary: new Binary(Buffer.from([1, 2, 3]), 4),
      regex: /a.b/i,
      timestamp: new Timestamp({ t: 1, i: 2 }),
      nothing: null,
      nested: { 2: 'two', 1: 'one', list: [1, [2], {}] },
    };
    await types.insertOne(document);
    const found = await types.findOne({ _id: 'types' }, { promoteValues: false });
    expect(found?.['long']).to.deep.equal(document.long);
    expect(found?.['apple']).to.be.instanceOf(Double);
    expect(found?.['zebra']).to.be.instanceOf(Int32);
    expect(found?.['decimal'].toString()).to.equal('29.90');
    const raw = (await types.findOne({ _id: 'types' }, { raw: true })) as unknown as Buffer;
    expect(raw.indexOf('zebra')).to.be.below(raw.indexOf('apple'));
    await types.insertOne({ _id: 'big', n: 9007199254740993n });
    const big = await types.findOne({ n: 9007199254740993n }, { useBigInt64: true });
    expect(big).to.deep.equal({ _id: 'big', n: 9007199254740993n });
    expect(await types.findOne({ n: Long.fromString('9007199254740992') })).to.equal(null);
  });

  it('inserts, and answers a repeated _id with 11000, keyPattern and keyValue', async () => {
    const keys = collection('keys');
    await keys.insertOne({ _id: 'user:1', key: 'a' });
    const err = await failure(keys.insertOne({ _id: 'user:1', key: 'b' }));
    expect(err.code).to.equal(11000);
    expect(err['keyPattern']).to.deep.equal({ _id: 1 });
    expect(err['keyValue']).to.deep.equal({ _id: 'user:1' });
    expect((await keys.findOne({ _id: 'user:1' }))?.['key']).to.equal('a');
    const generated = await server.db.collection('keys').insertOne({ a: 1 });
    expect(generated.insertedId).to.be.instanceOf(ObjectId);
  });

  it('runs unordered and ordered bulks past and up to a refused statement', async () => {
    const bulk = await fill('bulk', [{ _id: 1 }]);
    const insert = (id: number) => ({ insertOne: { document: { _id: id } } });
    const unordered = (await failure(
      bulk.bulkWrite([insert(1), insert(2), insert(1), insert(3)], { ordered: false }),
    )) as unknown as MongoBulkWriteError;
    expect(unordered).to.be.instanceOf(MongoBulkWriteError);
    expect(unordered.insertedCount).to.equal(2);
    expect([unordered.writeErrors].flat().map(({ index, code }) => [index, code])).to.deep.equal([
      [0, 11000],
      [2, 11000],
    ]);
    const ordered = (await failure(
      bulk.bulkWrite([insert(4), insert(1), insert(5)]),
    )) as unknown as MongoBulkWriteError;
    expect(ordered.insertedCount).to.equal(1);
    expect(await bulk.countDocuments()).to.equal(4);
  });

  it('takes a bulk of replacements by _id as upserts, again and again', async () => {
    const views = collection('views');
    const write = (version: number) =>
      views.bulkWrite(
        Array.from({ length: 2500 }, (_, i) => ({
          replaceOne: { filter: { _id: `v${i}` }, replacement: { version, text: 'x'.repeat(i % 100) }, upsert: true },
        })),
        { ordered: false },
      );
    expect((await write(1)).upsertedCount).to.equal(2500);
    const again = await write(2);
    expect([again.matchedCount, again.modifiedCount, again.upsertedCount]).to.deep.equal([2500, 2500, 0]);
    expect((await write(2)).modifiedCount).to.equal(0);
    expect(await views.countDocuments({ version: 2 })).to.equal(2500);
    expect(await views.estimatedDocumentCount()).to.equal(2500);
    const some = await views.find({ _id: { $in: ['v7', 'v9', 'none'] } }).toArray();
    expect(some.map(({ _id }) => _id).sort()).to.deep.equal(['v7', 'v9']);
  });

  it('moves a checkpoint forward only, and creates it when missing', async () => {
    const checkpoints = collection('checkpoints');
    const move = (position: bigint) =>
      checkpoints.updateOne({ _id: 'orders-v1' }, { $max: { position }, $set: { seen: true } }, { upsert: true });
    expect((await move(5n)).upsertedId).to.equal('orders-v1');
    expect((await move(3n)).modifiedCount).to.equal(0);
    expect((await move(2n ** 60n)).modifiedCount).to.equal(1);
    const found = await checkpoints.findOne({ _id: 'orders-v1' }, { useBigInt64: true });
    expect(found?.['position']).to.equal(2n ** 60n);
  });

  it('lets concurrent upserts of one key make one document, and counts every increment', async () => {
    const counters = collection('counters');
    await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        counters.updateOne({ _id: `c${i % 5}` }, { $inc: { n: 1 } }, { upsert: true }),
      ),
    );
    expect(await counters.find().sort({ _id: 1 }).toArray()).to.deep.equal(
      [0, 1, 2, 3, 4].map((i) => ({ _id: `c${i}`, n: 20 })),
    );
  });

  it('updates and deletes one or many', async () => {
    const items = await fill(
      'items',
      Array.from({ length: 10 }, (_, i) => ({ _id: i, even: i % 2 === 0 })),
    );
    expect((await items.updateMany({ even: true }, { $set: { tag: 'x' } })).modifiedCount).to.equal(5);
    expect((await items.updateMany({ even: true }, { $set: { tag: 'x' } })).matchedCount).to.equal(5);
    expect((await items.deleteOne({ even: true })).deletedCount).to.equal(1);
    expect((await items.deleteMany({ even: true })).deletedCount).to.equal(4);
    expect(await items.estimatedDocumentCount()).to.equal(5);
    expect((await failure(items.updateOne({ _id: 1 }, { $set: { _id: 2 } }))).code).to.equal(66);
    expect((await failure(items.updateOne({ _id: 1 }, { $set: { 'even.x': 2 } }))).code).to.equal(28);
  });

  it('finds and modifies', async () => {
    const jobs = await fill('jobs', [
      { _id: 1, p: 3 },
      { _id: 2, p: 9 },
      { _id: 3, p: 5 },
    ]);
    const best = await jobs.findOneAndUpdate(
      {},
      { $set: { taken: true } },
      { sort: { p: -1 }, returnDocument: 'after' },
    );
    expect(best).to.deep.equal({ _id: 2, p: 9, taken: true });
    expect(await jobs.findOneAndUpdate({ _id: 1 }, { $inc: { p: 1 } })).to.deep.equal({ _id: 1, p: 3 });
    expect(await jobs.findOneAndReplace({ _id: 9 }, { p: 1 }, { upsert: true, returnDocument: 'after' })).to.deep.equal(
      { _id: 9, p: 1 },
    );
    expect(await jobs.findOneAndDelete({}, { sort: { p: 1 }, projection: { p: 1, _id: 0 } })).to.deep.equal({ p: 1 });
    expect(await jobs.findOneAndDelete({ _id: 99 })).to.equal(null);
  });

  it('reads in batches of any size, with skip, limit and early end', async () => {
    const pages = await fill(
      'pages',
      Array.from({ length: 1000 }, (_, i) => ({ _id: i, pad: 'x'.repeat(200) })),
    );
    for (const batchSize of [1, 7, 101, 1000, 5000]) {
      const ids = (await pages.find().sort({ _id: 1 }).batchSize(batchSize).limit(250).toArray()).map(({ _id }) => _id);
      expect(ids).to.deep.equal(Array.from({ length: 250 }, (_, i) => i));
    }
    const tail = await pages
      .find({}, { projection: { pad: 0 } })
      .sort({ _id: -1 })
      .skip(995)
      .toArray();
    expect(tail.map(({ _id }) => _id)).to.deep.equal([4, 3, 2, 1, 0]);
    const cursor = pages.find().batchSize(10);
    await cursor.next();
    const id = cursor.id;
    await cursor.close();
    const err = await failure(server.db.command({ getMore: id, collection: 'pages' }));
    expect(err.code).to.equal(43);
  });

  it('sends results larger than one message', async () => {
    const big = collection('large');
    const pad = 'x'.repeat(3_000_000);
    for (let _id = 0; _id < 12; _id++) await big.insertOne({ _id, pad });
    const found = await big.find().toArray();
    expect(found.map(({ _id, pad: text }) => [_id, text.length])).to.deep.equal(
      Array.from({ length: 12 }, (_, i) => [i, 3_000_000]),
    );
    expect((await failure(big.updateOne({ _id: 1 }, { $set: { more: 'x'.repeat(15_000_000) } }))).code).to.equal(17419);
  });

  it('counts, groups and tells distinct values', async () => {
    const sales = await fill('sales', [
      { _id: 1, shop: 'a', n: 1, tags: ['x', 'y'] },
      { _id: 2, shop: 'b', n: 2.5, tags: ['y'] },
      { _id: 3, shop: 'a', n: 4 },
    ]);
    expect(await sales.countDocuments({ shop: 'a' })).to.equal(2);
    expect(await sales.countDocuments({}, { skip: 1, limit: 1 })).to.equal(1);
    expect(await sales.countDocuments({ shop: 'none' })).to.equal(0);
    expect(await sales.distinct('tags')).to.deep.equal(['x', 'y']);
    const groups = await sales
      .aggregate([
        { $match: { n: { $gt: 0 } } },
        { $sort: { n: -1 } },
        {
          $group: {
            _id: '$shop',
            total: { $sum: '$n' },
            count: { $sum: 1 },
            first: { $first: '$n' },
            least: { $min: '$n' },
            most: { $max: '$n' },
          },
        },
        { $sort: { _id: 1 } },
        { $limit: 5 },
      ])
      .toArray();
    expect(groups).to.deep.equal([
      { _id: 'a', total: 5, count: 2, first: 4, least: 1, most: 4 },
      { _id: 'b', total: 2.5, count: 1, first: 2.5, least: 2.5, most: 2.5 },
    ]);
    expect(await sales.aggregate([{ $skip: 1 }, { $count: 'n' }]).toArray()).to.deep.equal([{ n: 2 }]);
    expect((await failure(sales.aggregate([{ $lookup: {} }]).toArray())).code).to.equal(40324);
  });

  it('lists and drops collections and databases', async () => {
    const other = server.client.db('other');
    await other.createCollection('one');
    await other.collection('two').insertOne({ a: 1 });
    expect((await other.listCollections().toArray()).map(({ name }) => name)).to.deep.equal(['one', 'two']);
    expect((await other.listCollections({ name: 'two' }, { nameOnly: true }).toArray()).length).to.equal(1);
    expect((await server.client.db('admin').admin().listDatabases()).databases.map(({ name }) => name)).to.include(
      'other',
    );
    await other.collection('two').drop();
    expect(await other.collection('two').countDocuments()).to.equal(0);
    await other.dropDatabase();
    expect(await other.listCollections().toArray()).to.deep.equal([]);
  });

  it('refuses what it does not do, by MongoDB codes', async () => {
    const items = collection('refusals');
    await items.insertOne({ _id: 1, a: [1, 2] });
    const refused: [() => Promise<unknown>, number][] = [
      [() => server.db.command({ mapReduce: 'x' }), 59],
      [() => items.find({ a: { $near: 1 } }).toArray(), 2],
      [() => items.find({}, { collation: { locale: 'de' } }).toArray(), 72],
      [() => items.find({}, { hint: 'none' }).toArray(), 2],
      [() => items.updateOne({ _id: 1 }, { $set: { 'a.$': 2 } }), 2],
      [() => items.updateOne({}, [{ $set: { a: 1 } }]), 72],
      [() => items.updateOne({}, { $set: { 'a.$[x]': 1 } }), 2],
      [() => server.db.createCollection('capped', { capped: true, size: 100 }), 72],
      [() => items.createIndex({ a: 'text' }), 67],
      [() => items.createIndex({ a: 1 }, { hidden: true }), 72],
      [() => server.db.command({ find: 'refusals', strange: 1 }), 40415],
      [() => server.db.command({ find: 'refusals', filter: 1 }), 14],
      [() => server.db.command({ insert: 'refusals', documents: [{}], txnNumber: Long.fromNumber(1) }), 20],
      [() => items.insertOne({ _id: 3 }, { writeConcern: { w: 2 } }), 2],
      [() => items.watch().next(), 40324],
    ];
    for (const [run, code] of refused) {
      const err = await failure(run());
      expect(err.code, `${run}: ${err.message}`).to.equal(code);
    }
    expect(await items.find().toArray()).to.deep.equal([{ _id: 1, a: [1, 2] }]);
  });

  it('refuses transactions', async () => {
    const session = server.client.startSession();
    session.startTransaction();
    // the driver itself refuses on a standalone server; the server's own code 20 is asked for above
    const err = await failure(collection('refusals').insertOne({ _id: 9 }, { session }));
    expect(err.name).to.match(/^Mongo/);
    expect(await collection('refusals').findOne({ _id: 9 })).to.equal(null);
    await session.endSession();
  });

  it('gives up after maxTimeMS and lets others work during a scan', async () => {
    const many = collection('many');
    for (let part = 0; part < 10; part++) {
      await many.insertMany(Array.from({ length: 3000 }, (_, i) => ({ _id: part * 3000 + i, pad: 'x'.repeat(300) })));
    }
    expect((await failure(many.find({ pad: /y$/ }).maxTimeMS(1).toArray())).code).to.equal(50);
    let scanned = false;
    const scan = many
      .find({ pad: /y$/ })
      .toArray()
      .then(() => (scanned = true));
    await collection('keys').findOne({ _id: 'user:1' });
    expect(scanned).to.equal(false);
    await scan;
  });

  it('accepts writes that want no answer', async () => {
    const silent = collection('silent');
    await silent.insertOne({ _id: 1 }, { writeConcern: { w: 0 } });
    while ((await silent.countDocuments()) === 0);
    expect(await silent.findOne()).to.deep.equal({ _id: 1 });
  });

  it('says of a used port that it is used', async () => {
    const err = await failure(
      startDocumentStore({ dataDir: `${server.dataDir}-other`, port: server.store.port, log: silentLogger }),
    );
    expect(err.name).to.equal('StartError');
    expect(err.message).to.contain('is in use');
  });

  it('drops a client that breaks the protocol and serves the others', async () => {
    const socket = net.connect(server.store.port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    await closed;
    await server.db.command({ ping: 1 });
  });

  it('closes while clients are connected', async () => {
    const own = await startTestServer();
    const client = new MongoClient(own.store.connectionString);
    await client
      .db('x')
      .collection('y')
      .insertMany(Array.from({ length: 500 }, (_, i) => ({ i })));
    await client.db('x').collection('y').find().batchSize(2).next();
    const started = performance.now();
    await own.store.close();
    expect(performance.now() - started).to.be.below(1000);
    await client.close();
    await own.stop();
  });
});
