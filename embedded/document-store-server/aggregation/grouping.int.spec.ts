import { expect } from 'chai';
import { Decimal128, type Document, Double, Int32, Long } from 'mongodb';
import { type Sales, startSales } from './sales-fixture.js';

describe('the stages that group and count', () => {
  let sales: Sales;
  before(async () => {
    sales = await startSales();
  });
  after(() => sales.server.stop());

  it('$group groups by a field, an expression or all, with every accumulator', async () => {
    const groups = await sales.run(
      { $sort: { _id: 1 } },
      {
        $group: {
          _id: '$item',
          total: { $sum: { $multiply: ['$price', '$quantity'] } },
          count: { $count: {} },
          average: { $avg: '$quantity' },
          least: { $min: '$quantity' },
          most: { $max: '$quantity' },
          first: { $first: '$_id' },
          last: { $last: '$tags' },
          ids: { $push: '$_id' },
          tags: { $push: '$tags' },
          prices: { $addToSet: '$price' },
          merged: { $mergeObjects: { item: '$item', q: '$quantity' } },
          population: { $stdDevPop: '$quantity' },
          sample: { $stdDevSamp: '$quantity' },
        },
      },
      { $sort: { total: -1, _id: 1 } },
    );
    expect(groups.map(({ _id }) => _id)).to.deep.equal(['xyz', 'abc', 'jkl']);
    expect(groups[1]).to.deep.equal({
      _id: 'abc',
      total: 120,
      count: 2,
      average: 6,
      least: 2,
      most: 10,
      first: 1,
      last: null,
      ids: [1, 5],
      tags: [['red', 'new'], null],
      prices: [10],
      merged: { item: 'abc', q: 10 },
      population: 4,
      sample: Math.sqrt(32),
    });
    expect(groups[0]).to.include({ last: null });
    expect(groups[0]?.['tags']).to.deep.equal([[]]);
    expect(groups[2]).to.include({ sample: null, population: 0 });
    expect(await sales.run({ $group: { _id: null, n: { $sum: 1 } } })).to.deep.equal([{ _id: null, n: 5 }]);
    const byMonth = await sales.run(
      { $group: { _id: { m: { $month: '$date' } }, n: { $sum: '$quantity' } } },
      { $sort: { _id: 1 } },
    );
    expect(byMonth).to.deep.equal([
      { _id: { m: 3 }, n: 13 },
      { _id: { m: 4 }, n: 30 },
    ]);
  });

  it('$group takes equal numbers for one group, and missing for null', async () => {
    const mixed = sales.server.db.collection<Document>('mixed');
    await mixed.insertMany([
      { n: new Int32(1) },
      { n: new Double(1) },
      { n: Long.fromNumber(1) },
      { n: Decimal128.fromString('1.0') },
    ]);
    await mixed.insertMany([{ n: null }, { x: 1 }, { n: ['y'] }, { n: 'x' }]);
    const groups = await mixed.aggregate([{ $group: { _id: '$n', c: { $sum: 1 } } }, { $sort: { _id: 1 } }]).toArray();
    expect(groups).to.deep.equal([
      { _id: null, c: 2 },
      { _id: 1, c: 4 },
      { _id: 'x', c: 1 },
      { _id: ['y'], c: 1 },
    ]);
  });

  it('$group keeps the types of its sums', async () => {
    const sums = async (...values: unknown[]) => {
      const name = `sums-${values.map(String).join('-')}`.slice(0, 60);
      await sales.server.db.collection(name).insertMany(values.map((n) => ({ n })));
      const options = { promoteValues: false };
      const pipeline = [{ $group: { _id: null, sum: { $sum: '$n' }, average: { $avg: '$n' } } }];
      const [group] = await sales.server.db.collection(name).aggregate(pipeline, options).toArray();
      return [group?.['sum'], group?.['average']];
    };
    expect(await sums(new Int32(1), new Int32(2), 'x')).to.deep.equal([new Int32(3), new Double(1.5)]);
    expect(await sums(new Int32(2147483647), new Int32(1))).to.deep.equal([
      Long.fromNumber(2147483648),
      new Double(1073741824),
    ]);
    expect(await sums(Long.MAX_VALUE, Long.MAX_VALUE, Long.MIN_VALUE)).to.deep.equal([
      Long.MAX_VALUE.add(Long.MAX_VALUE.add(Long.MIN_VALUE)),
      new Double(Number(2n ** 63n - 2n) / 3),
    ]);
    expect(await sums(new Double(0.1), new Double(0.2), new Double(-0.3))).to.deep.equal([
      new Double(2.7755575615628914e-17),
      new Double(2.7755575615628914e-17 / 3),
    ]);
    const [decimals, average] = await sums(Decimal128.fromString('0.1'), Decimal128.fromString('0.2'), new Int32(3));
    expect([String(decimals), String(average)]).to.deep.equal(['3.3', '1.1']);
  });

  it('$group is refused when malformed, and for accumulators it does not know', async () => {
    const refusals: [Document | number, number][] = [
      [1, 15947],
      [{ n: { $sum: 1 } }, 15955],
      [{ _id: null, n: 1 }, 40234],
      [{ _id: null, 'a.b': { $sum: 1 } }, 40235],
      [{ _id: null, $a: { $sum: 1 } }, 40236],
      [{ _id: null, a: { $sum: [1, 2] } }, 40237],
      [{ _id: null, a: { $sum: 1, $avg: 1 } }, 40238],
      [{ _id: null, a: { $topN: 1 } }, 15952],
      [{ _id: null, a: { $count: 1 } }, 14],
      [{ _id: { a: 1 } }, 17390],
    ];
    for (const [spec, code] of refusals)
      expect(await sales.refusal({ $group: spec }), JSON.stringify(spec)).to.equal(code);
    expect(await sales.refusal({ $group: { _id: null, a: { $mergeObjects: '$item' } } })).to.equal(40400);
  });

  it('$count counts, and gives nothing of nothing', async () => {
    expect(await sales.run({ $match: { price: 5 } }, { $count: 'n' })).to.deep.equal([{ n: 2 }]);
    expect(await sales.run({ $match: { price: 6 } }, { $count: 'n' })).to.deep.equal([]);
    const refusals: [unknown, number][] = [
      [1, 40156],
      ['', 40157],
      ['$a', 40158],
      ['a.b', 40160],
    ];
    for (const [spec, code] of refusals) expect(await sales.refusal({ $count: spec })).to.equal(code);
  });

  it('$sortByCount tells how often there is what', async () => {
    const counts = await sales.run({ $unwind: '$tags' }, { $sortByCount: '$tags' });
    expect(counts).to.deep.equal([
      { _id: 'red', count: 2 },
      { _id: 'new', count: 1 },
    ]);
    expect(await sales.run({ $sortByCount: { $gt: ['$price', 10] } })).to.deep.equal([
      { _id: false, count: 4 },
      { _id: true, count: 1 },
    ]);
    const refusals: [unknown, number][] = [
      [{ a: 1 }, 40147],
      ['tags', 40148],
      [1, 40149],
    ];
    for (const [spec, code] of refusals) expect(await sales.refusal({ $sortByCount: spec })).to.equal(code);
  });

  it('$bucket groups by ranges', async () => {
    const buckets = await sales.run({
      $bucket: {
        groupBy: '$quantity',
        boundaries: [0, 5, 20],
        default: 'other',
        output: { count: { $sum: 1 }, ids: { $push: '$_id' } },
      },
    });
    expect(buckets).to.deep.equal([
      { _id: 0, count: 2, ids: [1, 2] },
      { _id: 5, count: 2, ids: [3, 5] },
      { _id: 'other', count: 1, ids: [4] },
    ]);
    expect(await sales.run({ $bucket: { groupBy: '$price', boundaries: [5, 15, 25] } })).to.deep.equal([
      { _id: 5, count: 4 },
      { _id: 15, count: 1 },
    ]);
    expect(await sales.refusal({ $bucket: { groupBy: '$price', boundaries: [50, 60] } })).to.equal(40066);
  });

  it('$bucket is refused when malformed', async () => {
    const groupBy = '$a';
    const boundaries = [1, 2];
    const refusals: [unknown, number][] = [
      [{ groupBy, boundaries: ['$a', '$b'] }, 40191],
      [{ groupBy, boundaries: [1] }, 40192],
      [{ groupBy, boundaries: [1, 'x'] }, 40193],
      [{ groupBy, boundaries: [2, 1] }, 40194],
      [{ groupBy, boundaries, default: '$a' }, 40195],
      [{ groupBy, boundaries, output: 1 }, 40196],
      [{ groupBy, boundaries, x: 1 }, 40197],
      [{ groupBy }, 40198],
      [{ groupBy, boundaries, default: 1 }, 40199],
      [{ groupBy, boundaries: 1 }, 40200],
      [1, 40201],
      [{ groupBy: 'a', boundaries }, 40202],
    ];
    for (const [spec, code] of refusals)
      expect(await sales.refusal({ $bucket: spec }), JSON.stringify(spec)).to.equal(code);
  });
});
