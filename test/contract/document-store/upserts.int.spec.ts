import { expect } from 'chai';
import { type Document, Long, ObjectId, type UpdateFilter } from 'mongodb';
import { failure } from '../../../embedded/document-store-server/test-server.js';
import { type Doc, describeTargets } from './document-store-targets.js';
import { storedText, textOf, titleOf } from './exact-documents.js';

/** What an upsert stores where nothing is found: under the `_id` 1, or one of its own where `expected` has none. */
const inserted: [filter: Document, update: Document, expected: Document][] = [
  [{ _id: 1 }, { $set: { a: 1 } }, { _id: 1, a: 1 }],
  [{ _id: { $eq: 1 } }, { $set: { a: 1 } }, { _id: 1, a: 1 }],
  [{ _id: 1, a: 5 }, { $inc: { a: 1, b: 2 } }, { _id: 1, a: 6, b: 2 }],
  [{ _id: 1, a: { $gt: 5 } }, { $set: { b: 1 } }, { _id: 1, b: 1 }],
  [{ $and: [{ _id: 1 }, { a: 'x' }] }, { $set: { b: 1 } }, { _id: 1, a: 'x', b: 1 }],
  [{ _id: 1, 'a.b': 2 }, { $set: { 'a.c': 3 } }, { _id: 1, a: { b: 2, c: 3 } }],
  [{ _id: 1, a: { b: 2 } }, { $set: { c: 3 } }, { _id: 1, a: { b: 2 }, c: 3 }],
  [{ _id: 1, a: { $in: [7, 8] } }, { $set: { b: 1 } }, { _id: 1, b: 1 }],
  [{ _id: 1 }, { $setOnInsert: { a: 1 }, $set: { b: 2 } }, { _id: 1, a: 1, b: 2 }],
  [{ _id: 1 }, { $push: { a: 1 }, $addToSet: { b: { $each: [1, 1] } } }, { _id: 1, a: [1], b: [1] }],
  [{ _id: 1 }, { $unset: { a: '' }, $min: { b: 3 }, $max: { c: 4 } }, { _id: 1, b: 3, c: 4 }],
  [{ _id: 1, a: 3 }, { $mul: { a: 2, b: 2 } }, { _id: 1, a: 6, b: 0 }],
  [{ a: 1 }, { $set: { _id: 1 } }, { _id: 1, a: 1 }],
  [{ a: 1 }, { $setOnInsert: { _id: 1 } }, { _id: 1, a: 1 }],
  [{ a: 1 }, { $set: { b: 1 } }, { a: 1, b: 1 }],
  [{ _id: Long.fromNumber(1) }, { $set: { a: 1 } }, { _id: Long.fromNumber(1), a: 1 }],
];

const replaced: [filter: Document, replacement: Document, expected: Document][] = [
  [{ _id: 1 }, { a: 1 }, { _id: 1, a: 1 }],
  [{ _id: 1, b: 5 }, { a: 1 }, { _id: 1, a: 1 }],
  [{ b: 5 }, { _id: 1, a: 1 }, { _id: 1, a: 1 }],
  [{ b: 5 }, { a: 1 }, { a: 1 }],
];

