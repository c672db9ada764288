import { serialize } from 'bson';
import { expect } from 'chai';
import type { Document, Filter, Sort } from 'mongodb';
import { silentLogger } from '../../../runtime/logger.js';
import { documentValue } from '../bson/value.js';
import { verifyDataDir } from '../document-store.js';
import { parseSort, sortKey } from '../query/sort.js';
import { failure, startTestServer, type TestServer } from '../test-server.js';

interface Doc extends Document {
  _id: number | string;
}

/** A small seeded generator, so that a failing run can be run again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe('indexes', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.stop());
  const collection = (name: string) => server.db.collection<Doc>(name);

  interface Explained {
    index: string;
    sorts: boolean;
    keys: number;
    documents: number;
    found: number;
  }
  const explain = async (name: string, filter: Filter<Doc>, sort: Sort = {}): Promise<Explained> => {
    const { queryPlanner, executionStats } = await collection(name).find(filter).sort(sort).explain();
    const plan = queryPlanner.winningPlan;
    const access = plan.stage === 'SORT' ? plan.inputStage : plan;
    return {
      index: access.inputStage?.indexName ?? access.stage,
      sorts: plan.stage === 'SORT',
      keys: executionStats.totalKeysExamined,
      documents: executionStats.totalDocsExamined,
      found: executionStats.nReturned,
    };
  };

  it('narrow equality, then a range, then give the order', async () => {
    const orders = collection('orders');
    await orders.createIndexes([
      { key: { status: 1, created: -1 } },
      { key: { shop: 1, status: 1, total: 1 } },
      { key: { terms: 1 } },
    ]);
    await orders.insertMany(
      Array.from({ length: 600 }, (_, i) => ({
        _id: i,
        status: ['open', 'paid', 'sent'][i % 3],
        shop: `s${i % 7}`,
        created: new Date(i * 1000),
        total: i % 50,
        terms: [`word${i % 20}`, `term${i % 11}`, i % 5 === 0 ? 'rare' : 'common'],
      })),
    );
    const byDate = await explain('orders', { status: 'open', created: { $gte: new Date(300_000) } }, { created: -1 });
    expect(byDate).to.deep.equal({ index: 'status_1_created_-1', sorts: false, keys: 100, documents: 100, found: 100 });
    const forward = await explain('orders', { status: 'open' }, { created: 1 });
    expect([forward.index, forward.sorts]).to.deep.equal(['status_1_created_-1', false]);
    const compound = await explain('orders', {
      shop: 's1',
      status: { $in: ['open', 'paid'] },
      total: { $gt: 10, $lte: 20 },
    });
    expect(compound.index).to.equal('shop_1_status_1_total_1');
    expect(compound.keys).to.equal(compound.found);
    const terms = await explain('orders', { terms: { $all: ['common', 'word7'] } });
    expect([terms.index, terms.keys, terms.found]).to.deep.equal(['terms_1', 30, 30]);
    const prefix = await explain('orders', { $and: [{ terms: 'rare' }, { terms: /^term1/ }] });
    expect(prefix.index).to.equal('terms_1');
    expect(prefix.keys).to.be.at.most(120);
    const none = await explain('orders', { total: 5 }, { total: 1 });
    expect([none.index, none.sorts]).to.deep.equal(['COLLSCAN', true]);
    const ids = await explain('orders', { _id: { $in: [3, 5, 999] } });
    expect(ids).to.deep.equal({ index: '_id_', sorts: false, keys: 2, documents: 2, found: 2 });
    const page = await orders.find({ status: 'paid' }).sort({ created: -1 }).skip(10).limit(5).toArray();
    expect(page.map(({ _id }) => _id)).to.deep.equal([568, 565, 562, 559, 556]);
  });

  it('that are unique tell of arrays the one item that another document has', async () => {
    const tagged = collection('tagged');
    await tagged.createIndex({ tags: 1 }, { unique: true });
    await tagged.createIndex({ 'list.a': 1, 'list.b': -1 }, { unique: true, sparse: true });
    await tagged.insertMany([
      { _id: 1, tags: ['a', 'b'], list: [{ a: 1, b: 2 }, { a: 3 }] },
      { _id: 2, tags: [] },
    ]);
    const told = async (document: Doc) => (await failure(tagged.insertOne(document)))['keyValue'];
    expect(await told({ _id: 3, tags: ['c', 'b', 'd'] })).to.deep.equal({ tags: 'b' });
    expect(await told({ _id: 3, tags: [] })).to.deep.equal({ tags: undefined });
    expect(await told({ _id: 3, tags: 'x', list: [{ b: 2 }, { a: 3 }] })).to.deep.equal({
      'list.a': 3,
      'list.b': null,
    });
  });

  it('that are unique refuse in inserts, updates and bulks, and leave the rest done', async () => {
    const users = collection('users');
    await users.createIndex({ mail: 1, shop: 1 }, { unique: true });
    await users.insertMany([
      { _id: 1, mail: 'a', shop: 1 },
      { _id: 2, mail: 'a', shop: 2 },
    ]);
    const err = await failure(users.insertOne({ _id: 3, mail: 'a', shop: 2 }));
    expect([err.code, err['keyPattern'], err['keyValue']]).to.deep.equal([
      11000,
      { mail: 1, shop: 1 },
      { mail: 'a', shop: 2 },
    ]);
    expect((await failure(users.updateOne({ _id: 1 }, { $set: { shop: 2 } }))).code).to.equal(11000);
    const bulk = await failure(
      users.bulkWrite(
        [
          { replaceOne: { filter: { _id: 4 }, replacement: { mail: 'b', shop: 1 }, upsert: true } },
          { replaceOne: { filter: { _id: 5 }, replacement: { mail: 'b', shop: 1 }, upsert: true } },
          { replaceOne: { filter: { _id: 1 }, replacement: { mail: 'c', shop: 1 }, upsert: true } },
        ],
        { ordered: false },
      ),
    );
    expect(bulk.code).to.equal(11000);
    expect(await users.find().sort({ _id: 1 }).project({ mail: 1 }).toArray()).to.deep.equal([
      { _id: 1, mail: 'c' },
      { _id: 2, mail: 'a' },
      { _id: 4, mail: 'b' },
    ]);
    const races = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => users.insertOne({ _id: `r${i}`, mail: 'race', shop: 1 })),
    );
    expect(races.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    expect((await failure(users.createIndex({ shop: 1 }, { unique: true }))).code).to.equal(11000);
    expect((await users.indexes()).map(({ name }) => name)).to.deep.equal(['_id_', 'mail_1_shop_1']);
  });

  it('refuse two arrays in one document, but walk one array together', async () => {
    const lists = collection('lists');
    await lists.createIndex({ a: 1, b: 1 });
    expect((await failure(lists.insertOne({ _id: 1, a: [1], b: [2] }))).code).to.equal(171);
    await lists.createIndex({ 'x.a': 1, 'x.b': 1 }, { unique: true });
    await lists.insertOne({
      _id: 2,
      x: [
        { a: 1, b: 1 },
        { a: 2, b: 2 },
      ],
    });
    await lists.insertOne({ _id: 3, x: [{ a: 1, b: 2 }] });
    expect((await failure(lists.insertOne({ _id: 4, x: { a: 2, b: 2 } }))).code).to.equal(11000);
    expect((await lists.find({ 'x.a': 1, 'x.b': 2 }).toArray()).map(({ _id }) => _id)).to.deep.equal([2, 3]);
  });

  it('take keys of any length', async () => {
    const long = collection('long');
    await long.createIndex({ text: 1 }, { unique: true });
    const text = (end: string) => `${'x'.repeat(4000)}${end}`;
    await long.insertMany(['c', 'a', 'b'].map((end) => ({ _id: text(end), text: text(end) })));
    expect((await failure(long.insertOne({ _id: 'other', text: text('a') }))).code).to.equal(11000);
    expect((await failure(long.insertOne({ _id: text('a') }))).code).to.equal(11000);
    expect((await long.findOne({ text: text('b') }))?._id).to.equal(text('b'));
    expect(await long.countDocuments({ text: { $gte: text('b') } })).to.equal(2);
    const order = (await long.find().sort({ text: 1 }).toArray()).map(({ _id }) => String(_id).at(-1));
    expect(order).to.deep.equal(['a', 'b', 'c']);
    expect((await long.find().sort({ _id: -1 }).toArray()).map(({ _id }) => String(_id).at(-1))).to.deep.equal([
      'c',
      'b',
      'a',
    ]);
  });

  it('give the same answers as a scan, through random changes', async function () {
    this.timeout(60_000);
    const next = random(20);
    const pick = <T>(items: readonly T[]): T => items[next(items.length)] as T;
    const scalar = () =>
      pick([0, 1, 2, 3, 5, -1, 2.5, null, 'a', 'ab', 'b', 'abc', true, new Date(2), { x: 1 }, Number.NaN]);
    const any = () => (next(4) === 0 ? Array.from({ length: next(4) }, scalar) : scalar());
    const make = (): Document => {
      const document: Document = {};
      for (const name of ['a', 'b', 'c']) if (next(5) > 0) document[name] = name === 'a' ? any() : scalar();
      if (next(2) === 0)
        document['d'] =
          next(3) === 0 ? { e: any() } : Array.from({ length: next(3) }, () => ({ e: scalar(), f: scalar() }));
      return document;
    };
    const plain = collection('plain');
    const indexed = collection('indexed');
    await indexed.createIndexes([
      { key: { a: 1 } },
      { key: { b: -1, c: 1 } },
      { key: { c: 1, a: -1, b: 1 } },
      { key: { 'd.e': 1, 'd.f': -1 } },
      { key: { b: 1 }, sparse: true, name: 'sparse' },
      { key: { c: -1 }, partialFilterExpression: { b: { $gt: 1 } }, name: 'partial' },
    ]);
    for (let i = 0; i < 300; i++) {
      const _id = next(120);
      const change =
        next(6) === 0
          ? { deleteOne: { filter: { _id } } }
          : { replaceOne: { filter: { _id }, replacement: make(), upsert: true } };
      await Promise.all([plain.bulkWrite([change]), indexed.bulkWrite([change])]);
    }
    const test = (): unknown => {
      const operand = scalar();
      switch (next(9)) {
        case 0:
          return { $in: [operand, scalar(), scalar()] };
        case 1:
          return operand === null ? { $gte: null } : { $gte: operand };
        case 2:
          return { $gt: scalar(), $lt: scalar() };
        case 3:
          return /^a/;
        case 4:
          return { $ne: operand };
        case 5:
          return { $all: [operand, scalar()] };
        case 6:
          return { $lte: operand, $exists: true };
        case 7:
          return { $not: { $gt: operand } };
        default:
          return operand;
      }
    };
    const paths = ['a', 'b', 'c', 'd.e', 'd.f', '_id'];
    const used = new Set<string>();
    for (let round = 0; round < 700; round++) {
      const filter: Document = {};
      for (let n = next(4); n >= 0; n--) filter[pick(paths)] = test();
      const query = (next(8) === 0 ? { $or: [filter, { a: 1 }] } : filter) as Filter<Doc>;
      const sort: Record<string, 1 | -1> = {};
      // a sort by two arrays is refused, and only an index over both keeps them out of the documents
      const sortable = next(2) === 0 ? ['a', 'b', 'c', '_id'] : ['d.e', 'd.f', '_id'];
      for (let n = next(3); n > 0; n--) sort[pick(sortable)] = next(2) === 0 ? 1 : -1;
      const shown = `round ${round}: ${JSON.stringify(query)} by ${JSON.stringify(sort)}`;
      const [wanted, found] = await Promise.all([plain, indexed].map((one) => one.find(query).sort(sort).toArray()));
      const ids = (documents: Doc[] | undefined) =>
        (documents ?? []).map(({ _id }) => Number(_id)).sort((x, y) => x - y);
      expect(ids(found), shown).to.deep.equal(ids(wanted));
      const order = parseSort(documentValue(Buffer.from(serialize(sort))));
      const places = (found ?? []).map((document) => sortKey(order, Buffer.from(serialize(document))));
      for (const [at, place] of places.entries()) {
        expect(places[at - 1]?.compare(place) ?? -1, `${shown}, at ${at}`).to.be.at.most(0);
      }
      const total = { ...sort, _id: sort['_id'] ?? 1 } as Record<string, 1 | -1>;
      const [first, second] = await Promise.all(
        [plain, indexed].map((one) => one.find(query).sort(total).skip(2).limit(20).project({ _id: 1 }).toArray()),
      );
      expect(second, shown).to.deep.equal(first);
      if (round % 10 === 0) used.add((await explain('indexed', query, sort)).index);
    }
    expect(used.size, [...used].join()).to.be.above(4);
  });

  it('hold exactly what the documents say, after all of this and a restart', async () => {
    await server.restart();
    const count = await collection('indexed').countDocuments();
    expect(await collection('indexed').estimatedDocumentCount()).to.equal(count);
    const { dataDir } = server;
    await server.client.close();
    await server.store.close();
    const { documents, faults } = await verifyDataDir(dataDir, silentLogger);
    expect(faults).to.deep.equal([]);
    expect(documents).to.be.above(count);
  });
});
