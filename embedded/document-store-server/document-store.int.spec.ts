import { expect } from 'chai';
import { type Document, MongoClient } from 'mongodb';
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

  it('gives up after maxTimeMS and lets others work during a scan', async () => {
    const many = collection('many');
    for (let part = 0; part < 10; part++) {
      await many.insertMany(Array.from({ length: 3000 }, (_, i) => ({ _id: part * 3000 + i, pad: 'x'.repeat(300) })));
    }
    expect((await failure(many.find({ pad: /y$/ }).maxTimeMS(1).toArray())).code).to.equal(50);
    const laborious = { $or: Array.from({ length: 100 }, (_, n) => ({ pad: new RegExp(`y${n}$`) })) };
    let scanned = false;
    const scan = many
      .find(laborious)
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
