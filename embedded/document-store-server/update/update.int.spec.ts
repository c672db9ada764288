import { expect } from 'chai';
import {
  type AnyBulkWriteOperation,
  type Document,
  Double,
  Int32,
  Long,
  type MongoBulkWriteError,
  Timestamp,
  type UpdateFilter,
} from 'mongodb';
import { failure, startTestServer, type TestServer } from '../test-server.js';

interface Doc extends Document {
  _id: string | number;
}

/** The driver's types know no operators on fields of unknown types. */
const change = (update: Document) => update as UpdateFilter<Doc>;

const now = 1_700_000_000_123;

describe('updates through the official driver', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({ now: () => now });
  });
  after(() => server.stop());
  let count = 0;
  const fill = async (documents: Doc[]) => {
    const collection = server.db.collection<Doc>(`c${count++}`);
    if (documents.length > 0) await collection.insertMany(documents);
    return collection;
  };

  it('tell what was matched, changed and upserted', async () => {
    const items = await fill([
      { _id: 1, a: 1 },
      { _id: 2, a: 1 },
      { _id: 3, a: 2 },
    ]);
    expect(await items.updateMany({}, { $set: { a: 2 } })).to.include({
      matchedCount: 3,
      modifiedCount: 2,
      upsertedCount: 0,
    });
    expect(await items.updateOne({ _id: 1 }, { $set: { a: 2 } })).to.include({ matchedCount: 1, modifiedCount: 0 });
    expect(await items.updateOne({ _id: 9 }, { $set: { a: 2 } })).to.include({ matchedCount: 0, modifiedCount: 0 });
    expect(await items.updateOne({ _id: 9 }, { $set: { a: 2 } }, { upsert: true })).to.include({
      matchedCount: 0,
      modifiedCount: 0,
      upsertedCount: 1,
      upsertedId: 9,
    });
    expect(await items.replaceOne({ _id: 9 }, { a: 2 })).to.include({ matchedCount: 1, modifiedCount: 0 });
    expect(await items.replaceOne({ _id: 9 }, { a: 3 })).to.include({ matchedCount: 1, modifiedCount: 1 });
    const raw = {
      update: items.collectionName,
      updates: [
        { q: { _id: 'u' }, u: { $inc: { n: 1 } }, upsert: true },
        { q: { _id: 'u' }, u: { $inc: { n: 1 } }, upsert: true },
      ],
    };
    expect(await server.db.command(raw)).to.deep.equal({
      n: 2,
      nModified: 1,
      upserted: [{ index: 0, _id: 'u' }],
      ok: 1,
    });
  });

  it('leave a document alone when one of their operators fails, and keep those changed before it', async () => {
    const items = await fill([
      { _id: 1, a: 1, b: 1 },
      { _id: 2, a: 1, b: 'x' },
      { _id: 3, a: 1, b: 1 },
    ]);
    const err = await failure(items.updateMany({}, { $set: { a: 2 }, $inc: { b: 1 } }));
    expect(err.code).to.equal(14);
    expect(await items.find().sort({ _id: 1 }).toArray()).to.deep.equal([
      { _id: 1, a: 2, b: 2 },
      { _id: 2, a: 1, b: 'x' },
      { _id: 3, a: 1, b: 1 },
    ]);
  });

  it('go on in an unordered bulk behind each refusal', async () => {
    const items = await fill([{ _id: 1, a: 'x' }]);
    const operations: AnyBulkWriteOperation<Doc>[] = [
      { updateOne: { filter: { _id: 1 }, update: { $inc: { a: 1 } } } },
      { updateOne: { filter: { _id: 1 }, update: change({ $push: { a: 1 } }) } },
      { updateOne: { filter: { _id: 2 }, update: { $set: { 'a.b': 1 } }, upsert: true } },
      { updateOne: { filter: { _id: 1 }, update: { $set: { _id: 5 } } } },
      { replaceOne: { filter: { _id: 1 }, replacement: { a: 1 } } },
    ];
    const err = (await failure(items.bulkWrite(operations, { ordered: false }))) as unknown as MongoBulkWriteError;
    expect([err.writeErrors].flat().map(({ index, code }) => [index, code])).to.deep.equal([
      [0, 14],
      [1, 2],
      [3, 66],
    ]);
    expect([err.upsertedCount, err.modifiedCount]).to.deep.equal([1, 1]);
    expect(await items.find().sort({ _id: 1 }).toArray()).to.deep.equal([
      { _id: 1, a: 1 },
      { _id: 2, a: { b: 1 } },
    ]);
  });

  it('with a replacement and multi are refused', async () => {
    const items = await fill([{ _id: 1, a: 1 }]);
    const raw = { update: items.collectionName, updates: [{ q: {}, u: { a: 1 }, multi: true }] };
    const { writeErrors } = await server.db.command(raw);
    expect(writeErrors[0].code).to.equal(9);
  });

  it('$currentDate takes the time of the server', async () => {
    const items = await fill([{ _id: 1 }]);
    await items.updateOne({ _id: 1 }, change({ $currentDate: { a: true, b: { $type: 'timestamp' } } }));
    const found = await items.findOne({ _id: 1 });
    expect(found?.['a']).to.deep.equal(new Date(now));
    expect(found?.['b'].t).to.equal(Math.floor(now / 1000));
  });

  it('by a pipeline compute from the document, with the variables of let, also in findAndModify', async () => {
    const items = await fill([
      { _id: 1, a: 1 },
      { _id: 2, a: 5 },
    ]);
    const options = { let: { by: 10, least: 3 } };
    const change = await items.updateMany(
      { $expr: { $gt: ['$a', '$$least'] } },
      [{ $set: { a: { $add: ['$a', '$$by'] } } }],
      options,
    );
    expect(change).to.include({ matchedCount: 1, modifiedCount: 1 });
    const after = await items.findOneAndUpdate({ _id: 1 }, [{ $set: { b: '$$by' } }], {
      ...options,
      returnDocument: 'after',
    });
    expect(after).to.deep.equal({ _id: 1, a: 1, b: 10 });
    const update = {
      update: items.collectionName,
      updates: [{ q: { $expr: { $gt: ['$a', '$$by'] } }, u: [{ $set: { a: '$$by' } }] }],
    };
    const explained = await server.db.command({ explain: { ...update, let: { by: 10 } }, verbosity: 'executionStats' });
    expect(explained['executionStats'].executionStages).to.include({ stage: 'UPDATE', nMatched: 1, nWouldModify: 1 });
    const { deletedCount } = await items.deleteMany({ $expr: { $gt: ['$a', '$$by'] } }, options);
    expect(deletedCount).to.equal(1);
    expect(await items.find().toArray()).to.deep.equal([{ _id: 1, a: 1, b: 10 }]);
  });

  it('arrayFilters choose the items, also in findAndModify', async () => {
    const items = await fill([{ _id: 1, a: [{ k: 1 }, { k: 2 }] }]);
    await items.updateOne({ _id: 1 }, { $set: { 'a.$[x].n': 1 } }, { arrayFilters: [{ 'x.k': 2 }] });
    const after = await items.findOneAndUpdate(
      { _id: 1 },
      { $inc: { 'a.$[x].n': 5 } },
      { arrayFilters: [{ 'x.k': 2 }], returnDocument: 'after' },
    );
    expect(after?.['a']).to.deep.equal([{ k: 1 }, { k: 2, n: 6 }]);
  });

  it('the positional $ takes the item that the query found, in each document its own', async () => {
    const items = await fill([
      { _id: 1, a: [1, 2] },
      { _id: 2, a: [2, 3] },
    ]);
    await items.updateMany({ a: 2 }, { $set: { 'a.$': 9 } });
    expect(await items.find().sort({ _id: 1 }).toArray()).to.deep.equal([
      { _id: 1, a: [1, 9] },
      { _id: 2, a: [9, 3] },
    ]);
  });

  it('keep an index true over $rename, $pop and $push', async () => {
    const items = await fill([{ _id: 1, a: 'x', b: [1, 2] }]);
    await items.createIndex({ c: 1 });
    await items.createIndex({ b: 1 });
    await items.updateOne({ _id: 1 }, change({ $rename: { a: 'c' }, $pop: { b: 1 } }));
    await items.updateOne({ _id: 1 }, change({ $push: { b: { $each: [7], $position: 0 } } }));
    const find = (filter: Document, hint: string) => items.find(filter).hint(hint).toArray();
    const wanted = [{ _id: 1, b: [7, 1], c: 'x' }];
    expect(await find({ c: 'x' }, 'c_1')).to.deep.equal(wanted);
    expect(await find({ b: 7 }, 'b_1')).to.deep.equal(wanted);
    expect(await find({ b: 2 }, 'b_1')).to.deep.equal([]);
  });

  it('bring documents up to 16 MB and not one byte further', async () => {
    const items = await fill([{ _id: 1, a: '' }]);
    const empty = 22;
    const most = 16 * 1024 * 1024;
    const text = 'x'.repeat(most - empty);
    expect((await items.updateOne({ _id: 1 }, { $set: { a: text } })).modifiedCount).to.equal(1);
    expect((await failure(items.updateOne({ _id: 1 }, { $set: { a: `${text}x` } }))).code).to.equal(17419);
    const upsert = items.updateOne({ _id: 2 }, { $set: { a: `${text}x` } }, { upsert: true });
    expect((await failure(upsert)).code).to.equal(17420);
    const insert = { insert: items.collectionName, documents: [{ _id: 3, a: `${text}x` }] };
    expect((await server.db.command(insert)).writeErrors[0].code).to.equal(2);
    await items.insertOne({ _id: 3, a: text });
    expect(await items.countDocuments()).to.equal(2);
  });

  it('bring documents down to 180 levels of fields and not one further, as inserts do', async () => {
    const items = await fill([]);
    const nested = (levels: number): object => (levels === 1 ? { a: 1 } : { a: nested(levels - 1) });
    await items.insertOne({ _id: 1, ...nested(180) });
    expect((await failure(items.insertOne({ _id: 2, ...nested(181) }))).code).to.equal(15);
    expect((await items.updateOne({ _id: 1 }, { $set: { b: nested(179) } })).modifiedCount).to.equal(1);
    expect((await failure(items.updateOne({ _id: 1 }, { $set: { b: nested(180) } }))).code).to.equal(15);
    expect((await failure(items.replaceOne({ _id: 1 }, nested(181)))).code).to.equal(15);
    await items.replaceOne({ _id: 1 }, { a: 1 });
    expect(await items.find().toArray()).to.deep.equal([{ _id: 1, a: 1 }]);
  });

  it('inserts give empty timestamps the time and refuse what cannot be an _id', async () => {
    const items = await fill([]);
    await items.insertOne({ _id: 1, a: new Timestamp(0n), b: { c: new Timestamp(0n) } });
    const found = await items.findOne({ _id: 1 });
    expect(found?.['a'].t).to.equal(Math.floor(now / 1000));
    expect(found?.['b']).to.deep.equal({ c: new Timestamp(0n) });
    const insert = async (_id: unknown) => (await failure(items.insertOne({ _id } as never))).code;
    expect(await insert([1])).to.equal(53);
    expect(await insert(/x/)).to.equal(53);
    expect(await insert({ $x: 1 })).to.equal(52);
    expect(await insert({ a: { $x: 1 } })).to.equal(52);
    await items.insertOne({ _id: 2, $price: 1, a: { $b: 1, 'c.d': 1 } });
  });

  it('keep numbers of 64 bits and their types', async () => {
    const items = await fill([{ _id: 1, n: Long.fromString('9007199254740993') }]);
    await items.updateOne({ _id: 1 }, { $inc: { n: 1, m: new Double(1), i: new Int32(1) } });
    const found = await items.findOne({ _id: 1 }, { promoteValues: false });
    expect(found?.['n']).to.deep.equal(Long.fromString('9007199254740994'));
    expect(found?.['m']).to.deep.equal(new Double(1));
    expect(found?.['i']).to.deep.equal(new Int32(1));
  });
});
