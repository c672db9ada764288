import { expect } from 'chai';
import type { Collection, CreateIndexesOptions, Document } from 'mongodb';
import { failure } from '../../../embedded/document-store-server/test-server.js';
import { type Doc, describeTargets } from './document-store-targets.js';
import { titleOf } from './exact-documents.js';

describeTargets('indexes', (target) => {
  let made: Collection<Doc>;
  beforeEach(() => {
    made = target().collection('indexes');
  });
  const create = (...indexes: Document[]) => target().db.command({ createIndexes: made.collectionName, indexes });
  const names = async () => (await made.indexes()).map(({ name }) => name);

  it('are named for their fields, and listed with what they were made with', async () => {
    expect(await made.createIndex({ a: 1 })).to.equal('a_1');
    expect(await made.createIndex({ b: -1, 'c.d': 1 }, { unique: true })).to.equal('b_-1_c.d_1');
    await made.createIndex({ e: 1 }, { sparse: true, name: 'by e' });
    await made.createIndex({ f: 1 }, { partialFilterExpression: { g: { $gt: 5 } } });
    await made.createIndex({ h: 1 }, { expireAfterSeconds: 3600 });
    const listed = (await made.indexes()) as Document[];
    expect(listed.sort((x, y) => (x['name'] < y['name'] ? -1 : 1))).to.deep.equal([
      { v: 2, key: { _id: 1 }, name: '_id_' },
      { v: 2, key: { a: 1 }, name: 'a_1' },
      { v: 2, key: { b: -1, 'c.d': 1 }, name: 'b_-1_c.d_1', unique: true },
      { v: 2, key: { e: 1 }, name: 'by e', sparse: true },
      { v: 2, key: { f: 1 }, name: 'f_1', partialFilterExpression: { g: { $gt: 5 } } },
      { v: 2, key: { h: 1 }, name: 'h_1', expireAfterSeconds: 3600 },
    ]);
  });

  it('are made together, with or without the collection, and once only', async () => {
    const first = await create({ key: { a: 1 }, name: 'a' }, { key: { b: 1 }, name: 'b' });
    const { numIndexesBefore, numIndexesAfter, createdCollectionAutomatically } = first;
    expect([numIndexesBefore, numIndexesAfter, createdCollectionAutomatically]).to.deep.equal([1, 3, true]);
    const again = await create({ key: { b: 1 }, name: 'b' });
    expect([again['numIndexesBefore'], again['numIndexesAfter']]).to.deep.equal([3, 3]);
    const more = await create({ key: { b: 1 }, name: 'b' }, { key: { c: 1 }, name: 'c' });
    expect([more['numIndexesBefore'], more['numIndexesAfter']]).to.deep.equal([3, 4]);
    await made.createIndex({ _id: 1 });
    expect((await names()).sort()).to.deep.equal(['_id_', 'a', 'b', 'c']);
  });

  it('are made of documents that are there', async () => {
    await made.insertMany(Array.from({ length: 50 }, (_, i) => ({ _id: i, a: i % 10 })));
    await made.createIndex({ a: 1 });
    expect(await made.countDocuments({ a: 3 }, { hint: 'a_1' })).to.equal(5);
    await made.updateMany({ a: 3 }, { $set: { a: 33 } });
    expect(await made.countDocuments({ a: { $gte: 33 } }, { hint: 'a_1' })).to.equal(5);
    await made.deleteMany({ a: 33 });
    expect(await made.countDocuments({ a: { $gte: 0 } }, { hint: 'a_1' })).to.equal(45);
  });

  describe('that contradict one that is there', () => {
    const conflicts: [title: string, key: Document, options: CreateIndexesOptions, code: number][] = [
      ['the same under another name', { a: 1 }, { name: 'other' }, 85],
      ['others under the same name', { b: 1 }, { name: 'a_1' }, 86],
      ['another direction under the same name', { a: -1 }, { name: 'a_1' }, 86],
      ['a unique one under the same name', { a: 1 }, { name: 'a_1', unique: true }, 86],
      ['another time to live', { t: 1 }, { expireAfterSeconds: 2 }, 85],
    ];
    for (const [title, key, options, code] of conflicts) {
      it(`${title}: are refused with ${code}`, async () => {
        await made.createIndex({ a: 1 });
        await made.createIndex({ t: 1 }, { expireAfterSeconds: 1 });
        const err = await failure(made.createIndex(key as Record<string, 1>, options));
        expect([err.code, err['codeName']]).to.deep.equal([
          code,
          code === 85 ? 'IndexOptionsConflict' : 'IndexKeySpecsConflict',
        ]);
        expect(await names()).to.have.length(3);
      });
    }

    it('only in being unique or sparse, or in what they cover, stand beside it', async () => {
      await made.createIndex({ a: 1 });
      await made.createIndex({ a: 1 }, { name: 'unique', unique: true });
      await made.createIndex({ a: 1 }, { name: 'sparse', unique: true, sparse: true });
      await made.createIndex({ a: 1 }, { name: 'partial', partialFilterExpression: { b: 1 } });
      await made.createIndex({ a: 1 }, { name: 'other', partialFilterExpression: { b: 2 } });
      expect((await names()).sort()).to.deep.equal(['_id_', 'a_1', 'other', 'partial', 'sparse', 'unique']);
      const byFields = target().db.command({ dropIndexes: made.collectionName, index: { a: 1 } });
      expect((await failure(byFields)).code).to.equal(181);
      await made.insertOne({ _id: 1, a: 1 });
      expect((await failure(made.insertOne({ _id: 2, a: 1 }))).code).to.equal(11000);
      await made.dropIndex('unique');
      await made.insertMany([{ _id: 3 }, { _id: 4 }]);
      expect((await failure(made.insertOne({ _id: 2, a: 1 }))).code).to.equal(11000);
    });
  });

  it('are dropped by name, by fields, by a list, and all but that on _id', async () => {
    for (const field of ['a', 'b', 'c', 'd', 'e', 'f']) await made.createIndex({ [field]: 1 });
    await made.dropIndex('a_1');
    const { nIndexesWas } = await target().db.command({ dropIndexes: made.collectionName, index: { b: 1 } });
    expect(nIndexesWas).to.equal(6);
    await target().db.command({ dropIndexes: made.collectionName, index: ['c_1', 'd_1'] });
    expect((await names()).sort()).to.deep.equal(['_id_', 'e_1', 'f_1']);
    await made.dropIndexes();
    expect(await names()).to.deep.equal(['_id_']);
  });

  it('that are not there, or may not go, are not dropped', async () => {
    await made.createIndex({ a: 1 });
    const drop = (index: unknown) => failure(target().db.command({ dropIndexes: made.collectionName, index }));
    expect([(await drop('b_1')).code, (await drop({ a: -1 })).code]).to.deep.equal([27, 27]);
    expect((await drop('_id_')).code).to.equal(72);
    expect((await drop(['a_1', 'b_1'])).code).to.equal(27);
    expect(await names()).to.deep.equal(['_id_', 'a_1']);
    const absent = target().collection('absent');
    expect((await failure(absent.indexes())).code).to.equal(26);
    expect((await failure(absent.dropIndex('a_1'))).code).to.equal(26);
  });

  describe('that cannot be', () => {
    const refused: [key: Document, options: Document, code: number][] = [
      [{}, { name: 'nothing' }, 67],
      [{ a: 0 }, {}, 67],
      [{ a: 'no such kind' }, {}, 67],
      [{ a: 1 }, { name: '' }, 67],
      [{ a: 1 }, { partialFilterExpression: { b: { $ne: 1 } } }, 67],
      [{ a: 1 }, { partialFilterExpression: { b: 1 }, sparse: true }, 67],
      [{ $a: 1 }, {}, 67],
      [{ a: 1 }, { expireAfterSeconds: -1 }, 67],
      [{ a: 1, b: 1 }, { expireAfterSeconds: 1 }, 67],
      [{ a: 1 }, { noSuchOption: 1 }, 197],
    ];
    for (const [key, options, code] of refused) {
      it(`${titleOf({ key, ...options })} is refused with ${code}`, async () => {
        await made.insertOne({ _id: 1 });
        expect((await failure(create({ key, name: 'refused', ...options }))).code).to.equal(code);
        expect(await names()).to.deep.equal(['_id_']);
      });
    }

    it('are refused with those beside them, and the collection is as it was', async () => {
      await made.insertMany([
        { _id: 1, a: 1 },
        { _id: 2, a: 1 },
      ]);
      const err = await failure(create({ key: { b: 1 }, name: 'b' }, { key: { a: 1 }, name: 'a', unique: true }));
      expect([err.code, err['keyPattern'], err['keyValue']]).to.deep.equal([11000, { a: 1 }, { a: 1 }]);
      expect(await names()).to.deep.equal(['_id_']);
    });

    it('beyond 64 are refused', async () => {
      await create(...Array.from({ length: 63 }, (_, i) => ({ key: { [`f${i}`]: 1 }, name: `f${i}` })));
      expect((await failure(made.createIndex({ more: 1 }))).code).to.equal(67);
      expect(await names()).to.have.length(64);
    });
  });

  describe('as hints', () => {
    beforeEach(async () => {
      await made.createIndex({ a: 1 });
      await made.insertMany([3, 1, 2].map((a) => ({ _id: a, a })));
    });

    it('name an index by its name, by its fields, or none', async () => {
      for (const hint of ['a_1', { a: 1 }, '_id_', { $natural: 1 }] as const) {
        expect(await made.find({ a: { $gt: 1 } }, { hint }).toArray(), titleOf(hint)).to.have.length(2);
        expect(await made.countDocuments({ a: { $gt: 1 } }, { hint })).to.equal(2);
        expect(await made.aggregate([{ $match: { a: 2 } }], { hint }).toArray()).to.have.length(1);
      }
      await made.updateOne({ a: 2 }, { $set: { b: 1 } }, { hint: 'a_1' });
      await made.deleteOne({ a: 3 }, { hint: { a: 1 } });
      await made.findOneAndUpdate({ a: 1 }, { $set: { b: 2 } }, { hint: { a: 1 } });
      expect(await made.find().sort({ a: 1 }).toArray()).to.deep.equal([
        { _id: 1, a: 1, b: 2 },
        { _id: 2, a: 2, b: 1 },
      ]);
    });

    it('that name none that is there are refused with 2', async () => {
      const hint = { z: 1 };
      expect((await failure(made.find({}, { hint }).toArray())).code).to.equal(2);
      expect((await failure(made.updateOne({}, { $set: { b: 1 } }, { hint }))).code).to.equal(2);
      expect((await failure(made.deleteOne({}, { hint: 'z_1' }))).code).to.equal(2);
      expect((await failure(made.findOneAndDelete({}, { hint }))).code).to.equal(2);
      expect(await made.countDocuments()).to.equal(3);
    });
  });
});
