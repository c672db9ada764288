import { Double, Long } from 'bson';
import { expect } from 'chai';
import type { Document } from 'mongodb';
import { silentLogger } from '../../../runtime/logger.js';
import { eventually } from '../../../test/support/eventually.js';
import { verifyDataDir } from '../document-store.js';
import { failure, startTestServer, type TestServer } from '../test-server.js';

interface Doc extends Document {
  _id: number;
}

const start = Date.UTC(2026, 10, 21, 12);
const at = (seconds: number) => new Date(start + seconds * 1000);

describe('TTL indexes', () => {
  let server: TestServer;
  let now: number;
  beforeEach(async () => {
    now = start;
    server = await startTestServer({ now: () => now });
  });
  afterEach(() => server.stop());
  const collection = (name = 'sessions') => server.db.collection<Doc>(name);
  const left = async (name?: string) =>
    (await collection(name).find().sort({ _id: 1 }).toArray()).map(({ _id }) => _id);
  const expireAt = (seconds: number) => {
    now = start + seconds * 1000;
    return server.store.expire();
  };

  it('remove documents from the second on in which their date is that old', async () => {
    await collection().createIndex({ at: 1 }, { expireAfterSeconds: 60 });
    await collection().insertMany([
      { _id: 1, at: at(0) },
      { _id: 2, at: at(1) },
      { _id: 3, at: at(-600) },
      { _id: 4, at: new Date(-1) },
    ]);
    expect(await expireAt(0)).to.equal(2);
    expect(await left()).to.deep.equal([1, 2]);
    expect(await expireAt(59.999)).to.equal(0);
    expect(await expireAt(60)).to.equal(1);
    expect(await left()).to.deep.equal([2]);
    expect(await expireAt(61)).to.equal(1);
    expect(await collection().estimatedDocumentCount()).to.equal(0);
  });

  it('go by the earliest date of an array, and leave what is no date', async () => {
    await collection().createIndex({ at: -1 }, { expireAfterSeconds: 0 });
    await collection().insertMany([
      { _id: 1, at: [at(500), at(10), 'soon'] },
      { _id: 2, at: [at(500), at(20)] },
      { _id: 3, at: start - 1_000_000 },
      { _id: 4, at: '2001-01-01' },
      { _id: 5, at: null },
      { _id: 6 },
      { _id: 7, at: { at: at(-5) } },
      { _id: 8, at: [[at(-5)]] },
      { _id: 9, at: [] },
    ]);
    expect(await expireAt(10)).to.equal(1);
    expect(await left()).to.deep.equal([2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await expireAt(10_000_000)).to.equal(1);
    expect(await left()).to.deep.equal([3, 4, 5, 6, 7, 8, 9]);
  });

  it('reach into dotted paths, and only what a partial index holds', async () => {
    await collection().createIndex(
      { 'visits.at': 1 },
      { expireAfterSeconds: 5, partialFilterExpression: { kind: 'guest' } },
    );
    await collection().insertMany([
      { _id: 1, kind: 'guest', visits: [{ at: at(3) }, { at: at(300) }] },
      { _id: 2, kind: 'member', visits: [{ at: at(3) }] },
      { _id: 3, kind: 'guest', visits: { at: at(4) } },
    ]);
    expect(await expireAt(8)).to.equal(1);
    expect(await left()).to.deep.equal([2, 3]);
    expect(await expireAt(1_000)).to.equal(1);
    expect(await left()).to.deep.equal([2]);
  });

  it('remove many in pieces between which others are answered, and leave all indexes whole', async () => {
    await collection().createIndex({ at: 1 }, { expireAfterSeconds: 0 });
    await collection().createIndex({ tags: 1 });
    await collection().insertMany(
      Array.from({ length: 3_000 }, (_, _id) => ({ _id, at: at(_id % 2 === 0 ? -5 : 5), tags: ['a', `t${_id % 9}`] })),
    );
    const pass = server.store.expire();
    const seen = new Set<number>();
    const over = pass.then(() => true);
    while (
      !(await Promise.race([
        over,
        collection()
          .countDocuments({ at: at(-5) })
          .then((n) => seen.add(n) && false),
      ]))
    );
    expect(await pass).to.equal(1_500);
    expect([...seen].some((n) => n > 0 && n < 1_500)).to.equal(true);
    expect(await left()).to.have.length(1_500);
    const { dataDir } = server;
    await server.client.close();
    await server.store.close();
    expect((await verifyDataDir(dataDir, silentLogger)).faults).to.deep.equal([]);
  });

  it('spare a document that is renewed while the pass runs', async () => {
    await collection().createIndex({ at: 1 }, { expireAfterSeconds: 0 });
    await collection().insertMany(Array.from({ length: 1_000 }, (_, _id) => ({ _id, at: at(-5) })));
    const [removed, renewed] = await Promise.all([
      server.store.expire(),
      collection().updateOne({ _id: 999 }, { $set: { at: at(5) } }),
    ]);
    expect(renewed.modifiedCount).to.equal(1);
    expect(removed).to.equal(999);
    expect(await left()).to.deep.equal([999]);
  });

  it('are looked through by themselves, and no longer once the server stops', async () => {
    await server.stop();
    server = await startTestServer({ now: () => now, expireEveryMs: 5 });
    await collection().createIndex({ at: 1 }, { expireAfterSeconds: 0 });
    await collection().insertMany(Array.from({ length: 500 }, (_, _id) => ({ _id, at: at(-5) })));
    await eventually('nothing left', async () => (await collection().countDocuments()) === 0);
    await collection().insertMany(Array.from({ length: 2_000 }, (_, _id) => ({ _id, at: at(-5) })));
    const pass = server.store.expire();
    await server.client.close();
    await server.store.close();
    expect(await pass).to.be.at.most(2_000);
  });

  it('survive a restart and are shown by listIndexes', async () => {
    await collection().createIndex({ at: 1 }, { expireAfterSeconds: 2_147_483_647 });
    await collection('zero').createIndex({ at: 1 }, { expireAfterSeconds: 0 });
    await server.restart();
    const shown = async (name?: string) => (await collection(name).indexes())[1];
    const index = { v: 2, key: { at: 1 }, name: 'at_1' };
    expect(await shown()).to.deep.equal({ ...index, expireAfterSeconds: 2_147_483_647 });
    expect(await shown('zero')).to.deep.equal({ ...index, expireAfterSeconds: 0 });
  });

  it('are refused with a wrong number, on several fields and on _id', async () => {
    const refusal = async (key: Record<string, number>, expireAfterSeconds: unknown) => {
      const indexes = [{ key, name: 'x', expireAfterSeconds }];
      return (await failure(server.db.command({ createIndexes: 'sessions', indexes }))).code;
    };
    for (const seconds of [-1, 2_147_483_648, 1.5, Number.NaN, 'ten', true, Long.MAX_VALUE])
      expect(await refusal({ at: 1 }, seconds), String(seconds)).to.equal(67);
    expect(await refusal({ at: 1, b: 1 }, 10)).to.equal(67);
    expect(await refusal({ _id: 1 }, 10)).to.equal(197);
    const indexes = [{ key: { at: 1 }, name: 'x', expireAfterSeconds: new Double(10) }];
    await server.db.command({ createIndexes: 'sessions', indexes });
    expect((await collection().indexes())[1]?.['expireAfterSeconds']).to.equal(10);
  });

  it('are in the way of an index on the same key with other options', async () => {
    await collection().createIndex({ at: 1 }, { expireAfterSeconds: 10 });
    await collection().createIndex({ at: 1 }, { expireAfterSeconds: 10 });
    expect((await failure(collection().createIndex({ at: 1 }, { expireAfterSeconds: 11 }))).code).to.equal(85);
    expect((await failure(collection().createIndex({ at: 1 }))).code).to.equal(85);
    expect(
      (await failure(collection().createIndex({ at: 1 }, { name: 'other', expireAfterSeconds: 10 }))).code,
    ).to.equal(85);
    expect((await failure(collection().createIndex({ b: 1 }, { name: 'at_1' }))).code).to.equal(86);
    expect(await collection().indexes()).to.have.length(2);
  });

  it('are changed by collMod, which makes a plain index one of them', async () => {
    await collection().createIndex({ at: 1 }, { expireAfterSeconds: 10 });
    await collection().createIndex({ other: 1 });
    await collection().createIndex({ a: 1, b: 1 });
    await collection().insertMany([
      { _id: 1, at: at(0) },
      { _id: 2, other: at(0) },
    ]);
    const change = (index: Document) => server.db.command({ collMod: 'sessions', index });
    expect(await change({ keyPattern: { at: 1 }, expireAfterSeconds: 100 })).to.deep.include({
      expireAfterSeconds_old: 10,
      expireAfterSeconds_new: 100,
    });
    expect(await expireAt(50)).to.equal(0);
    expect(await change({ name: 'other_1', expireAfterSeconds: 5 })).to.not.have.property('expireAfterSeconds_old');
    expect(await expireAt(50)).to.equal(1);
    expect(await left()).to.deep.equal([1]);
    await server.restart();
    expect((await collection().indexes()).map((index) => index['expireAfterSeconds'])).to.deep.equal([
      undefined,
      100,
      5,
      undefined,
    ]);
    const refusal = async (index: Document) => (await failure(change(index))).code;
    expect(await refusal({ name: 'none', expireAfterSeconds: 5 })).to.equal(27);
    expect(await refusal({ keyPattern: { none: 1 }, expireAfterSeconds: 5 })).to.equal(27);
    expect(await refusal({ name: 'a_1_b_1', expireAfterSeconds: 5 })).to.equal(72);
    expect(await refusal({ name: '_id_', expireAfterSeconds: 5 })).to.equal(72);
    expect(await refusal({ name: 'at_1', expireAfterSeconds: -5 })).to.equal(72);
    expect(await refusal({ name: 'at_1', keyPattern: { at: 1 }, expireAfterSeconds: 5 })).to.equal(72);
    expect(await refusal({ name: 'at_1' })).to.equal(72);
    expect(await refusal({ name: 'at_1', hidden: true })).to.equal(72);
    expect(await refusal({ name: 'at_1', expireAfterSeconds: 5, strange: 1 })).to.equal(40415);
    expect(
      (await failure(server.db.command({ collMod: 'none', index: { name: 'x', expireAfterSeconds: 1 } }))).code,
    ).to.equal(26);
    expect((await failure(server.db.command({ collMod: 'sessions', validator: {} }))).code).to.equal(72);
  });
});
