import { expect } from 'chai';
import type { Document } from 'mongodb';
import { failure } from '../test-server.js';
import { type Doc, type Sales, startSales } from './sales-fixture.js';

describe('an aggregation', () => {
  let sales: Sales;
  before(async () => {
    sales = await startSales();
  });
  after(() => sales.server.stop());

  it('$facet answers several pipelines over the same documents', async () => {
    const [facets, ...more] = await sales.run(
      { $match: { price: { $lt: 20 } } },
      {
        $facet: {
          total: [{ $count: 'n' }],
          page: [{ $sort: { _id: -1 } }, { $skip: 1 }, { $limit: 2 }, { $project: { item: 1 } }],
          first: [{ $limit: 1 }, { $project: { _id: 1 } }],
          items: [{ $sortByCount: '$item' }, { $sort: { _id: 1 } }],
          none: [{ $match: { _id: 99 } }],
        },
      },
    );
    expect(more).to.deep.equal([]);
    expect(facets).to.deep.equal({
      total: [{ n: 4 }],
      page: [
        { _id: 4, item: 'xyz' },
        { _id: 3, item: 'xyz' },
      ],
      first: [{ _id: 1 }],
      items: [
        { _id: 'abc', count: 2 },
        { _id: 'xyz', count: 2 },
      ],
      none: [],
    });
    expect(await sales.run({ $match: { _id: 99 } }, { $facet: { a: [{ $count: 'n' }] } })).to.deep.equal([{ a: [] }]);
  });

  it('$facet fails with the error of one of its pipelines, and is refused when malformed', async () => {
    expect(await sales.refusal({ $facet: { fine: [{ $limit: 1 }], bad: [{ $replaceWith: '$item' }] } })).to.equal(
      40228,
    );
    const refusals: [unknown, number][] = [
      [{}, 40169],
      [1, 40169],
      [{ a: 1 }, 40170],
      [{ 'a.b': [] }, 16412],
      [{ $a: [] }, 16410],
      [{ a: [{ $facet: { b: [] } }] }, 40600],
      [{ a: [{ $out: 'x' }] }, 40600],
      [{ a: [{ $lookup: {} }] }, 40324],
    ];
    for (const [spec, code] of refusals)
      expect(await sales.refusal({ $facet: spec }), JSON.stringify(spec)).to.equal(code);
  });

  it('is refused for stages it does not have, naming what it has', async () => {
    for (const stage of [
      '$lookup',
      '$graphLookup',
      '$unionWith',
      '$out',
      '$merge',
      '$geoNear',
      '$search',
      '$sample',
      '$nonsense',
    ]) {
      const err = await failure(sales.run({ [stage]: {} }));
      expect(err.code, stage).to.equal(40324);
      expect(err.message).to.contain(stage).and.to.contain('$facet');
    }
    expect(await sales.refusal({ $match: {}, $limit: 1 })).to.equal(40323);
    expect(await sales.refusal({})).to.equal(40323);
    expect((await failure(sales.server.db.command({ aggregate: 'sales', pipeline: [5], cursor: {} }))).code).to.equal(
      14,
    );
    expect((await failure(sales.server.db.command({ aggregate: 'sales', pipeline: {}, cursor: {} }))).code).to.equal(
      14,
    );
  });

  it('takes let, hint, comment, allowDiskUse and the simple collation, and refuses another', async () => {
    const collection = sales.server.db.collection('sales');
    const pipeline = [
      { $match: { $expr: { $eq: ['$item', '$$wanted'] } } },
      { $project: { twice: { $add: ['$_id', '$$n'] } } },
    ];
    const options = { let: { wanted: 'xyz', n: { $add: [1, 1] } }, hint: 'item_1', comment: 'x', allowDiskUse: true };
    expect(
      await collection.aggregate(pipeline, { ...options, collation: { locale: 'simple' } }).toArray(),
    ).to.deep.equal([
      { _id: 3, twice: 5 },
      { _id: 4, twice: 6 },
    ]);
    expect((await failure(collection.aggregate([], { collation: { locale: 'de' } }).toArray())).code).to.equal(72);
    expect((await failure(collection.aggregate([], { let: { x: '$item' } }).toArray())).code).to.equal(4890500);
    expect((await failure(collection.aggregate([], { hint: 'none' }).toArray())).code).to.equal(2);
  });

  it('lets find, count and distinct ask by $expr, and find alone has let', async () => {
    const collection = sales.server.db.collection<Doc>('sales');
    const dear = { $expr: { $gt: ['$price', '$$least'] } };
    expect(await collection.find(dear, { let: { least: 10 }, projection: { _id: 1 } }).toArray()).to.deep.equal([
      { _id: 2 },
    ]);
    const many = { $expr: { $gt: ['$quantity', '$price'] } };
    expect(await sales.server.db.command({ count: 'sales', query: many })).to.include({ n: 2 });
    expect(await collection.distinct('item', many)).to.deep.equal(['xyz']);
    for (const command of [{ count: 'sales' }, { distinct: 'sales', key: 'item' }]) {
      expect((await failure(sales.server.db.command({ ...command, let: { x: 1 } }))).code).to.equal(40415);
    }
    const cheap = { $expr: { $lt: ['$price', 5] } };
    expect((await failure(collection.updateOne(cheap, { $set: { x: 1 } }, { upsert: true }))).code).to.equal(224);
  });

  it('answers of a collection that is not there', async () => {
    const nowhere = sales.server.db.collection('nowhere');
    expect(await nowhere.aggregate([{ $group: { _id: null, n: { $sum: 1 } } }]).toArray()).to.deep.equal([]);
    expect(await nowhere.aggregate([{ $facet: { a: [] } }]).toArray()).to.deep.equal([{ a: [] }]);
  });

  it('refuses a result of more than 16 MB and stages that keep more than 100 MB', async () => {
    const big = sales.server.db.collection<Doc>('big');
    const pad = 'x'.repeat(1_000_000);
    await big.insertMany(Array.from({ length: 18 }, (_, _id) => ({ _id, pad })));
    const run18 = (...pipeline: Document[]) => failure(big.aggregate(pipeline).toArray());
    expect((await run18({ $group: { _id: null, all: { $push: '$pad' } } })).code).to.equal(10334);
    expect((await run18({ $facet: { all: [] } })).code).to.equal(10334);
    const tenfold = [{ $set: { n: { $range: [0, 10] } } }, { $unwind: '$n' }];
    expect((await run18(...tenfold, { $group: { _id: null, all: { $push: '$pad' } } })).code).to.equal(292);
    expect(
      (
        await run18(...tenfold, {
          $group: { _id: { $concat: ['$pad', { $toString: { $add: ['$_id', { $multiply: ['$n', 100] }] } }] } },
        })
      ).code,
    ).to.equal(292);
    expect((await run18(...tenfold, { $sort: { n: 1 } })).code).to.equal(292);
    expect((await run18({ $facet: { a: tenfold } })).code).to.equal(292);
    const top = await big
      .aggregate([...tenfold, { $sort: { n: 1, _id: 1 } }, { $limit: 1 }, { $unset: 'pad' }])
      .toArray();
    expect(top).to.deep.equal([{ _id: 0, n: 0 }]);
  });

  it('gives up after maxTimeMS and lets others work meanwhile', async () => {
    const collection = sales.server.db.collection<Doc>('sales');
    const long = [
      { $set: { n: { $range: [0, 60_000] } } },
      { $unwind: '$n' },
      { $group: { _id: null, n: { $sum: '$n' } } },
    ];
    expect((await failure(collection.aggregate(long, { maxTimeMS: 20 }).toArray())).code).to.equal(50);
    let answered = false;
    const running = collection
      .aggregate(long)
      .toArray()
      .then((groups) => {
        answered = true;
        return groups;
      });
    expect(await collection.findOne({ _id: 1 })).to.include({ item: 'abc' });
    expect(answered).to.equal(false);
    expect(await running).to.deep.equal([{ _id: null, n: 5 * ((60_000 * 59_999) / 2) }]);
  });
});
