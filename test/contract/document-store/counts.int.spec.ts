import { expect } from 'chai';
import { type Collection, Decimal128, type Document, Long } from 'mongodb';
import { failure } from '../../../embedded/document-store-server/test-server.js';
import { type Doc, describeTargets } from './document-store-targets.js';

describeTargets('counts and distinct values', (target) => {
  let sales: Collection<Doc>;
  before(async () => {
    sales = target().collection('sales');
    await sales.insertMany([
      { _id: 1, shop: 'a', n: 1, tags: ['x', 'y', 'x'], at: [{ city: 'p' }, { city: 'q' }] },
      { _id: 2, shop: 'b', n: 2.5, tags: ['y', ['y']], at: { city: 'q' } },
      { _id: 3, shop: 'a', n: Long.fromNumber(1), tags: [] },
      { _id: 4, shop: null, n: new Decimal128('1.0') },
      { _id: 5, n: 'text', tags: 'z' },
    ]);
  });
  const count = async (options: Document) =>
    (await target().db.command({ count: sales.collectionName, ...options }))['n'];

  describe('count', () => {
    it('counts what matches, between skip and limit', async () => {
      expect(await count({})).to.equal(5);
      expect(await count({ query: {} })).to.equal(5);
      expect(await count({ query: { shop: 'a' } })).to.equal(2);
      expect(await count({ query: { n: 1 } })).to.equal(3);
      expect(await count({ query: { shop: 'none' } })).to.equal(0);
      expect(await count({ skip: 2 })).to.equal(3);
      expect(await count({ skip: 2, limit: 2 })).to.equal(2);
      expect(await count({ skip: 9 })).to.equal(0);
      expect(await count({ query: { n: 1 }, skip: 1 })).to.equal(2);
      expect(await count({ query: { n: 1 }, limit: 2 })).to.equal(2);
      expect(await count({ query: { n: 1 }, hint: '_id_' })).to.equal(3);
    });

    it('of a collection that is not there is 0', async () => {
      expect((await target().db.command({ count: target().fresh('absent') }))['n']).to.equal(0);
      expect(await target().collection('absent').countDocuments()).to.equal(0);
      expect(await target().collection('absent').estimatedDocumentCount()).to.equal(0);
    });

    it('follows inserts and deletes', async () => {
      const moving = target().collection('moving');
      await moving.insertMany(Array.from({ length: 50 }, (_, _id) => ({ _id })));
      await moving.deleteMany({ _id: { $gte: 40 } });
      await moving.updateOne({ _id: 99 }, { $set: { a: 1 } }, { upsert: true });
      await failure(moving.insertOne({ _id: 1 }));
      expect(await moving.estimatedDocumentCount()).to.equal(41);
      expect(await moving.countDocuments()).to.equal(41);
    });
  });

  it('countDocuments counts what matches, between skip and limit', async () => {
    expect(await sales.countDocuments()).to.equal(5);
    expect(await sales.countDocuments({ shop: 'a' })).to.equal(2);
    expect(await sales.countDocuments({}, { skip: 1, limit: 1 })).to.equal(1);
    expect(await sales.countDocuments({ n: 1 }, { skip: 2 })).to.equal(1);
    expect(await sales.countDocuments({ n: 9 })).to.equal(0);
  });

  it('estimatedDocumentCount counts all', async () => {
    expect(await sales.estimatedDocumentCount()).to.equal(5);
  });

  describe('distinct', () => {
    const distinct = async (key: string, query: Document = {}) => (await sales.distinct(key, query)) as unknown[];
    const cases: [key: string, query: Document, values: unknown[]][] = [
      ['shop', {}, [null, 'a', 'b']],
      ['shop', { n: 1 }, [null, 'a']],
      ['tags', {}, ['x', 'y', 'z', ['y']]],
      ['tags', { shop: 'a' }, ['x', 'y']],
      ['at.city', {}, ['p', 'q']],
      ['at.1.city', {}, ['q']],
      ['nothing', {}, []],
      ['_id', { _id: { $lt: 3 } }, [1, 2]],
    ];
    for (const [key, query, values] of cases) {
      it(`${key} where ${JSON.stringify(query)}: ${JSON.stringify(values)}`, async () => {
        expect(await distinct(key, query)).to.have.deep.members(values);
      });
    }

    it('takes equal numbers of several types for one', async () => {
      const values = await distinct('n');
      expect(values).to.have.length(3);
      expect(
        values
          .map(Number)
          .filter((n) => !Number.isNaN(n))
          .sort(),
      ).to.deep.equal([1, 2.5]);
    });

    it('of a collection that is not there is empty', async () => {
      expect(await target().collection('absent').distinct('a')).to.deep.equal([]);
    });
  });
});
