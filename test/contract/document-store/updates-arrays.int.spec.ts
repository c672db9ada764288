import { expect } from 'chai';
import { Decimal128, type Document, Int32, Long } from 'mongodb';
import { describeTargets } from './document-store-targets.js';
import { storedText, textOf, titleOf } from './exact-documents.js';
import { updates } from './update-cases.js';

const points = [
  { n: 'x', s: 5 },
  { n: 'y', s: 9 },
  { n: 'z', s: 1 },
];
const [x, y, z] = points;

describeTargets('updates of arrays', (target) => {
  describe('$push', () => {
    updates(target, [
      [{ a: [1] }, { $push: { a: 2 } }, { a: [1, 2] }],
      [{ a: [1] }, { $push: { a: 1 } }, { a: [1, 1] }],
      [{}, { $push: { a: 1 } }, { a: [1] }],
      [{}, { $push: { 'a.b': 1 } }, { a: { b: [1] } }],
      [{ a: [1] }, { $push: { a: [2, 3] } }, { a: [1, [2, 3]] }],
      [{ a: [1] }, { $push: { a: { b: 2 } } }, { a: [1, { b: 2 }] }],
      [{ a: [[1]] }, { $push: { 'a.0': 2 } }, { a: [[1, 2]] }],
      [{ a: 1 }, { $push: { a: 2 } }, 2],
      [{ a: null }, { $push: { a: 2 } }, 2],
      [{ a: { b: 1 } }, { $push: { a: 2 } }, 2],
    ]);
    describe('$each', () =>
      updates(target, [
        [{ a: [1] }, { $push: { a: { $each: [2, [3], { b: 4 }] } } }, { a: [1, 2, [3], { b: 4 }] }],
        [{ a: [1] }, { $push: { a: { $each: [] } } }, { a: [1] }],
        [{}, { $push: { a: { $each: [1, 2] } } }, { a: [1, 2] }],
      ]));
    describe('$position', () =>
      updates(target, [
        [{ a: [1, 2] }, { $push: { a: { $each: [8, 9], $position: 0 } } }, { a: [8, 9, 1, 2] }],
        [{ a: [1, 2] }, { $push: { a: { $each: [8, 9], $position: 1 } } }, { a: [1, 8, 9, 2] }],
        [{ a: [1, 2] }, { $push: { a: { $each: [9], $position: 7 } } }, { a: [1, 2, 9] }],
        [{ a: [1, 2, 3] }, { $push: { a: { $each: [8, 9], $position: -2 } } }, { a: [1, 8, 9, 2, 3] }],
        [{ a: [1, 2] }, { $push: { a: { $each: [9], $position: -7 } } }, { a: [9, 1, 2] }],
        [{ a: [1] }, { $push: { a: { $each: [9], $position: 'x' } } }, 2],
      ]));
    describe('$slice', () =>
      updates(target, [
        [{ a: [1, 2, 3] }, { $push: { a: { $each: [4], $slice: 2 } } }, { a: [1, 2] }],
        [{ a: [1, 2, 3] }, { $push: { a: { $each: [4], $slice: -2 } } }, { a: [3, 4] }],
        [{ a: [1, 2, 3] }, { $push: { a: { $each: [4], $slice: 9 } } }, { a: [1, 2, 3, 4] }],
        [{ a: [1, 2, 3] }, { $push: { a: { $each: [4], $slice: 0 } } }, { a: [] }],
        [{ a: [1, 2, 3] }, { $push: { a: { $each: [], $slice: -2 } } }, { a: [2, 3] }],
        [{ a: [1] }, { $push: { a: { $each: [4], $slice: 'x' } } }, 2],
      ]));
    describe('$sort', () =>
      updates(target, [
        [{ a: [3, 1] }, { $push: { a: { $each: [2], $sort: 1 } } }, { a: [1, 2, 3] }],
        [{ a: [3, 1] }, { $push: { a: { $each: [2], $sort: -1 } } }, { a: [3, 2, 1] }],
        [{ a: [3, 1] }, { $push: { a: { $each: [], $sort: 1 } } }, { a: [1, 3] }],
        [{ a: ['x', 2, null] }, { $push: { a: { $each: [{ b: 1 }], $sort: 1 } } }, { a: [null, 2, 'x', { b: 1 }] }],
        [{ a: [x, y] }, { $push: { a: { $each: [z], $sort: { s: 1 } } } }, { a: [z, x, y] }],
        [{ a: [x, y] }, { $push: { a: { $each: [z], $sort: { s: -1 }, $slice: 2 } } }, { a: [y, x] }],
        [
          { a: [{ b: { c: 2 } }] },
          { $push: { a: { $each: [{ b: { c: 1 } }], $sort: { 'b.c': 1 } } } },
          { a: [{ b: { c: 1 } }, { b: { c: 2 } }] },
        ],
        [{ a: [3, 1] }, { $push: { a: { $slice: -2, $each: [2, 0], $sort: -1, $position: 0 } } }, { a: [1, 0] }],
        [{ a: [3, 1] }, { $push: { a: { $each: [2], $sort: 2 } } }, 2],
      ]));
  });

  describe('$addToSet', () =>
    updates(target, [
      [{ a: [1] }, { $addToSet: { a: 2 } }, { a: [1, 2] }],
      [{ a: [1, 2] }, { $addToSet: { a: 1 } }, { a: [1, 2] }],
      [{ a: [new Int32(1)] }, { $addToSet: { a: Long.fromNumber(1) } }, { a: [new Int32(1)] }],
      [{}, { $addToSet: { a: 1 } }, { a: [1] }],
      [{ a: [1, 1] }, { $addToSet: { a: 2 } }, { a: [1, 1, 2] }],
      [{ a: ['x'] }, { $addToSet: { a: ['x', 'y'] } }, { a: ['x', ['x', 'y']] }],
      [{ a: [{ b: 1, c: 2 }] }, { $addToSet: { a: { b: 1, c: 2 } } }, { a: [{ b: 1, c: 2 }] }],
      [
        { a: [{ b: 1, c: 2 }] },
        { $addToSet: { a: { c: 2, b: 1 } } },
        {
          a: [
            { b: 1, c: 2 },
            { c: 2, b: 1 },
          ],
        },
      ],
      [{ a: [1, 2] }, { $addToSet: { a: { $each: [2, 3, 3, 4] } } }, { a: [1, 2, 3, 4] }],
      [{ a: [1] }, { $addToSet: { a: { $each: [] } } }, { a: [1] }],
      [{ a: 1 }, { $addToSet: { a: 1 } }, 2],
      [{ a: null }, { $addToSet: { a: 1 } }, 2],
    ]));

  describe('$pull', () =>
    updates(target, [
      [{ a: [1, 2, 1] }, { $pull: { a: 1 } }, { a: [2] }],
      [{ a: [1, new Decimal128('1.0'), 2] }, { $pull: { a: Long.fromNumber(1) } }, { a: [2] }],
      [{ a: [1, 2] }, { $pull: { a: 9 } }, { a: [1, 2] }],
      [{ a: [1] }, { $pull: { b: 1 } }, { a: [1] }],
      [{ a: [1, 5, 9] }, { $pull: { a: { $gte: 5 } } }, { a: [1] }],
      [{ a: [1, 5, 9] }, { $pull: { a: { $in: [1, 9] } } }, { a: [5] }],
      [{ a: ['ab', 'b'] }, { $pull: { a: /^a/ } }, { a: ['b'] }],
      [{ a: [1, [1, 2], [2, 1]] }, { $pull: { a: [1, 2] } }, { a: [1, [2, 1]] }],
      [{ a: points }, { $pull: { a: { n: 'x' } } }, { a: [y, z] }],
      [{ a: points }, { $pull: { a: { s: 5, n: 'x' } } }, { a: [y, z] }],
      [{ a: points }, { $pull: { a: { s: { $gt: 4 }, n: { $ne: 'x' } } } }, { a: [x, z] }],
      [
        { a: [{ b: [{ c: 1 }, { c: 2 }] }, { b: [] }] },
        { $pull: { a: { b: { $elemMatch: { c: { $gt: 1 } } } } } },
        { a: [{ b: [] }] },
      ],
      [{ a: { b: [1, 2] } }, { $pull: { 'a.b': 2 } }, { a: { b: [1] } }],
      [{ a: 1 }, { $pull: { a: 1 } }, 2],
    ]));

  describe('$pullAll', () =>
    updates(target, [
      [{ a: [0, 2, 5, 5, 1, 0] }, { $pullAll: { a: [0, 5] } }, { a: [2, 1] }],
      [{ a: [1] }, { $pullAll: { a: [] } }, { a: [1] }],
      [{ a: [1, Long.fromNumber(2)] }, { $pullAll: { a: [2] } }, { a: [1] }],
      [{ a: [x, y] }, { $pullAll: { a: [{ n: 'x', s: 5 }] } }, { a: [y] }],
      [{ a: [x, y] }, { $pullAll: { a: [{ s: 5, n: 'x' }, { n: 'y' }] } }, { a: [x, y] }],
      [{ a: [1] }, { $pullAll: { b: [1] } }, { a: [1] }],
      [{ a: 1 }, { $pullAll: { a: [1] } }, 2],
      [{ a: [1] }, { $pullAll: { a: 1 } }, 2],
    ]));

  describe('$pop', () =>
    updates(target, [
      [{ a: [1, 2, 3] }, { $pop: { a: 1 } }, { a: [1, 2] }],
      [{ a: [1, 2, 3] }, { $pop: { a: -1 } }, { a: [2, 3] }],
      [{ a: [1] }, { $pop: { a: 1 } }, { a: [] }],
      [{ a: [] }, { $pop: { a: 1 } }, { a: [] }],
      [{ a: [1] }, { $pop: { b: 1 } }, { a: [1] }],
      [{ a: { b: [1, 2] } }, { $pop: { 'a.b': -1 } }, { a: { b: [2] } }],
      [{ a: 1 }, { $pop: { a: 1 } }, 14],
      [{ a: [1] }, { $pop: { a: 2 } }, 9],
    ]));

  describe('$', () => {
    const cases: [filter: Document, before: unknown[], update: Document, after: unknown[]][] = [
      [{ a: 5 }, [1, 5, 5], { $set: { 'a.$': 7 } }, [1, 7, 5]],
      [{ a: { $gt: 4 } }, [1, 5, 9], { $inc: { 'a.$': 10 } }, [1, 15, 9]],
      [{ 'a.n': 'y' }, points, { $set: { 'a.$.s': 0 } }, [x, { n: 'y', s: 0 }, z]],
      [{ a: { $elemMatch: { n: 'z', s: { $lt: 5 } } } }, points, { $unset: { 'a.$.s': '' } }, [x, y, { n: 'z' }]],
    ];
    for (const [filter, a, update, after] of cases) {
      it(`${titleOf(update)} where ${titleOf(filter)} makes ${titleOf(after)} of ${titleOf(a)}`, async () => {
        const collection = target().collection('positional');
        await collection.insertOne({ _id: 1, a });
        expect((await collection.updateOne(filter, update)).modifiedCount).to.equal(1);
        expect(await storedText(collection, 1)).to.equal(textOf({ _id: 1, a: after }));
      });
    }

    updates(target, [[{ a: [1] }, { $set: { 'a.$': 1 } }, 2]]);
  });

  describe('$[]', () =>
    updates(target, [
      [{ a: [1, 2] }, { $inc: { 'a.$[]': 10 } }, { a: [11, 12] }],
      [{ a: points }, { $set: { 'a.$[].s': 0 } }, { a: points.map(({ n }) => ({ n, s: 0 })) }],
      [{ a: [[1, 2], [3]] }, { $mul: { 'a.$[].$[]': 2 } }, { a: [[2, 4], [6]] }],
      [{ a: [] }, { $set: { 'a.$[]': 1 } }, { a: [] }],
      [{ b: 1 }, { $set: { 'a.$[]': 1 } }, 2],
      [{ a: 1 }, { $set: { 'a.$[]': 1 } }, 2],
    ]));

  describe('$[<identifier>]', () =>
    updates(target, [
      [{ a: [1, 5, 9] }, { $set: { 'a.$[big]': 4 } }, { a: [1, 4, 4] }, { arrayFilters: [{ big: { $gte: 5 } }] }],
      [{ a: [1] }, { $set: { 'a.$[big]': 4 } }, { a: [1] }, { arrayFilters: [{ big: { $gte: 5 } }] }],
      [
        { a: points },
        { $inc: { 'a.$[p].s': 1 } },
        { a: [{ n: 'x', s: 6 }, y, z] },
        { arrayFilters: [{ 'p.n': 'x', 'p.s': { $gt: 1 } }] },
      ],
      [{ a: points }, { $unset: { 'a.$[p].s': '' } }, { a: [x, { n: 'y' }, z] }, { arrayFilters: [{ 'p.s': 9 }] }],
      [
        {
          a: [
            { k: 1, v: [1, 2] },
            { k: 2, v: [1, 2] },
          ],
        },
        { $set: { 'a.$[k].v.$[v]': 0 } },
        {
          a: [
            { k: 1, v: [1, 2] },
            { k: 2, v: [1, 0] },
          ],
        },
        { arrayFilters: [{ 'k.k': 2 }, { v: { $gt: 1 } }] },
      ],
      [{ a: [1, 2] }, { $set: { 'a.$[x]': 1 } }, 2],
      [{ a: [1, 2] }, { $set: { 'a.0': 1 } }, 9, { arrayFilters: [{ x: 1 }] }],
      [{ a: [1, 2] }, { $set: { 'a.$[x]': 1 } }, 9, { arrayFilters: [{ x: 1 }, { x: 2 }] }],
    ]));
});
