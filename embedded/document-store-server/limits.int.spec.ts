import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { Binary, BSON, type Document, type MongoBulkWriteError } from 'mongodb';
import { silentLogger } from '../../runtime/logger.js';
import { eventually } from '../../test/support/eventually.js';
import { verifyDataDir } from './document-store.js';
import { failure, startTestServer, type TestServer } from './test-server.js';

const mebibyte = 1024 * 1024;
const largest = 16 * mebibyte;
const longestMessage = 48_000_000;

const name = 'docs';

type Numbered = Document & { _id: number };

/** A document of exactly so many bytes of BSON. */
function ofSize(_id: number, size: number): Numbered {
  const empty = BSON.calculateObjectSize({ _id, pad: new Binary(Buffer.alloc(0)) });
  return { _id, pad: new Binary(Buffer.alloc(size - empty, _id)) };
}

describe('the limits of the document store', function () {
  this.timeout(120_000);
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer();
  });
  afterEach(async () => {
    await server.client.close();
    await server.store.close();
    const { faults } = await verifyDataDir(server.dataDir, silentLogger);
    await server.stop();
    expect(faults).to.deep.equal([]);
  });
  const docs = () => server.db.collection<Numbered>(name);
  const codesOf = (err: unknown) =>
    [(err as MongoBulkWriteError).writeErrors].flat().map((one) => [one.index, one.code]);

  describe('documents of 16 MB', () => {
    it('are stored, found, changed in place and taken away', async () => {
      await docs().insertOne(ofSize(1, largest - 100));
      await docs().insertOne(ofSize(2, largest));
      await docs().updateOne(
        { _id: 2 },
        { $set: { pad: new Binary(Buffer.alloc((ofSize(2, largest)['pad'] as Binary).length(), 9)) } },
      );
      const [first, second] = await docs().find({}, { raw: true }).toArray();
      expect([first, second].map((raw) => (raw as unknown as Buffer).length)).to.deep.equal([largest - 100, largest]);
      const changed = BSON.deserialize(second as unknown as Buffer);
      expect((changed['pad'] as Binary).buffer.every((byte) => byte === 9)).to.equal(true);
      expect((await docs().findOneAndDelete({ _id: 2 }))?.['pad'].length()).to.be.greaterThan(largest - 100);
      expect(await docs().countDocuments()).to.equal(1);
    });

    it('are the largest that a projection may make, of find as of findAndModify', async () => {
      await docs().insertOne({ _id: 1, text: 'x'.repeat(100) });
      const projection = { long: { $map: { input: { $range: [0, 170_000] }, in: '$text' } } };
      const found = docs().find({}, { projection }).toArray();
      expect((await failure(found)).code).to.equal(10334);
      const changed = docs().findOneAndUpdate({ _id: 1 }, { $set: { n: 1 } }, { projection });
      expect((await failure(changed)).code).to.equal(10334);
    });

    it('are refused with one byte more, in a bulk alone, and the others go on', async () => {
      const insert = server.db.command({ insert: name, documents: [ofSize(1, largest + 1)] });
      expect((await insert.catch((err: Document) => ({ writeErrors: [err] })))['writeErrors'][0].code).to.equal(2);
      // the driver's bulks are a byte short of it
      await docs().insertOne(ofSize(1, largest));
      await docs().insertMany([ofSize(2, largest - 10), { _id: 3, text: 'short' }]);
      const err = await failure(
        docs().bulkWrite(
          [
            { updateOne: { filter: { _id: 1 }, update: { $set: { more: 1 } } } },
            { updateOne: { filter: { _id: 2 }, update: { $push: { list: 'x' } as object } } },
            { updateOne: { filter: { _id: 3 }, update: { $set: { text: 'longer' } } } },
            { updateOne: { filter: { _id: 4 }, update: { $set: { text: 'new' } }, upsert: true } },
            { updateMany: { filter: {}, update: { $unset: { nothing: '' } } } },
          ],
          { ordered: false },
        ),
      );
      expect(codesOf(err)).to.deep.equal([
        [0, 17419],
        [1, 17419],
      ]);
      expect((await failure(docs().findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } }))).code).to.equal(17419);
      expect(
        (
          await docs()
            .find({ _id: { $gt: 2 } })
            .toArray()
        ).map(({ text }) => text),
      ).to.deep.equal(['longer', 'new']);
      const pad = new Binary(Buffer.alloc(largest - 100));
      const upsert = docs().updateOne({ _id: 5, twice: 'x'.repeat(200) }, { $set: { pad } }, { upsert: true });
      expect((await failure(upsert)).code).to.equal(17420);
      expect(await docs().countDocuments()).to.equal(4);
    });

    it('come one to a batch, and many to an answer', async () => {
      for (let _id = 0; _id < 6; _id++) await docs().insertOne(ofSize(_id, largest));
      const sizes: number[] = [];
      for await (const found of docs().find({}, { sort: { _id: 1 }, raw: true }))
        sizes.push((found as unknown as Buffer).length);
      expect(sizes).to.deep.equal([largest, largest, largest, largest, largest, largest]);
      const { cursor } = await server.db.command({ find: name, batchSize: 100 });
      expect([cursor.firstBatch.length, cursor.id.toString() === '0']).to.deep.equal([1, false]);
      expect((await server.db.command({ killCursors: name, cursors: [cursor.id] }))['cursorsKilled']).to.have.length(1);
    });
  });

  describe('messages of 48 MB', () => {
    const answerTo = async (length: number): Promise<'answered' | 'ended'> => {
      const socket: Socket = connect(server.store.port, '127.0.0.1');
      socket.on('error', () => {});
      let ended = false;
      let answered = false;
      socket.on('close', () => {
        ended = true;
      });
      socket.on('data', () => {
        answered = true;
      });
      await once(socket, 'connect');
      const body = BSON.serialize({ insert: name, $db: 'shop' });
      const each = 15_900_000;
      const heads = Buffer.alloc(21);
      heads.writeInt32LE(length, 0);
      heads.writeInt32LE(2013, 12);
      const label = Buffer.from('documents\0');
      const documents = [1, 2].map((_id) => BSON.serialize(ofSize(_id, each)));
      const left = length - heads.length - body.length - 1 - 4 - label.length - 2 * each;
      documents.push(BSON.serialize(ofSize(3, left)));
      const section = Buffer.alloc(5);
      section.writeUInt8(1, 0);
      section.writeInt32LE(length - heads.length - body.length - 1, 1);
      socket.write(Buffer.concat([heads, body, section, label, ...documents]));
      await eventually('an answer or the end', () => answered || ended, 30_000);
      socket.destroy();
      return answered ? 'answered' : 'ended';
    };

    it('are taken, and one byte more ends the connection', async () => {
      expect(await answerTo(longestMessage)).to.equal('answered');
      expect(await docs().countDocuments()).to.equal(3);
      expect(await answerTo(longestMessage + 1)).to.equal('ended');
      expect(await docs().countDocuments()).to.equal(3);
    });

    it('are cut by the driver, which sends more in several', async () => {
      const { insertedCount } = await docs().insertMany([1, 2, 3, 4, 5].map((_id) => ofSize(_id, 15 * mebibyte)));
      expect([insertedCount, await docs().countDocuments()]).to.deep.equal([5, 5]);
    });
  });

  describe('nesting', () => {
    const nested = (levels: number, bottom: unknown) => {
      let value: unknown = bottom;
      for (let level = 1; level < levels; level++) value = level % 3 === 0 ? [value] : { a: value };
      return { a: value };
    };

    it('goes down to 180 levels, and no further', async () => {
      for (const levels of [100, 179]) {
        const document = { _id: levels, ...nested(levels, 'bottom') };
        await docs().insertOne(document);
        expect(await docs().findOne({ _id: levels })).to.deep.equal(document);
      }
      for (const levels of [185, 1_000, 5_000]) {
        const err = await failure(docs().insertOne({ _id: levels, ...nested(levels, 1) }));
        expect(err.code, `${levels}: ${err.message}`).to.be.oneOf([15, 22]);
        if (levels > 200) expect((await failure(docs().findOne(nested(levels, 1)))).code).to.be.oneOf([15, 22]);
      }
      await docs().updateOne({ _id: 179 }, { $set: { more: nested(178, 1) } });
      const path = Array.from({ length: 60 }, () => 'b').join('.');
      await docs().updateOne({ _id: 100 }, { $set: { [path]: nested(100, 1) } });
      expect((await failure(docs().updateOne({ _id: 100 }, { $set: { [path]: nested(170, 1) } }))).code).to.equal(15);
      expect(await docs().countDocuments({ [path]: { $exists: true } })).to.equal(1);
    });

    it('is walked by paths, indexes and filters', async () => {
      const path = Array.from({ length: 90 }, () => 'a').join('.');
      let value: unknown = 'found';
      for (let level = 0; level < 90; level++) value = { a: value };
      await docs().createIndex({ [path]: 1 }, { name: 'deep' });
      await docs().insertMany([{ _id: 1, ...(value as object) }, { _id: 2 }]);
      const filter = { [path]: 'found' };
      for (const hint of ['deep', { $natural: 1 as const }])
        expect((await docs().find(filter, { hint }).toArray()).map(({ _id }) => _id)).to.deep.equal([1]);
      let deepFilter: Document = filter;
      for (let level = 0; level < 70; level++) deepFilter = { $and: [deepFilter] };
      expect(await docs().countDocuments(deepFilter)).to.equal(1);
      await docs().updateOne(filter, { $set: { [path]: 'changed' } });
      expect(await docs().countDocuments({ [path]: 'changed' })).to.equal(1);
    });
  });

  describe('keys that are longer than LMDB takes', () => {
    const long = (mark: string, length = 6_000) => `${'x'.repeat(length)}${mark}`;

    it('tell documents apart: as _id, in unique and compound indexes, in arrays and sorts', async () => {
      const texts = server.db.collection<{ _id: string; text: string; tags: string[]; n: number }>(name);
      await texts.createIndex({ text: 1 }, { unique: true });
      await texts.createIndex({ n: 1, text: -1 });
      await texts.createIndex({ tags: 1 });
      const marks = ['a', 'b', 'c', 'd'];
      await texts.insertMany(
        marks.map((mark, n) => ({ _id: long(mark), text: long(mark), tags: [long(mark), long('all')], n: n % 2 })),
      );
      for (const mark of marks) {
        for (const filter of [
          { _id: long(mark) },
          { text: long(mark) },
          { tags: long(mark) },
          { n: { $gte: 0 }, text: long(mark) },
        ])
          expect((await texts.find(filter).toArray()).map(({ _id }) => _id.at(-1))).to.deep.equal([mark]);
      }
      expect(await texts.countDocuments({ tags: long('all') })).to.equal(4);
      expect(await texts.countDocuments({ text: { $gt: long('b') } })).to.equal(2);
      expect(await texts.countDocuments({ text: { $gte: long('b'), $lt: long('d') } })).to.equal(2);
      const sorted = await texts.find({}, { sort: { n: 1, text: -1 } }).toArray();
      expect(sorted.map(({ _id }) => _id.at(-1))).to.deep.equal(['c', 'a', 'd', 'b']);
      expect((await failure(texts.insertOne({ _id: 'other', text: long('a'), tags: [], n: 0 }))).code).to.equal(11000);
      expect((await failure(texts.insertOne({ _id: long('a'), text: 'other', tags: [], n: 0 }))).code).to.equal(11000);
      await texts.updateOne({ _id: long('a') }, { $set: { text: long('z') }, $pull: { tags: long('all') } });
      await texts.deleteOne({ text: long('b') });
      expect(await texts.countDocuments({ text: { $in: [long('a'), long('b'), long('z')] } })).to.equal(1);
      expect(await texts.countDocuments({ tags: long('all') })).to.equal(2);
      await server.restart();
      expect((await server.db.collection(name).find().toArray()).length).to.equal(3);
    });
  });

  describe('names', () => {
    it('of ten thousand collections are listed, kept and dropped', async () => {
      const names = Array.from({ length: 10_000 }, (_, n) => `collection-${String(n).padStart(5, '0')}`);
      for (let at = 0; at < names.length; at += 500)
        await Promise.all(names.slice(at, at + 500).map((one) => server.db.createCollection(one)));
      await server.db.collection<Numbered>(names[5_000] ?? '').insertOne({ _id: 1 });
      await server.restart();
      const listed = await server.db.listCollections({}, { nameOnly: true }).toArray();
      expect(listed.map((one) => one.name).sort()).to.deep.equal(names);
      expect(await server.db.collection(names[5_000] ?? '').countDocuments()).to.equal(1);
      expect(await server.db.dropDatabase()).to.equal(true);
      expect(await server.db.listCollections().toArray()).to.deep.equal([]);
    });

    it('of a collection and its database are 255 bytes together at most', async () => {
      const most = 255 - 'shop.'.length;
      const longest = server.db.collection<Numbered>('ü'.repeat(10) + 'x'.repeat(most - 20));
      await longest.insertOne({ _id: 1 });
      await longest.createIndex({ a: 1 });
      expect(await longest.countDocuments()).to.equal(1);
      const tooLong = server.db.collection<Numbered>('x'.repeat(most + 1));
      expect((await failure(tooLong.insertOne({ _id: 1 }))).code).to.equal(73);
      expect((await failure(server.db.createCollection('ü'.repeat(126)))).code).to.equal(73);
      expect((await failure(server.client.db('d'.repeat(64)).collection('c').insertOne({}))).code).to.equal(73);
    });
  });
});
