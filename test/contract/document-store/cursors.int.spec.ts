import { expect } from 'chai';
import { type Collection, type Document, Long } from 'mongodb';
import { failure } from '../../../embedded/document-store-server/test-server.js';
import { type Doc, describeTargets } from './document-store-targets.js';

const range = (length: number, from = 0) => Array.from({ length }, (_, i) => i + from);

describeTargets('cursors', (target) => {
  let pages: Collection<Doc>;
  before(async () => {
    pages = target().collection('pages');
    await pages.insertMany(range(1000).map((_id) => ({ _id, n: _id % 10, pad: 'x'.repeat(200) })));
  });
  const run = (command: Document) => target().db.command(command, { promoteLongs: false });
  const find = async (options: Document = {}) =>
    (await run({ find: pages.collectionName, sort: { _id: 1 }, ...options }))['cursor'];
  const more = async (id: Long, options: Document = {}) =>
    (await run({ getMore: id, collection: pages.collectionName, ...options }))['cursor'];
  const ids = (batch: Doc[]) => batch.map(({ _id }) => Number(_id));

  for (const batchSize of [1, 7, 101, 1000, 5000]) {
    it(`give all, in order, ${batchSize} at a time`, async () => {
      const limit = batchSize === 1 ? 30 : 0;
      const found = await pages.find().sort({ _id: 1 }).batchSize(batchSize).limit(limit).toArray();
      expect(ids(found)).to.deep.equal(range(limit || 1000));
    });
  }

  it('begin with 101 documents, and go on with as many as fit', async () => {
    const first = await find();
    expect(ids(first.firstBatch)).to.deep.equal(range(101));
    expect(first.ns).to.equal(`${target().db.databaseName}.${pages.collectionName}`);
    const second = await more(first.id);
    expect(ids(second.nextBatch)).to.deep.equal(range(899, 101));
    expect(second.id.toString()).to.equal('0');
  });

  it('give batches of the size asked for, each time anew', async () => {
    const first = await find({ batchSize: 2, skip: 3 });
    expect(ids(first.firstBatch)).to.deep.equal([3, 4]);
    const second = await more(first.id, { batchSize: 3 });
    expect(ids(second.nextBatch)).to.deep.equal([5, 6, 7]);
    expect(second.id.toString()).to.equal(first.id.toString());
    await run({ killCursors: pages.collectionName, cursors: [first.id] });
  });

  it('of batch size 0 are opened and give nothing yet', async () => {
    const first = await find({ batchSize: 0, limit: 5 });
    expect(first.firstBatch).to.deep.equal([]);
    expect(first.id.toString()).to.not.equal('0');
    expect(ids((await more(first.id)).nextBatch)).to.deep.equal(range(5));
  });

  it('are closed at their limit', async () => {
    const whole = await find({ limit: 5 });
    expect([ids(whole.firstBatch), whole.id.toString()]).to.deep.equal([range(5), '0']);
    const first = await find({ limit: 5, batchSize: 3 });
    const second = await more(first.id, { batchSize: 3 });
    expect([ids(second.nextBatch), second.id.toString()]).to.deep.equal([[3, 4], '0']);
  });

  it('of a single batch are closed after it', async () => {
    const first = await find({ batchSize: 5, singleBatch: true });
    expect([ids(first.firstBatch), first.id.toString()]).to.deep.equal([range(5), '0']);
    expect(ids(await pages.find().sort({ _id: 1 }).limit(-3).toArray())).to.deep.equal(range(3));
  });

  it('skip, limit and sort together', async () => {
    const tail = pages.find({}, { projection: { pad: 0 } }).sort({ _id: -1 });
    expect(ids(await tail.skip(995).toArray())).to.deep.equal([4, 3, 2, 1, 0]);
    expect(ids(await pages.find().sort({ _id: 1 }).skip(990).limit(20).toArray())).to.deep.equal(range(10, 990));
    expect(await pages.find().skip(1000).toArray()).to.deep.equal([]);
    const sorted = await pages.find({ n: 3 }).sort({ n: 1, _id: -1 }).skip(1).limit(2).toArray();
    expect(ids(sorted)).to.deep.equal([983, 973]);
  });

  it('that are killed are not found with 43', async () => {
    const { id } = await find({ batchSize: 5 });
    const killed = await run({ killCursors: pages.collectionName, cursors: [id, Long.fromNumber(77)] });
    expect([killed['cursorsKilled'], killed['cursorsNotFound']].map(String)).to.deep.equal([String(id), '77']);
    expect([killed['cursorsAlive'], killed['cursorsUnknown']]).to.deep.equal([[], []]);
    const err = await failure(more(id));
    expect([err.code, err['codeName']]).to.deep.equal([43, 'CursorNotFound']);
  });

  it('that were closed by the client, or read to their end, are not found with 43', async () => {
    const cursor = pages.find().batchSize(10);
    await cursor.next();
    const { id } = cursor;
    await cursor.close();
    expect((await failure(more(id as Long))).code).to.equal(43);
    const last = await find({ batchSize: 999 });
    await more(last.id);
    expect((await failure(more(last.id))).code).to.equal(43);
  });

  it('of a collection that is not there give nothing', async () => {
    expect(await target().collection('absent').find().toArray()).to.deep.equal([]);
    expect(
      await target()
        .collection('absent')
        .aggregate([{ $sort: { a: 1 } }])
        .toArray(),
    ).to.deep.equal([]);
  });

  it('of a pipeline come in batches as well', async () => {
    const pipeline = [{ $match: { n: { $lt: 5 } } }, { $sort: { _id: 1 } }, { $skip: 1 }];
    const found = await pages.aggregate<Doc>(pipeline, { batchSize: 7 }).toArray();
    expect(ids(found)).to.deep.equal(
      range(1000)
        .filter((n) => n % 10 < 5)
        .slice(1),
    );
  });

  it('stay open at the same time, each at its place', async () => {
    const cursors = range(20).map((n) =>
      pages
        .find({ n: n % 10 })
        .sort({ _id: 1 })
        .batchSize(3),
    );
    const seen: number[][] = cursors.map(() => []);
    for (let step = 0; step < 10; step += 1) {
      for (const [at, cursor] of cursors.entries()) seen[at]?.push(Number((await cursor.next())?._id));
    }
    for (const cursor of cursors) await cursor.close();
    expect(seen).to.deep.equal(cursors.map((_, n) => range(10).map((i) => i * 10 + (n % 10))));
  });
});
