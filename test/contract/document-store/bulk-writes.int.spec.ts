import { expect } from 'chai';
import { type AnyBulkWriteOperation, type Document, Long, MongoBulkWriteError } from 'mongodb';
import { failure } from '../../../embedded/document-store-server/test-server.js';
import { type Doc, describeTargets } from './document-store-targets.js';

const insert = (_id: number, fields: Document = {}): AnyBulkWriteOperation<Doc> => ({
  insertOne: { document: { _id, ...fields } },
});

const errorsOf = (err: MongoBulkWriteError) => [err.writeErrors].flat().map(({ index, code }) => [index, code]);

describeTargets('bulk writes', (target) => {
  it('of all kinds are counted by kind', async () => {
    const collection = target().collection('bulk');
    const result = await collection.bulkWrite([
      insert(1, { a: 1 }),
      insert(2, { a: 1 }),
      insert(3, { a: 1 }),
      { updateOne: { filter: { _id: 1 }, update: { $set: { a: 2 } } } },
      { updateMany: { filter: { a: 1 }, update: { $set: { a: 1 } } } },
      { updateOne: { filter: { _id: 4 }, update: { $set: { a: 4 } }, upsert: true } },
      { replaceOne: { filter: { _id: 5 }, replacement: { a: 5 }, upsert: true } },
      { replaceOne: { filter: { _id: 2 }, replacement: { b: 2 } } },
      { deleteOne: { filter: { _id: 3 } } },
      { deleteMany: { filter: { a: { $gte: 4 } } } },
    ]);
    expect({
      inserted: result.insertedCount,
      matched: result.matchedCount,
      modified: result.modifiedCount,
      upserted: result.upsertedCount,
      ids: result.upsertedIds,
      deleted: result.deletedCount,
    }).to.deep.equal({ inserted: 3, matched: 4, modified: 2, upserted: 2, ids: { 5: 4, 6: 5 }, deleted: 3 });
    expect(await collection.find().sort({ _id: 1 }).toArray()).to.deep.equal([
      { _id: 1, a: 2 },
      { _id: 2, b: 2 },
    ]);
  });

  it('in order end at the first that is refused', async () => {
    const collection = target().collection('bulk');
    await collection.insertOne({ _id: 2 });
    const err = await failure(collection.bulkWrite([insert(1), insert(2), insert(3), insert(2)]));
    expect(err).to.be.instanceOf(MongoBulkWriteError);
    const bulk = err as unknown as MongoBulkWriteError;
    expect([bulk.code, bulk.insertedCount]).to.deep.equal([11000, 1]);
    expect(errorsOf(bulk)).to.deep.equal([[1, 11000]]);
    expect((await collection.find().sort({ _id: 1 }).toArray()).map(({ _id }) => _id)).to.deep.equal([1, 2]);
  });

  it('without order go on, and tell of each that is refused', async () => {
    const collection = target().collection('bulk');
    await collection.createIndex({ a: 1, b: -1 }, { unique: true });
    const err = (await failure(
      collection.bulkWrite(
        [
          insert(1, { a: 1, b: 1 }),
          insert(1, { a: 2, b: 2 }),
          insert(2, { a: 1, b: 1 }),
          insert(3, { a: 1, b: 2 }),
          { updateOne: { filter: { _id: 3 }, update: { $set: { b: 1 } } } },
          { updateOne: { filter: { _id: 1 }, update: { $inc: { 'a.b': 1 } } } },
          { replaceOne: { filter: { _id: 9 }, replacement: { a: 1, b: 2 }, upsert: true } },
          { replaceOne: { filter: { _id: 8 }, replacement: { a: 8 }, upsert: true } },
          { deleteOne: { filter: { _id: 1 } } },
        ],
        { ordered: false },
      ),
    )) as unknown as MongoBulkWriteError;
    expect(err).to.be.instanceOf(MongoBulkWriteError);
    expect(errorsOf(err).sort(([x], [y]) => Number(x) - Number(y))).to.deep.equal([
      [1, 11000],
      [2, 11000],
      [4, 11000],
      [5, 28],
      [6, 11000],
    ]);
    expect([err.insertedCount, err.upsertedCount, err.deletedCount]).to.deep.equal([2, 1, 1]);
    expect((await collection.find().sort({ _id: 1 }).toArray()).map(({ _id }) => _id)).to.deep.equal([3, 8]);
  });

  it('see what stands before them in the same bulk', async () => {
    const collection = target().collection('bulk');
    const n = 3;
    const result = await collection.bulkWrite(
      Array.from({ length: n }, () => ({
        updateOne: { filter: { _id: 'x' }, update: { $inc: { n: 1 } }, upsert: true },
      })),
    );
    expect([result.upsertedCount, result.matchedCount, result.modifiedCount]).to.deep.equal([1, 2, 2]);
    expect(await collection.findOne()).to.deep.equal({ _id: 'x', n });
  });

  it('of more operations than one command takes are cut up, and keep their numbers', async () => {
    const { client, db, fresh } = target();
    const { maxWriteBatchSize } = await client.db('admin').command({ hello: 1 });
    expect(maxWriteBatchSize).to.equal(100_000);
    const collection = db.collection<Doc>(fresh('many'));
    const documents = Array.from({ length: 100_100 }, (_, i) => ({ _id: i === 100_050 ? 7 : i }));
    const err = (await failure(collection.insertMany(documents, { ordered: false }))) as unknown as MongoBulkWriteError;
    expect(errorsOf(err)).to.deep.equal([[100_050, 11000]]);
    expect(await collection.estimatedDocumentCount()).to.equal(100_099);
  }).timeout(20_000);

  it('as commands answer with n, nModified, upserted and writeErrors', async () => {
    const { db, fresh } = target();
    const name = fresh('commands');
    await db.collection(name).createIndex({ a: 1, b: -1 }, { unique: true });
    const documents = [{ _id: 1 }, { _id: 1 }, { _id: 2, a: 1, b: 2 }, { _id: 3, a: 1, b: 2 }];
    const inserted = await db.command({ insert: name, ordered: false, documents });
    expect([inserted['ok'], inserted['n']]).to.deep.equal([1, 2]);
    expect(inserted['writeErrors'].map(({ errmsg, ...told }: Document) => told)).to.deep.equal([
      { index: 1, code: 11000, keyPattern: { _id: 1 }, keyValue: { _id: 1 } },
      { index: 3, code: 11000, keyPattern: { a: 1, b: -1 }, keyValue: { a: 1, b: 2 } },
    ]);
    const updated = await db.command({
      update: name,
      updates: [
        { q: { _id: 1 }, u: { $set: { c: 1 } } },
        { q: { _id: 3 }, u: { $set: { c: 1, b: 1 } }, upsert: true },
        { q: {}, u: { $set: { c: 1 } }, multi: true },
      ],
    });
    expect([updated['ok'], updated['n'], updated['nModified']]).to.deep.equal([1, 5, 2]);
    expect(updated['upserted']).to.deep.equal([{ index: 1, _id: 3 }]);
    expect('writeErrors' in updated).to.equal(false);
    const deleted = await db.command({
      delete: name,
      deletes: [
        { q: { _id: 1 }, limit: 1 },
        { q: { c: 1 }, limit: 0 },
      ],
    });
    expect([deleted['ok'], deleted['n']]).to.deep.equal([1, 3]);
  });

  it('are refused as commands where there is nothing to write', async () => {
    const { db, fresh } = target();
    const name = fresh('empty');
    for (const command of [
      { insert: name, documents: [] },
      { update: name, updates: [] },
      { delete: name, deletes: [] },
    ]) {
      expect((await failure(db.command(command))).code).to.equal(16);
    }
  });

  it('delete one or all that match', async () => {
    const collection = target().collection('deleted');
    await collection.insertMany([1, 2, 3, 4, 5].map((_id) => ({ _id, odd: _id % 2 === 1 })));
    expect((await collection.deleteOne({ odd: true })).deletedCount).to.equal(1);
    expect((await collection.deleteMany({ odd: true })).deletedCount).to.equal(2);
    expect((await collection.deleteMany({ odd: true })).deletedCount).to.equal(0);
    expect((await collection.deleteOne({ _id: 99 })).deletedCount).to.equal(0);
    expect((await collection.find().sort({ _id: 1 }).toArray()).map(({ _id }) => _id)).to.deep.equal([2, 4]);
    expect((await collection.deleteMany({})).deletedCount).to.equal(2);
  });

  it('of hundreds of replacements by _id are upserts, and change nothing when they come again', async () => {
    const views = target().collection('views');
    const write = (version: number) =>
      views.bulkWrite(
        Array.from({ length: 600 }, (_, i) => ({
          replaceOne: {
            filter: { _id: `v${i}` },
            replacement: { version: Long.fromNumber(version), text: 'x'.repeat(i % 100) },
            upsert: true,
          },
        })),
        { ordered: false },
      );
    expect((await write(1)).upsertedCount).to.equal(600);
    const again = await write(2);
    expect([again.matchedCount, again.modifiedCount, again.upsertedCount]).to.deep.equal([600, 600, 0]);
    expect((await write(2)).modifiedCount).to.equal(0);
    expect(await views.countDocuments({ version: 2 })).to.equal(600);
  });
});
