import { expect } from 'chai';
import type { Document } from 'mongodb';
import { seeded } from '../../../test/support/seeded.js';
import { failure, startTestServer, type TestServer } from '../test-server.js';

interface Doc extends Document {
  _id: number | string;
}

/** so many that no search for them is quick */
const many = 5_000;
/** matches all, slowly */
const slowly = { $nor: Array.from({ length: 60 }, (_, n) => ({ [`none${n}`]: 1 })) };

describe('writes that have to search', function () {
  this.timeout(60_000);
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer();
  });
  afterEach(() => server.stop());
  const collection = (name = 'items') => server.db.collection<Doc>(name);
  const fill = (documents = many, name?: string) =>
    collection(name).insertMany(Array.from({ length: documents }, (_, n) => ({ _id: n, n, group: n % 3, at: -n })));

  it('change all that match, and let others write meanwhile', async () => {
    await fill(15_000);
    let isOver = false;
    const change = collection()
      .updateMany({ group: 1 }, { $set: { seen: true }, $inc: { group: 10 } })
      .finally(() => {
        isOver = true;
      });
    let others = 0;
    for (; !isOver; others++) await collection('others').insertOne({ _id: others });
    expect(await change).to.include({ matchedCount: 5_000, modifiedCount: 5_000 });
    expect(others).to.be.above(2);
    expect(await collection().countDocuments({ seen: true, group: 11 })).to.equal(5_000);
    isOver = false;
    const removal = collection()
      .deleteMany({ seen: true })
      .finally(() => {
        isOver = true;
      });
    for (others = 0; !isOver; others++) await collection('others').findOne({ _id: others });
    expect((await removal).deletedCount).to.equal(5_000);
    expect(others).to.be.above(2);
    expect(await collection().estimatedDocumentCount()).to.equal(10_000);
  });

  it('change each document once, also when the change moves it in the index', async () => {
    await fill();
    await collection().createIndex({ n: 1 });
    const { modifiedCount } = await collection().updateMany({ n: { $gte: 1_000 } }, { $inc: { n: 1_000_000 } });
    expect(modifiedCount).to.equal(4_000);
    expect(await collection().countDocuments({ n: { $gte: 1_001_000, $lt: 1_005_000 } })).to.equal(4_000);
  });

  it('change each document once, also when others move it ahead of the search', async () => {
    await fill(20_000);
    await collection().createIndex({ n: 1 });
    let isOver = false;
    const change = collection()
      .updateMany({ n: { $gte: 0 }, ...slowly }, { $inc: { times: 1 } })
      .finally(() => {
        isOver = true;
      });
    let moved = 0;
    for (; !isOver; moved++) await collection().updateOne({ _id: moved }, { $set: { n: 20_000 + moved } });
    expect(moved).to.be.above(2);
    expect(await change).to.include({ matchedCount: 20_000, modifiedCount: 20_000 });
    expect(await collection().countDocuments({ times: 1 })).to.equal(20_000);
  });

  it('fail over a document on which their expression fails, and not the one who writes it', async () => {
    await fill(20_000);
    const filter = { ...slowly, $expr: { $lt: [{ $divide: [1, { $add: ['$n', 1] }] }, 0] } };
    const searches = [
      failure(collection().updateMany(filter, { $set: { found: true } })),
      failure(collection().findOneAndUpdate(filter, { $set: { found: true } })),
      failure(collection().findOneAndUpdate(filter, { $set: { found: true } }, { sort: { at: 1 } })),
    ];
    await server.db.command({ ping: 1 });
    await collection().insertOne({ _id: 'fails', n: -1 });
    expect((await Promise.all(searches)).map(({ code }) => code)).to.deep.equal([2, 2, 2]);
    expect(await collection().countDocuments({ found: true })).to.equal(0);
    expect(await collection().findOne({ _id: 'fails' })).to.deep.equal({ _id: 'fails', n: -1 });
  });

  it('run after what stands before them in a bulk, and before what stands after', async () => {
    await fill();
    await collection().insertOne({ _id: 'last', state: 'a' });
    const result = await collection().bulkWrite([
      { updateOne: { filter: { _id: 'last' }, update: { $set: { state: 'b' } } } },
      { updateMany: { filter: { state: 'b' }, update: { $set: { state: 'c' } } } },
      { updateOne: { filter: { state: 'c' }, update: { $set: { seen: [1] } } } },
      { deleteOne: { filter: { state: 'none' } } },
      { updateOne: { filter: { state: 'none' }, update: { $set: { n: 5 } }, upsert: true } },
      { updateOne: { filter: { _id: 'last', state: 'c', seen: 1 }, update: { $set: { state: 'd' } } } },
    ]);
    expect(result).to.include({ matchedCount: 4, modifiedCount: 4, upsertedCount: 1, deletedCount: 0 });
    expect(await collection().findOne({ _id: 'last' })).to.deep.equal({ _id: 'last', state: 'd', seen: [1] });
  });

  it('stop an ordered bulk where one fails, and are not counted then', async () => {
    await fill();
    await collection().insertOne({ _id: 'text', n: 'text', group: 7 });
    await collection().insertOne({ _id: 'number', n: 1, group: 7 });
    const write = (ordered: boolean) =>
      failure(
        collection().bulkWrite(
          [
            { updateMany: { filter: { group: 7 }, update: { $inc: { n: 1 } } } },
            { insertOne: { document: { _id: 'after' } } },
          ],
          { ordered },
        ),
      );
    expect((await write(true))['result']).to.include({ modifiedCount: 0, insertedCount: 0 });
    expect((await write(false))['result']).to.include({ modifiedCount: 0, insertedCount: 1 });
  });

  it('never insert beside a match: clients that upsert the same keys', async () => {
    await fill(2_000);
    const keys = 12;
    const clients = Array.from({ length: 24 }, async (_, client) => {
      for (let n = 0; n < keys; n++) {
        const key = (n + client) % keys;
        await collection().updateOne({ key }, { $inc: { times: 1 } }, { upsert: true });
      }
    });
    await Promise.all(clients);
    const found = await collection()
      .find({ key: { $exists: true } })
      .toArray();
    expect(found.map(({ key, times }) => [key, times]).sort(([a], [b]) => a - b)).to.deep.equal(
      Array.from({ length: keys }, (_, key) => [key, 24]),
    );
  });

  it('never insert beside a match that comes, goes and moves all the time', async () => {
    await fill(1_000);
    const random = seeded('upserts beside changes');
    const keys = 3;
    let isOver = false;
    const most = new Map<number, number>();
    const watchman = (async () => {
      while (!isOver) {
        for (const { key } of await collection()
          .find({ key: { $gte: 0 } })
          .toArray()) {
          const alike = await collection().countDocuments({ key });
          most.set(key, Math.max(alike, most.get(key) ?? 0));
        }
      }
    })();
    const work = Array.from({ length: 12 }, async () => {
      for (let n = 0; n < 40; n++) {
        const key = random.between(0, keys - 1);
        const choice = random.between(0, 3);
        if (choice === 0) await collection().deleteOne({ key });
        else if (choice === 1) await collection().findOneAndReplace({ key }, { key, n }, { upsert: true });
        else if (choice === 2) await collection().updateMany({ key }, { $inc: { moved: 1 } }, { upsert: true });
        else await collection().findOneAndUpdate({ key }, { $inc: { n: 1 } }, { upsert: true, sort: { n: -1 } });
      }
    });
    await Promise.all(work);
    isOver = true;
    await watchman;
    for (const times of most.values()) expect(times).to.equal(1);
    expect(await collection().countDocuments({ n: { $lt: 1_000 }, group: { $exists: true } })).to.equal(1_000);
  });

  it('take the first in the order asked for, each once, while others take theirs', async () => {
    for (const indexed of [false, true]) {
      const name = `jobs-${indexed}`;
      await fill(2_000, name);
      if (indexed) await collection(name).createIndex({ at: 1 });
      const taken: number[] = [];
      const workers = Array.from({ length: 8 }, async () => {
        let last = Number.NEGATIVE_INFINITY;
        for (let n = 0; n < 15; n++) {
          const job = await collection(name).findOneAndUpdate(
            { group: 1, taken: { $exists: false } },
            { $set: { taken: true } },
            { sort: { at: 1 } },
          );
          expect(job?.['at']).to.be.above(last);
          last = job?.['at'];
          taken.push(last);
        }
      });
      await Promise.all(workers);
      const wanted = Array.from({ length: 2_000 }, (_, n) => -n).filter((at) => -at % 3 === 1);
      expect(taken.sort((a, b) => a - b)).to.deep.equal(wanted.sort((a, b) => a - b).slice(0, 120));
    }
  });

  it('end when the collection is dropped meanwhile, and at their time limit', async () => {
    await fill(15_000);
    const laborious = { $or: Array.from({ length: 300 }, (_, n) => ({ [`none${n}`]: 1 })) };
    const searching = failure(collection().updateMany(laborious, { $set: { a: 1 } }, { upsert: true }));
    await server.db.command({ ping: 1 });
    await collection().drop();
    expect((await searching).code).to.equal(175);
    await fill(15_000);
    const late = await failure(
      server.db.command({ findAndModify: 'items', query: laborious, update: { $set: { a: 1 } }, maxTimeMS: 1 }),
    );
    expect(late.code).to.equal(50);
  });

  it('upsert the same hundred keys from 64 clients by _id and by a unique index', async () => {
    await collection().createIndex({ key: 1 }, { unique: true, sparse: true });
    for (const field of ['_id', 'key']) {
      await Promise.all(
        Array.from({ length: 64 }, (_, client) =>
          collection().bulkWrite(
            Array.from({ length: 100 }, (__, n) => ({
              updateOne: {
                filter: { [field]: (n * 7 + client) % 100 },
                update: { $inc: { [`${field}-times`]: 1 } },
                upsert: true,
              },
            })),
            { ordered: false },
          ),
        ),
      );
      const found = await collection()
        .find({ [`${field}-times`]: { $exists: true } })
        .toArray();
      expect(found.map((document) => document[`${field}-times`])).to.deep.equal(Array.from({ length: 100 }, () => 64));
    }
  });
});
