import { Double } from 'bson';
import { itRefuses, itUpdates } from './update-cases.js';

const push = (clauses: object) => ({ $push: { a: clauses } });

describe('$push', () => {
  itUpdates([
    ['$push appends', { $push: { a: 3, 'b.c': 1 } }, { a: [1], b: { c: [] } }, { a: [1, 3], b: { c: [1] } }],
    ['$push makes the array', { $push: { a: 1, 'b.c': { $each: [] } } }, {}, { a: [1], b: { c: [] } }],
    ['$push of an array adds it as one item', { $push: { a: [1, 2] } }, { a: [] }, { a: [[1, 2]] }],
    ['$push of a document without $each adds it', push({ x: 1, $slice: 1 }), { a: [] }, { a: [{ x: 1, $slice: 1 }] }],
    ['$push with $each appends all', push({ $each: [1, 2] }), { a: [1] }, { a: [1, 1, 2] }],
    ['$push with an empty $each changes nothing', push({ $each: [] }), { a: [1] }, undefined],
    [
      '$push with $position inserts before it',
      push({ $each: [8, 9], $position: 1 }),
      { a: [1, 2] },
      { a: [1, 8, 9, 2] },
    ],
    ['$push with $position 0', push({ $each: [9], $position: 0 }), { a: [1] }, { a: [9, 1] }],
    ['$push with $position behind the end', push({ $each: [9], $position: 7 }), { a: [1] }, { a: [1, 9] }],
    [
      '$push with a negative $position counts from the end',
      push({ $each: [8, 9], $position: -2 }),
      { a: [1, 2, 3] },
      { a: [1, 8, 9, 2, 3] },
    ],
    [
      '$push with a negative $position before the start',
      push({ $each: [9], $position: -7 }),
      { a: [1] },
      { a: [9, 1] },
    ],
    ['$push with $slice keeps the first', push({ $each: [3, 4], $slice: 3 }), { a: [1, 2] }, { a: [1, 2, 3] }],
    [
      '$push with a negative $slice keeps the last',
      push({ $each: [3, 4], $slice: -3 }),
      { a: [1, 2] },
      { a: [2, 3, 4] },
    ],
    ['$push with $slice 0 empties', push({ $each: [3], $slice: 0 }), { a: [1, 2] }, { a: [] }],
    ['$push with $slice beyond the length', push({ $each: [], $slice: -9 }), { a: [1] }, undefined],
    ['$push with an empty $each and $slice shortens', push({ $each: [], $slice: -1 }), { a: [1, 2] }, { a: [2] }],
    [
      '$push with $sort 1 sorts the items',
      push({ $each: [2], $sort: 1 }),
      { a: [3, 1, 'x', null] },
      { a: [null, 1, 2, 3, 'x'] },
    ],
    ['$push with $sort -1 sorts downwards', push({ $each: [2], $sort: -1 }), { a: [3, 1] }, { a: [3, 2, 1] }],
    [
      '$push with $sort by a field',
      push({ $each: [{ n: 1 }], $sort: { n: 1 } }),
      { a: [{ n: 2 }] },
      { a: [{ n: 1 }, { n: 2 }] },
    ],
    [
      '$push with $sort by several fields, dotted',
      push({ $each: [], $sort: { 'n.m': 1, k: -1 } }),
      { a: [{ n: { m: 2 } }, { n: { m: 1 }, k: 1 }, { n: { m: 1 }, k: 2 }] },
      { a: [{ n: { m: 1 }, k: 2 }, { n: { m: 1 }, k: 1 }, { n: { m: 2 } }] },
    ],
    [
      '$push with $sort by a field takes what has none as null, in its order',
      push({ $each: [], $sort: { n: 1 } }),
      { a: [{ n: 1 }, 5, { m: 1 }, { n: null }] },
      { a: [5, { m: 1 }, { n: null }, { n: 1 }] },
    ],
    ['$push with $sort of what is sorted changes nothing', push({ $each: [], $sort: 1 }), { a: [1, 2] }, undefined],
    [
      '$push inserts, sorts and slices, however the clauses are written',
      push({ $slice: 2, $sort: -1, $position: 0, $each: [5, 1] }),
      { a: [3, 9] },
      { a: [9, 5] },
    ],
    [
      '$push with $position and $slice without $sort',
      push({ $each: [7, 8], $position: 0, $slice: 3 }),
      { a: [1, 2] },
      { a: [7, 8, 1] },
    ],
    [
      '$push with all clauses on a missing array',
      push({ $each: [2, 3, 1], $sort: 1, $slice: -2, $position: 5 }),
      {},
      { a: [2, 3] },
    ],
    [
      '$push takes whole doubles as numbers',
      push({ $each: [2], $slice: new Double(-1), $position: new Double(0) }),
      { a: [1] },
      { a: [1] },
    ],
  ]);
  itRefuses([
    ['$push to a number', 2, { $push: { a: 1 } }, { a: 1 }],
    ['$push to null', 2, { $push: { a: 1 } }, { a: null }],
    ['$push through a scalar', 28, { $push: { 'a.b': 1 } }, { a: 1 }],
    ['$push with $each of a number', 2, push({ $each: 1 }), {}],
    ['$push with an unknown clause', 2, push({ $each: [1], $first: 1 }), {}],
    ['$push with a plain field beside $each', 2, push({ $each: [1], x: 1 }), {}],
    ['$push with $slice of a fraction', 2, push({ $each: [1], $slice: 1.5 }), {}],
    ['$push with $slice of a string', 2, push({ $each: [1], $slice: '1' }), {}],
    ['$push with $position of a string', 2, push({ $each: [1], $position: '1' }), {}],
    ['$push with $sort 2', 2, push({ $each: [1], $sort: 2 }), {}],
    ['$push with $sort of a string', 2, push({ $each: [1], $sort: 'a' }), {}],
    ['$push with an empty $sort', 2, push({ $each: [1], $sort: {} }), {}],
    ['$push with $sort by an empty name', 2, push({ $each: [1], $sort: { 'a.': 1 } }), {}],
    ['$push with $sort by 2', 2, push({ $each: [1], $sort: { a: 2 } }), {}],
  ]);
});
