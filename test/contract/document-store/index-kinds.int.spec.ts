import { expect } from 'chai';
import type { Collection, Document } from 'mongodb';
import { failure } from '../../../embedded/document-store-server/test-server.js';
import { type Doc, describeTargets } from './document-store-targets.js';

describeTargets('kinds of indexes', (target) => {
  let made: Collection<Doc>;
  beforeEach(() => {
    made = target().collection('indexed');
  });
  const duplicate = async (write: Promise<unknown>) => {
    const { code, keyPattern, keyValue } = await failure(write);
    return { code, keyPattern, keyValue };
  };
  const refused = (keyPattern: Document, keyValue: Document) => ({ code: 11000, keyPattern, keyValue });
  const ids = async (cursor: { toArray(): Promise<Doc[]> }) => (await cursor.toArray()).map(({ _id }) => _id);

  describe('unique', () => {
    it('refuse a value that is there, in inserts, updates and replacements', async () => {
      await made.createIndex({ a: 1 }, { unique: true });
      await made.insertMany([
        { _id: 1, a: 'x' },
        { _id: 2, a: 'y' },
      ]);
      const told = refused({ a: 1 }, { a: 'x' });
      expect(await duplicate(made.insertOne({ _id: 3, a: 'x' }))).to.deep.equal(told);
      expect(await duplicate(made.updateOne({ _id: 2 }, { $set: { a: 'x' } }))).to.deep.equal(told);
      expect(await duplicate(made.replaceOne({ _id: 2 }, { a: 'x' }))).to.deep.equal(told);
      expect(await duplicate(made.updateOne({ _id: 9 }, { $set: { a: 'x' } }, { upsert: true }))).to.deep.equal(told);
      await made.updateOne({ _id: 1 }, { $set: { a: 'x', b: 1 } });
      await made.deleteOne({ _id: 1 });
      await made.insertOne({ _id: 3, a: 'x' });
      expect(await made.countDocuments()).to.equal(2);
    });

    it('take a missing field for null, once', async () => {
      await made.createIndex({ a: 1 }, { unique: true });
      await made.insertOne({ _id: 1 });
      expect((await duplicate(made.insertOne({ _id: 2 }))).code).to.equal(11000);
      expect((await duplicate(made.insertOne({ _id: 2, a: null }))).code).to.equal(11000);
      await made.insertOne({ _id: 2, a: 0 });
    });

    it('compare numbers of all types, and texts by their bytes', async () => {
      await made.createIndex({ a: 1 }, { unique: true });
      await made.insertMany([
        { _id: 1, a: 1 },
        { _id: 2, a: 'é' },
      ]);
      expect((await duplicate(made.insertOne({ _id: 3, a: 1n }))).code).to.equal(11000);
      await made.insertMany([
        { _id: 3, a: '1' },
        { _id: 4, a: 'e\u0301' },
        { _id: 5, a: 'É' },
      ]);
    });

    it('over several fields refuse the combination alone', async () => {
      await made.createIndex({ a: 1, b: -1 }, { unique: true });
      await made.insertMany([
        { _id: 1, a: 1, b: 1 },
        { _id: 2, a: 1, b: 2 },
        { _id: 3, a: 2, b: 1 },
      ]);
      expect(await duplicate(made.insertOne({ _id: 4, b: 2, a: 1 }))).to.deep.equal(
        refused({ a: 1, b: -1 }, { a: 1, b: 2 }),
      );
    });

    it('over arrays hold between documents, not within one', async () => {
      await made.createIndex({ 'a.k': 1 }, { unique: true });
      await made.insertOne({ _id: 1, a: [{ k: 1 }, { k: 1 }, { k: 2 }] });
      expect((await duplicate(made.insertOne({ _id: 2, a: [{ k: 3 }, { k: 2 }] }))).code).to.equal(11000);
      expect((await duplicate(made.insertOne({ _id: 2, a: { k: 1 } }))).code).to.equal(11000);
      await made.insertOne({ _id: 2, a: [{ k: 3 }] });
    });

    it('let one of many insert a value', async () => {
      await made.createIndex({ mail: 1 }, { unique: true });
      const races = await Promise.allSettled(
        Array.from({ length: 20 }, (_, _id) => made.insertOne({ _id, mail: 'x' })),
      );
      expect(races.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      expect(await made.countDocuments({ mail: 'x' })).to.equal(1);
    });
  });

  describe('compound', () => {
    it('answer for each beginning of their fields, in their order and turned round', async () => {
      await made.createIndex({ a: 1, b: -1 });
      await made.insertMany(Array.from({ length: 12 }, (_, _id) => ({ _id, a: _id % 3, b: Math.floor(_id / 3) })));
      const hint = { a: 1, b: -1 };
      expect(await ids(made.find({ a: 1 }, { hint }).sort({ a: 1, b: -1 }))).to.deep.equal([10, 7, 4, 1]);
      expect(await ids(made.find({ a: 1 }, { hint }).sort({ a: -1, b: 1 }))).to.deep.equal([1, 4, 7, 10]);
      expect(await ids(made.find({ a: 1, b: { $gt: 0, $lte: 2 } }, { hint }).sort({ b: 1 }))).to.deep.equal([4, 7]);
      expect(await ids(made.find({ a: { $in: [2, 0] }, b: 3 }, { hint }).sort({ a: 1 }))).to.deep.equal([9, 11]);
      expect(await ids(made.find({ b: 0 }, { hint }).sort({ _id: 1 }))).to.deep.equal([0, 1, 2]);
      expect(await ids(made.find({}, { hint }).sort({ a: -1, b: -1 }).limit(2))).to.deep.equal([11, 8]);
    });
  });

  describe('multikey', () => {
    it('find documents by each item of an array, once', async () => {
      await made.createIndex({ tags: 1 });
      await made.insertMany([
        { _id: 1, tags: ['x', 'y', 'x'] },
        { _id: 2, tags: ['y'] },
        { _id: 3, tags: [] },
        { _id: 4, tags: 'x' },
        { _id: 5, tags: [['x']] },
        { _id: 6 },
      ]);
      const found = async (filter: Document) =>
        (await ids(made.find(filter, { hint: 'tags_1' }))).map(Number).sort((a, b) => a - b);
      expect(await found({ tags: 'x' })).to.deep.equal([1, 4]);
      expect(await found({ tags: { $in: ['x', 'y'] } })).to.deep.equal([1, 2, 4]);
      expect(await found({ tags: { $gte: '' } })).to.deep.equal([1, 2, 4]);
      expect(await found({ tags: { $all: ['x', 'y'] } })).to.deep.equal([1]);
      expect(await found({ tags: [] })).to.deep.equal([3]);
      expect(await found({ tags: ['x'] })).to.deep.equal([5]);
      expect(await found({ tags: null })).to.deep.equal([6]);
      await made.updateOne({ _id: 1 }, { $pull: { tags: 'x' } as Document });
      expect(await found({ tags: 'x' })).to.deep.equal([4]);
    });

    it('take bounds that different items meet', async () => {
      await made.createIndex({ n: 1 });
      await made.insertMany([
        { _id: 1, n: [1, 9] },
        { _id: 2, n: 5 },
        { _id: 3, n: [5] },
        { _id: 4, n: [1] },
      ]);
      const found = async (filter: Document) => (await ids(made.find(filter, { hint: 'n_1' }))).map(Number).sort();
      expect(await found({ n: { $gt: 2, $lt: 8 } })).to.deep.equal([1, 2, 3]);
      expect(await found({ n: { $elemMatch: { $gt: 2, $lt: 8 } } })).to.deep.equal([3]);
    });

    it('refuse two arrays in one document with 171', async () => {
      await made.createIndex({ a: 1, b: 1 });
      const err = await failure(made.insertOne({ _id: 1, a: [1], b: [2] }));
      expect([err.code, err['codeName'] ?? 'CannotIndexParallelArrays']).to.deep.equal([
        171,
        'CannotIndexParallelArrays',
      ]);
      await made.insertMany([
        { _id: 1, a: [1, 2], b: 3 },
        { _id: 2, a: 3, b: [1, 2] },
      ]);
      expect((await failure(made.updateOne({ _id: 1 }, { $set: { b: [1] } }))).code).to.equal(171);
      const parallel = target().collection('parallel');
      await parallel.insertOne({ _id: 1, a: [1], b: [2] });
      expect((await failure(parallel.createIndex({ a: 1, b: 1 }))).code).to.equal(171);
      expect(await made.countDocuments()).to.equal(2);
    });

    it('walk fields of one array together', async () => {
      await made.createIndex({ 'items.sku': 1, 'items.n': 1 });
      await made.insertMany([
        {
          _id: 1,
          items: [
            { sku: 'a', n: 1 },
            { sku: 'b', n: 9 },
          ],
        },
        { _id: 2, items: [{ sku: 'a', n: 9 }] },
      ]);
      const hint = { 'items.sku': 1, 'items.n': 1 };
      const both = await ids(made.find({ 'items.sku': 'a', 'items.n': { $gt: 5 } }, { hint }));
      expect(both.sort()).to.deep.equal([1, 2]);
      const one = { items: { $elemMatch: { sku: 'a', n: { $gt: 5 } } } };
      expect(await ids(made.find(one, { hint }))).to.deep.equal([2]);
    });
  });

  describe('sparse', () => {
    it('leave out documents without the field, and are not used where that would tell', async () => {
      await made.createIndex({ score: 1 }, { sparse: true });
      await made.insertMany([{ _id: 1 }, { _id: 2, score: 82 }, { _id: 3, score: 90 }, { _id: 4, score: null }]);
      expect(await ids(made.find().sort({ score: -1, _id: 1 }))).to.deep.equal([3, 2, 1, 4]);
      expect((await ids(made.find().hint({ score: 1 }))).length).to.equal(3);
      expect(await ids(made.find({ score: { $lt: 90 } }))).to.deep.equal([2]);
      expect((await ids(made.find({ score: null }))).sort()).to.deep.equal([1, 4]);
      expect(await ids(made.find({ score: { $exists: false } }))).to.deep.equal([1]);
    });

    it('and unique let many be without the field', async () => {
      await made.createIndex({ a: 1 }, { sparse: true, unique: true });
      await made.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3, a: null }]);
      expect((await duplicate(made.insertOne({ _id: 4, a: null }))).code).to.equal(11000);
      await made.insertOne({ _id: 4, a: 1 });
      expect((await duplicate(made.insertOne({ _id: 5, a: 1 }))).code).to.equal(11000);
    });
  });

  describe('partial', () => {
    it('hold the documents of their filter alone', async () => {
      await made.createIndex({ name: 1 }, { partialFilterExpression: { rating: { $gt: 5 } } });
      await made.insertMany([
        { _id: 1, name: 'x', rating: 3 },
        { _id: 2, name: 'x', rating: 6 },
        { _id: 3, name: 'y', rating: 9 },
        { _id: 4, name: 'x' },
      ]);
      expect(await ids(made.find({ name: 'x', rating: { $gte: 6 } }))).to.deep.equal([2]);
      expect((await ids(made.find({ name: 'x' }))).sort()).to.deep.equal([1, 2, 4]);
      expect((await ids(made.find({ name: 'x', rating: { $lt: 8 } }))).sort()).to.deep.equal([1, 2]);
    });

    it('and unique refuse only among these', async () => {
      await made.createIndex({ name: 1 }, { unique: true, partialFilterExpression: { age: { $gte: 21 } } });
      await made.insertMany([
        { _id: 1, name: 'a', age: 30 },
        { _id: 2, name: 'a', age: 20 },
        { _id: 3, name: 'a', age: 19 },
        { _id: 4, name: 'a' },
      ]);
      expect(await duplicate(made.insertOne({ _id: 5, name: 'a', age: 21 }))).to.deep.equal(
        refused({ name: 1 }, { name: 'a' }),
      );
      expect((await duplicate(made.updateOne({ _id: 2 }, { $inc: { age: 1 } }))).code).to.equal(11000);
      await made.deleteOne({ _id: 1 });
      await made.updateOne({ _id: 2 }, { $inc: { age: 1 } });
    });

    it('take equality, ranges, $exists: true, $type, $and, $or and $in', async () => {
      const filters: Document[] = [
        { a: 1 },
        { a: { $gt: 1, $lte: 9 } },
        { a: { $exists: true } },
        { a: { $type: 'string' } },
        { $and: [{ a: 1 }, { b: 1 }] },
        { $or: [{ a: 1 }, { b: 1 }] },
        { a: { $in: [1, 2] } },
      ];
      for (const [at, partialFilterExpression] of filters.entries()) {
        await made.createIndex({ x: 1 }, { name: `p${at}`, partialFilterExpression });
      }
      expect(await made.indexes()).to.have.length(filters.length + 1);
    });
  });

  it('take keys of any length', async () => {
    await made.createIndex({ text: 1 }, { unique: true });
    const text = (end: string) => `${'x'.repeat(4000)}${end}`;
    await made.insertMany(['c', 'a', 'b'].map((end) => ({ _id: text(end), text: text(end) })));
    expect((await failure(made.insertOne({ _id: 'other', text: text('a') }))).code).to.equal(11000);
    expect((await failure(made.insertOne({ _id: text('a') }))).code).to.equal(11000);
    expect((await made.findOne({ text: text('b') }))?._id).to.equal(text('b'));
    expect(await made.countDocuments({ text: { $gte: text('b') } })).to.equal(2);
    const order = (await ids(made.find().sort({ text: 1 }))).map((id) => String(id).at(-1));
    expect(order).to.deep.equal(['a', 'b', 'c']);
  });
});
