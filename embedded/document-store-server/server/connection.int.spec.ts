import { expect } from 'chai';
import { type Document, MongoClient } from 'mongodb';
import { startTestServer, type TestServer } from '../test-server.js';

interface Doc extends Document {
  _id: string | number;
}

describe('a connection to the document store', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.stop());

  it('leaves nothing behind on a connection that it had to wait for', async () => {
    const warnings: string[] = [];
    const heard = ({ name }: Error) => void warnings.push(name);
    process.on('warning', heard);
    const one = await new MongoClient(server.store.connectionString, { maxPoolSize: 1 }).connect();
    const large = one.db('waits').collection<Doc>('large');
    await large.insertOne({ _id: 1, pad: 'x'.repeat(4_000_000) });
    for (let i = 0; i < 15; i += 1) await large.findOne({ _id: 1 });
    await one.close();
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', heard);
    expect(warnings).to.deep.equal([]);
  });
});
