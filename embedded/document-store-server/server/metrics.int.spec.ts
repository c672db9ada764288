import { expect } from 'chai';
import type { Document } from 'mongodb';
import { type LogFields, type Logger, silentLogger } from '../../../runtime/logger.js';
import { failure, startTestServer, type TestServer } from '../test-server.js';

interface Doc extends Document {
  _id: number | string;
}

const documentsOf = (count: number) => Array.from({ length: count }, (_, _id) => ({ _id, n: _id % 10, a: -_id }));

describe('the metrics of the document store', function () {
  this.timeout(30_000);
  let server: TestServer;
  let now: number;
  beforeEach(async () => {
    now = Date.UTC(2026, 10, 21);
    server = await startTestServer({ metricsPort: 0, now: () => now });
  });
  afterEach(() => server.stop());
  const items = () => server.db.collection<Doc>('items');
  const scrape = async () => {
    const page = await (await fetch(`http://127.0.0.1:${server.store.metricsPort}/metrics`)).text();
    const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const figures = new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
    );
    return (name: string) => figures.get(`document_store_${name}`) ?? 0;
  };

  it('count commands by what came of them, and documents by what was done with them', async () => {
    const earlier = await scrape();
    await items().insertMany(documentsOf(30));
    await failure(items().insertOne({ _id: 1 }));
    await items().updateMany({ n: 3 }, { $set: { b: 1 } });
    await items().deleteOne({ _id: 7 });
    await failure(server.db.command({ find: 'items', filter: { $where: '1' } }));
    await failure(server.db.command({ strange: 1 }));
    await items().find({}).toArray();
    const later = await scrape();
    const rise = (name: string) => later(name) - earlier(name);
    expect(rise('commands_total{command="insert",outcome="ok"}')).to.equal(1);
    expect(rise('commands_total{command="insert",outcome="write-errors"}')).to.equal(1);
    expect(rise('commands_total{command="find",outcome="BadValue"}')).to.equal(1);
    expect(rise('commands_total{command="unknown",outcome="CommandNotFound"}')).to.equal(1);
    expect(rise('command_seconds_count{command="find"}')).to.equal(2);
    expect(rise('documents_written_total{change="inserted"}')).to.equal(30);
    expect(rise('documents_written_total{change="updated"}')).to.equal(3);
    expect(rise('documents_written_total{change="removed"}')).to.equal(1);
    expect(rise('documents_returned_total')).to.equal(29);
    expect(rise('commit_documents_sum')).to.equal(34);
    expect(rise('commit_seconds_count')).to.be.within(3, 8);
    expect(later('connections')).to.be.above(0);
    expect([later('backlog_writes'), later('disk_full')]).to.deep.equal([0, 0]);
    expect(later('used_bytes')).to.be.within(4096, later('file_bytes'));
  });

  it('tell searches that no index helps from the others', async () => {
    await items().createIndex({ n: 1 });
    await items().insertMany(documentsOf(50));
    const earlier = await scrape();
    await items().find({ n: 3 }).toArray();
    await items().find({ a: -3 }).toArray();
    await items().updateOne({ a: -4 }, { $set: { b: 1 } });
    await items().findOne({ _id: 5 });
    await items().find().toArray();
    const later = await scrape();
    const rise = (name: string) => later(name) - earlier(name);
    const scans = ['index', 'collection', 'id', 'everything'].map((kind) => rise(`scans_total{kind="${kind}"}`));
    expect(scans).to.deep.equal([1, 2, 1, 1]);
    expect(rise('examined_total{what="keys"}')).to.equal(6);
    expect(rise('examined_total{what="documents"}')).to.be.within(5 + 50 + 1 + 1 + 50, 5 + 50 + 50 + 1 + 50);
  });

  it('count what expired, and open cursors with what they hold', async () => {
    await items().createIndex({ at: 1 }, { expireAfterSeconds: 0 });
    await items().insertMany(documentsOf(300).map((document) => ({ ...document, at: new Date(now + 1_000) })));
    const cursor = items().find().sort({ a: 1 }).batchSize(10);
    await cursor.next();
    const open = await scrape();
    expect(open('open_cursors')).to.equal(1);
    expect(open('cursor_bytes')).to.be.within(300 * 40, 300 * 120);
    await cursor.close();
    now += 2_000;
    expect(await server.store.expire()).to.equal(300);
    const later = await scrape();
    expect([later('open_cursors'), later('cursor_bytes')]).to.deep.equal([0, 0]);
    expect(later('expired_documents_total')).to.equal(300);
  });

  it('are all that the port serves, and end with the server', async () => {
    const url = `http://127.0.0.1:${server.store.metricsPort}`;
    expect((await fetch(`${url}/`)).status).to.equal(404);
    await server.store.close();
    expect(await failure(fetch(`${url}/metrics`))).to.be.instanceOf(TypeError);
  });
});

describe('slow commands of the document store', () => {
  it('are logged by collection, plan and numbers, without a value', async () => {
    const lines: LogFields[] = [];
    const log: Logger = { ...silentLogger, warn: (_, fields) => void lines.push(fields ?? {}) };
    const server = await startTestServer({ log, slowMs: 0 });
    const items = server.db.collection<Doc>('items');
    await items.createIndex({ n: 1, a: -1 });
    await items.insertMany(documentsOf(40));
    lines.length = 0;
    await items.find({ n: 3, secret: { $ne: 'alice@shop.test' } }).toArray();
    await items.updateMany({ a: { $lt: -30 }, secret: { $exists: false } }, { $set: { secret: 'bob@shop.test' } });
    await server.stop();
    const [find, update] = lines.filter(({ command }) => command === 'find' || command === 'update');
    expect(find).to.deep.include({
      namespace: 'shop.items',
      planSummary: 'IXSCAN { n: 1, a: -1 }',
      keysExamined: 4,
      docsExamined: 4,
    });
    expect(update).to.deep.include({ namespace: 'shop.items', planSummary: 'COLLSCAN', docsExamined: 40 });
    expect(JSON.stringify(lines)).to.not.match(/alice|bob|secret/);
  });
});
