import { expect } from 'chai';
import { type Collection, type Document, MongoBulkWriteError, MongoClient } from 'mongodb';
import { type Failure, failure, startTestServer, type TestServer } from './test-server.js';

describe('cursors over what is dropped', function () {
  this.timeout(20_000);
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.stop());

  const whatIsDropped: Record<string, { hint: Document; drop: () => Promise<unknown> }> = {
    'an index': { hint: { n: 1 }, drop: () => server.db.collection('numbers').dropIndex('n_1') },
    'a collection': { hint: { $natural: 1 }, drop: () => server.db.collection('numbers').drop() },
  };
  for (const [what, { hint, drop }] of Object.entries(whatIsDropped)) {
    it(`end with 175 when ${what} is dropped, also once its entries are swept away`, async () => {
      const numbers = server.db.collection('numbers');
      await numbers.createIndex({ n: 1 });
      await numbers.insertMany(Array.from({ length: 1000 }, (_, n) => ({ n })));
      const cursors = Array.from({ length: 30 }, (_, at) => numbers.find({}, { hint, batchSize: 115 + at }));
      for (const cursor of cursors) await cursor.next();
      await drop();
      // sweeping takes its turns between writes
      for (let n = 0; n < 5; n++) await server.db.collection('others').insertOne({ n });
      const ends: Failure[] = await Promise.all(cursors.map((cursor) => failure(cursor.toArray())));
      expect(new Set(ends.map(({ code }) => code))).to.deep.equal(new Set([175]));
    });
  }
});

interface Tally {
  key: number;
  n?: number;
  last?: number;
}

interface Guarded {
  _id: number;
  n?: number;
  position?: number;
}

describe('64 clients that upsert the same hundred keys at once', function () {
  this.timeout(120_000);
  const everyKey = Array.from({ length: 100 }, (_, key) => key);
  let server: TestServer;
  let clients: MongoClient[];
  before(async () => {
    server = await startTestServer();
    clients = Array.from({ length: 64 }, () => new MongoClient(server.store.connectionString, { maxPoolSize: 4 }));
    await Promise.all(clients.map((client) => client.connect()));
  });
  after(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await server.stop();
  });

  type Way = (tallies: Collection<Tally>, keys: number[], client: number) => Promise<unknown>;
  const singly =
    (call: (tallies: Collection<Tally>, key: number, client: number) => Promise<unknown>): Way =>
    async (tallies, keys, client) => {
      for (const key of keys) await call(tallies, key, client);
    };
  const update = { $inc: { n: 1 } };
  const ways: Record<string, Way> = {
    updateOne: async (tallies, keys) => {
      await Promise.all(keys.map((key) => tallies.updateOne({ key }, update, { upsert: true })));
    },
    findOneAndUpdate: singly((tallies, key) => tallies.findOneAndUpdate({ key }, update, { upsert: true })),
    replaceOne: singly((tallies, key, last) => tallies.replaceOne({ key }, { key, last }, { upsert: true })),
    'ordered bulkWrite': (tallies, keys) =>
      tallies.bulkWrite(keys.map((key) => ({ updateOne: { filter: { key }, update, upsert: true } }))),
    'unordered bulkWrite': (tallies, keys) =>
      tallies.bulkWrite(
        keys.map((key) => ({ updateMany: { filter: { key }, update, upsert: true } })),
        { ordered: false },
      ),
  };

  for (const [indexed, options] of Object.entries({ 'a unique': { unique: true }, no: undefined })) {
    for (const [way, upsert] of Object.entries(ways)) {
      it(`make each once by ${way}, with ${indexed} index`, async () => {
        const tallies = server.db.collection<Tally>('tallies');
        await tallies.drop();
        if (options !== undefined) await tallies.createIndex({ key: 1 }, options);
        const everybody = clients.map((client, number) => {
          // each begins elsewhere, and takes a quarter of the keys where each is a call
          const own = everyKey.map((at) => (at * 7 + number * 13) % 100);
          const keys = way.includes('bulk') ? own : own.slice(0, 25);
          return { keys, done: upsert(client.db('shop').collection<Tally>('tallies'), keys, number) };
        });
        await Promise.all(everybody.map(({ done }) => done));
        const found = await tallies.find().sort({ key: 1 }).toArray();
        expect(found.map(({ key }) => key)).to.deep.equal(everyKey);
        expect(await tallies.estimatedDocumentCount()).to.equal(100);
        if (way === 'replaceOne') return;
        const asked = everyKey.map((key) => everybody.filter(({ keys }) => keys.includes(key)).length);
        expect(found.map(({ n }) => n)).to.deep.equal(asked);
      });
    }
  }

  it('let positions only grow, and meet 11000 where the stored one is further, also inside of bulks', async () => {
    const tallies = server.db.collection<Guarded>('guarded');
    let stale = 0;
    const outcomes = await Promise.all(
      clients.map(async (client, number) => {
        const guarded = client.db('shop').collection<Guarded>('guarded');
        const position = number + 1;
        const statements = everyKey.map((key) => ({
          updateOne: {
            filter: { _id: key, position: { $lt: position } },
            update: { $set: { position }, $inc: { n: 1 } },
            upsert: true,
          },
        }));
        try {
          const { modifiedCount, upsertedCount } = await guarded.bulkWrite(statements, { ordered: false });
          return modifiedCount + upsertedCount;
        } catch (err) {
          if (!(err instanceof MongoBulkWriteError)) throw err;
          const errors = [err.writeErrors].flat();
          expect(new Set(errors.map((one) => one.code))).to.deep.equal(new Set([11000]));
          expect(errors.length + err.modifiedCount + err.upsertedCount).to.equal(100);
          stale += errors.length;
          return err.modifiedCount + err.upsertedCount;
        }
      }),
    );
    const found = await tallies.find().toArray();
    expect(found.map(({ position }) => position)).to.deep.equal(everyKey.map(() => 64));
    const applied = outcomes.reduce((sum, done) => sum + done, 0);
    expect(found.reduce((sum, { n }) => sum + (n ?? 0), 0)).to.equal(applied);
    expect(applied + stale).to.equal(6400);
  });

  it('insert each once where all insert, and 63 of 64 are told of the duplicate', async () => {
    const inserted = await Promise.all(
      clients.map(async (client, last) => {
        const documents = everyKey.map((key) => ({ _id: key, n: last }));
        try {
          return (await client.db('shop').collection<Guarded>('inserted').insertMany(documents, { ordered: false }))
            .insertedCount;
        } catch (err) {
          if (!(err instanceof MongoBulkWriteError)) throw err;
          expect([err.writeErrors].flat().every((one) => one.code === 11000)).to.equal(true);
          return err.insertedCount;
        }
      }),
    );
    expect(inserted.reduce((sum, count) => sum + count, 0)).to.equal(100);
    expect(await server.db.collection('inserted').countDocuments()).to.equal(100);
  });
});
