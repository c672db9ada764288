import { expect } from 'chai';
import { type Document, Long, MongoClient } from 'mongodb';
import { silentLogger } from '../../runtime/logger.js';
import { startDocumentStore } from './document-store.js';
import { failure, startTestServer, type TestServer } from './test-server.js';

interface Doc extends Document {
  _id: string | number;
}

describe('a document store', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.stop());
  const collection = (name: string) => server.db.collection<Doc>(name);

  it('refuses what it does not do, by MongoDB codes', async () => {
    const items = collection('refusals');
    await items.insertOne({ _id: 1, a: [1, 2] });
    const refused: [() => Promise<unknown>, number][] = [
      [() => server.db.command({ mapReduce: 'x' }), 59],
      [() => items.find({ a: { $near: 1 } }).toArray(), 2],
      [() => items.find({}, { collation: { locale: 'de' } }).toArray(), 72],
      [() => items.find({}, { hint: 'none' }).toArray(), 2],
      [() => items.updateOne({ _id: 1 }, { $set: { 'a.$': 2 } }), 2],
      [() => items.updateOne({}, [{ $match: { a: 1 } }]), 72],
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

  it('says of a used port that it is used', async () => {
    const err = await failure(
      startDocumentStore({ dataDir: `${server.dataDir}-other`, port: server.store.port, log: silentLogger }),
    );
    expect(err.name).to.equal('StartError');
    expect(err.message).to.contain('is in use');
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