describeTargets('upserts', (target) => {
  for (const [kind, cases] of [
    ['updateOne', inserted],
    ['updateMany', inserted.slice(0, 3)],
    ['replaceOne', replaced],
  ] as const) {
    describe(`by ${kind}`, () => {
      for (const [filter, update, expected] of cases) {
        it(`${titleOf(update)} where ${titleOf(filter)} is missing store ${titleOf(expected)}`, async () => {
          const collection = target().collection('upserted');
          const change = update as UpdateFilter<Doc> & Doc;
          const run = () => collection[kind](filter, change, { upsert: true });
          const result = (await run()) as Awaited<ReturnType<typeof collection.updateOne>>;
          const { matchedCount, modifiedCount, upsertedCount, upsertedId } = result;
          expect([matchedCount, modifiedCount, upsertedCount]).to.deep.equal([0, 0, 1]);
          if ('_id' in expected) expect(Number(upsertedId)).to.equal(1);
          else expect(upsertedId).to.be.instanceOf(ObjectId);
          const whole = '_id' in expected ? expected : { _id: upsertedId, ...expected };
          expect(await storedText(collection, upsertedId)).to.equal(textOf(whole));
          expect(await collection.countDocuments()).to.equal(1);
        });
      }
    });
  }

  it('change what is there instead, and then insert nothing', async () => {
    const collection = target().collection('upserted');
    await collection.insertOne({ _id: 1, a: 1 });
    const result = await collection.updateOne({ _id: 1 }, { $set: { a: 2 }, $setOnInsert: { b: 1 } }, { upsert: true });
    expect([result.matchedCount, result.modifiedCount, result.upsertedCount]).to.deep.equal([1, 1, 0]);
    expect(result.upsertedId).to.equal(null);
    expect(await collection.find().toArray()).to.deep.equal([{ _id: 1, a: 2 }]);
  });

  it('that would contradict themselves or the filter are refused', async () => {
    const collection = target().collection('upserted');
    const refused: [Document, Document, number][] = [
      [{ _id: 1 }, { $set: { _id: 2 } }, 66],
      [{ a: 1, $and: [{ a: 2 }] }, { $set: { b: 1 } }, 54],
      [{ a: 1 }, { $set: { 'a.b': 1 } }, 28],
      [{ a: 'text' }, { $inc: { a: 1 } }, 14],
      [{ a: 1 }, { $push: { a: 1 } }, 2],
    ];
    for (const [filter, update, code] of refused) {
      const err = await failure(collection.updateOne(filter, update as UpdateFilter<Doc>, { upsert: true }));
      expect(err.code, titleOf([filter, update])).to.equal(code);
    }
    expect(await collection.countDocuments()).to.equal(0);
  });

  it('of one key by many at the same time make one document, and lose no increment', async () => {
    const collection = target().collection('counters');
    const upsert = async (_id: string): Promise<unknown> => {
      // two upserts of a missing document may collide on its _id: the manual tells clients to try again
      for (;;) {
        try {
          return await collection.updateOne({ _id }, { $inc: { n: 1 } }, { upsert: true });
        } catch (err) {
          if ((err as { code?: number }).code !== 11000) throw err;
        }
      }
    };
    await Promise.all(Array.from({ length: 200 }, (_, i) => upsert(`c${i % 10}`)));
    expect(await collection.find().sort({ _id: 1 }).toArray()).to.deep.equal(
      Array.from({ length: 10 }, (_, i) => ({ _id: `c${i}`, n: 20 })),
    );
  });

  it('move a checkpoint forwards only', async () => {
    const checkpoints = target().collection('checkpoints');
    const move = (position: bigint) =>
      checkpoints.updateOne({ _id: 'orders-v1' }, { $max: { position } }, { upsert: true });
    expect((await move(5n)).upsertedId).to.equal('orders-v1');
    expect((await move(3n)).modifiedCount).to.equal(0);
    expect((await move(2n ** 60n)).modifiedCount).to.equal(1);
    const found = await checkpoints.findOne({ _id: 'orders-v1' }, { useBigInt64: true });
    expect(found?.['position']).to.equal(2n ** 60n);
  });

  it('by a stale position insert nothing twice: the duplicate key says that a newer one is there', async () => {
    const views = target().collection('views');
    const write = (position: number) =>
      views.replaceOne({ _id: 'v1', position: { $lt: position } }, { position }, { upsert: true });
    await write(5);
    const err = await failure(write(3));
    expect([err.code, err['keyPattern'], err['keyValue']]).to.deep.equal([11000, { _id: 1 }, { _id: 'v1' }]);
    await write(7);
    expect(await views.find().toArray()).to.deep.equal([{ _id: 'v1', position: 7 }]);
  });
});
