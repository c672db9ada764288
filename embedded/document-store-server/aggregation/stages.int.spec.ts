import { expect } from 'chai';
import { type Sales, startSales } from './sales-fixture.js';

describe('the stages that take, shape and unwind', () => {
  let sales: Sales;
  before(async () => {
    sales = await startSales();
  });
  after(() => sales.server.stop());

  it('$match filters at the start and later, by $expr too', async () => {
    expect(await sales.ids({ $match: { item: 'abc' } }, { $match: { price: 10 } })).to.deep.equal([1, 5]);
    expect(await sales.ids({ $skip: 1 }, { $match: { item: 'abc' } })).to.deep.equal([5]);
    const byExpression = { $expr: { $gt: [{ $multiply: ['$price', '$quantity'] }, 60] } };
    expect(await sales.ids({ $match: byExpression })).to.deep.equal([4, 5]);
    expect(await sales.ids({ $match: { item: 'xyz', $or: [byExpression, { _id: 3 }] } })).to.deep.equal([3, 4]);
    expect(await sales.refusal({ $match: 5 })).to.equal(15959);
    expect(await sales.refusal({ $match: { tags: { $elemMatch: { $expr: true } } } })).to.equal(2);
  });

  it('$sort, $skip and $limit take a part, at the start and later', async () => {
    expect(await sales.ids({ $sort: { price: -1, _id: -1 } }, { $skip: 1 }, { $limit: 3 })).to.deep.equal([5, 1, 4]);
    expect(await sales.ids({ $match: {} }, { $limit: 4 }, { $sort: { _id: -1 } }, { $limit: 2 })).to.deep.equal([4, 3]);
    expect(await sales.ids({ $limit: 4 }, { $sort: { _id: -1 } }, { $skip: 1 }, { $limit: 2 })).to.deep.equal([3, 2]);
    expect(await sales.ids({ $limit: 3 }, { $skip: 1 })).to.deep.equal([2, 3]);
    expect(await sales.refusal({ $sort: 1 })).to.equal(15973);
    expect(await sales.refusal({ $sort: {} })).to.equal(15976);
    expect(await sales.refusal({ $sort: { a: 2 } })).to.equal(15975);
    expect(await sales.refusal({ $sort: { a: true } })).to.equal(15974);
    expect(await sales.refusal({ $limit: 0 })).to.equal(15958);
    expect(await sales.refusal({ $limit: -1 })).to.equal(5107201);
    expect(await sales.refusal({ $skip: 'x' })).to.equal(5107200);
  });

  it('$project includes, excludes and computes', async () => {
    const [shown] = await sales.run(
      { $match: { _id: 1 } },
      { $project: { item: 1, total: { $multiply: ['$price', '$quantity'] } } },
    );
    expect(shown).to.deep.equal({ _id: 1, item: 'abc', total: 20 });
    expect(await sales.run({ $limit: 1 }, { $project: { tags: 0, date: 0, price: 0 } })).to.deep.equal([
      { _id: 1, item: 'abc', quantity: 2 },
    ]);
    expect(
      await sales.run({ $limit: 1 }, { $project: { _id: 0, kind: 'sale', first: { $first: '$tags' } } }),
    ).to.deep.equal([{ kind: 'sale', first: 'red' }]);
    expect(await sales.refusal({ $project: {} })).to.equal(51272);
    expect(await sales.refusal({ $project: 1 })).to.equal(15969);
    expect(await sales.refusal({ $project: { a: 1, b: 0 } })).to.equal(31254);
    expect(await sales.refusal({ $project: { 'a.$': 1 } })).to.equal(31324);
    expect(await sales.refusal({ $project: { a: { $elemMatch: {} } } })).to.equal(168);
    expect(await sales.refusal({ $project: { a: { $unknown: 1 } } })).to.equal(31325);
  });

  it('$addFields and $set add and replace fields, also in nested objects and arrays', async () => {
    const [added] = await sales.run(
      { $match: { _id: 1 } },
      { $addFields: { price: { $toDouble: '$price' }, 'more.total': { $add: ['$price', 1] } } },
      { $set: { more: { kind: 'x' }, tags: '$$REMOVE', item: '$missing' } },
      { $unset: 'date' },
    );
    expect(added).to.deep.equal({ _id: 1, price: 10, quantity: 2, more: { total: 11, kind: 'x' } });
    expect(Object.keys(added ?? {})).to.deep.equal(['_id', 'price', 'quantity', 'more']);
    const [nested] = await sales.run(
      { $limit: 1 },
      { $project: { list: [{ a: 1 }, 2] } },
      { $set: { 'list.b': '$_id' } },
    );
    expect(nested).to.deep.equal({ _id: 1, list: [{ a: 1, b: 1 }, { b: 1 }] });
    expect(await sales.refusal({ $addFields: 1 })).to.equal(40272);
    expect(await sales.refusal({ $set: { a: 1, 'a.b': 1 } })).to.equal(40176);
    expect(await sales.refusal({ $set: { a: { $add: [1], b: 1 } } })).to.equal(40181);
    expect(await sales.refusal({ $set: { a: { 'b.c': 1 } } })).to.equal(40183);
  });

  it('$unset removes fields', async () => {
    expect(await sales.run({ $limit: 1 }, { $unset: ['tags', 'date', 'item', 'price'] })).to.deep.equal([
      { _id: 1, quantity: 2 },
    ]);
    expect(await sales.refusal({ $unset: 1 })).to.equal(31002);
    expect(await sales.refusal({ $unset: [] })).to.equal(31119);
    expect(await sales.refusal({ $unset: [1] })).to.equal(31120);
  });

  it('$unwind takes an array apart', async () => {
    const tags = await sales.run({ $unwind: '$tags' }, { $project: { tags: 1 } });
    expect(tags).to.deep.equal([
      { _id: 1, tags: 'red' },
      { _id: 1, tags: 'new' },
      { _id: 2, tags: 'red' },
    ]);
    const kept = await sales.run(
      { $unwind: { path: '$tags', includeArrayIndex: 'at.i', preserveNullAndEmptyArrays: true } },
      { $project: { tags: 1, at: 1 } },
    );
    expect(kept).to.deep.equal([
      { _id: 1, tags: 'red', at: { i: 0 } },
      { _id: 1, tags: 'new', at: { i: 1 } },
      { _id: 2, tags: 'red', at: { i: 0 } },
      { _id: 3, at: { i: null } },
      { _id: 4, at: { i: null } },
      { _id: 5, tags: null, at: { i: null } },
    ]);
    expect(await sales.run({ $limit: 1 }, { $unwind: '$item' }, { $count: 'n' })).to.deep.equal([{ n: 1 }]);
    const nested = await sales.run({ $limit: 1 }, { $project: { a: { b: '$tags', c: '$item' } } }, { $unwind: '$a.b' });
    expect(nested).to.deep.equal([
      { _id: 1, a: { b: 'red', c: 'abc' } },
      { _id: 1, a: { b: 'new', c: 'abc' } },
    ]);
  });

  it('$unwind is refused when malformed', async () => {
    const refusals: [unknown, number][] = [
      [1, 15981],
      [{ path: 1 }, 28808],
      [{ path: '$a', preserveNullAndEmptyArrays: 1 }, 28809],
      [{ path: '$a', includeArrayIndex: '' }, 28810],
      [{ path: '$a', x: 1 }, 28811],
      [{}, 28812],
      ['a', 28818],
      [{ path: '$a', includeArrayIndex: '$i' }, 28822],
    ];
    for (const [spec, code] of refusals)
      expect(await sales.refusal({ $unwind: spec }), JSON.stringify(spec)).to.equal(code);
  });

  it('$replaceRoot and $replaceWith put another document in the place of one', async () => {
    expect(
      await sales.run({ $limit: 1 }, { $replaceRoot: { newRoot: { i: '$item', of: '$$ROOT._id' } } }),
    ).to.deep.equal([{ i: 'abc', of: 1 }]);
    expect(
      await sales.run({ $limit: 1 }, { $replaceWith: { $mergeObjects: [{ x: 1 }, { y: '$price' }] } }),
    ).to.deep.equal([{ x: 1, y: 10 }]);
    expect(await sales.refusal({ $replaceRoot: { newRoot: '$item' } })).to.equal(40228);
    expect(await sales.refusal({ $replaceWith: '$missing' })).to.equal(40228);
    expect(await sales.refusal({ $replaceRoot: 1 })).to.equal(40229);
    expect(await sales.refusal({ $replaceRoot: { x: 1 } })).to.equal(40230);
    expect(await sales.refusal({ $replaceRoot: {} })).to.equal(40231);
  });
});
