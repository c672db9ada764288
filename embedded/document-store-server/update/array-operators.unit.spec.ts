import { Double, Long } from 'bson';
import { itRefuses, itUpdates } from './update-cases.js';

const long = (value: number) => Long.fromNumber(value);

describe('$addToSet', () => {
  itUpdates([
    ['$addToSet appends what is new', { $addToSet: { a: 3 } }, { a: [1] }, { a: [1, 3] }],
    ['$addToSet of what is there changes nothing', { $addToSet: { a: 1 } }, { a: [2, 1] }, undefined],
    ['$addToSet finds equal numbers of other types', { $addToSet: { a: long(1) } }, { a: [new Double(1)] }, undefined],
    [
      '$addToSet tells documents with another order of fields apart',
      { $addToSet: { a: { y: 1, x: 1 } } },
      { a: [{ x: 1, y: 1 }] },
      {
        a: [
          { x: 1, y: 1 },
          { y: 1, x: 1 },
        ],
      },
    ],
    ['$addToSet finds an equal document', { $addToSet: { a: { x: new Double(1) } } }, { a: [{ x: 1 }] }, undefined],
    ['$addToSet of an array adds it as one item', { $addToSet: { a: [1, 2] } }, { a: [1] }, { a: [1, [1, 2]] }],
    [
      '$addToSet with $each adds each once',
      { $addToSet: { a: { $each: [1, 2, 2, long(1)] } } },
      { a: [1] },
      { a: [1, 2] },
    ],
    [
      '$addToSet makes the array',
      { $addToSet: { a: 1, 'b.c': { $each: [1, 1] }, d: { $each: [] } } },
      {},
      { a: [1], b: { c: [1] }, d: [] },
    ],
    ['$addToSet leaves repeats that are there', { $addToSet: { a: 2 } }, { a: [1, 1] }, { a: [1, 1, 2] }],
    [
      '$addToSet with $each behind another field adds the document',
      { $addToSet: { a: { x: 1, $each: [1] } } },
      { a: [] },
      { a: [{ x: 1, $each: [1] }] },
    ],
  ]);
  itRefuses([
    ['$addToSet to a string', 2, { $addToSet: { a: 1 } }, { a: 'x' }],
    ['$addToSet to null', 2, { $addToSet: { a: 1 } }, { a: null }],
    ['$addToSet with $each of a number', 14, { $addToSet: { a: { $each: 1 } } }, {}],
    ['$addToSet with $each and another clause', 2, { $addToSet: { a: { $each: [1], $slice: 1 } } }, {}],
    ['$addToSet through a scalar', 28, { $addToSet: { 'a.b': 1 } }, { a: 1 }],
  ]);
});

describe('$pull', () => {
  itUpdates([
    ['$pull removes every equal item', { $pull: { a: 1 } }, { a: [1, 2, new Double(1), long(1)] }, { a: [2] }],
    ['$pull of null removes null alone', { $pull: { a: null } }, { a: [null, 0, {}] }, { a: [0, {}] }],
    [
      '$pull of an array removes that very array',
      { $pull: { a: [1, 2] } },
      { a: [[1, 2], [2, 1], 1, 2] },
      { a: [[2, 1], 1, 2] },
    ],
    ['$pull by a condition', { $pull: { a: { $gte: 5 } } }, { a: [4, 5, 'x', 6] }, { a: [4, 'x'] }],
    ['$pull by $in', { $pull: { a: { $in: [1, 'x'] } } }, { a: [1, 2, 'x'] }, { a: [2] }],
    ['$pull by $ne', { $pull: { a: { $ne: 1 } } }, { a: [1, 2, 'x'] }, { a: [1] }],
    ['$pull by a pattern', { $pull: { a: /^x/ } }, { a: ['xa', 'ax', 1] }, { a: ['ax', 1] }],
    [
      '$pull by a condition looks into arrays within',
      { $pull: { a: { $gt: 5 } } },
      { a: [[1, 9], [1, 2], 3] },
      { a: [[1, 2], 3] },
    ],
    [
      '$pull by fields removes documents that match them, others may be there',
      { $pull: { a: { x: 1 } } },
      { a: [{ x: 1, y: 1 }, { x: 2 }, 1] },
      { a: [{ x: 2 }, 1] },
    ],
    [
      '$pull by several fields in any order',
      { $pull: { a: { y: 1, x: 1 } } },
      { a: [{ x: 1, y: 1 }, { x: 1 }] },
      { a: [{ x: 1 }] },
    ],
    [
      '$pull by a condition on an embedded field',
      { $pull: { a: { x: { $gt: 1 } } } },
      { a: [{ x: 1 }, { x: 2 }] },
      { a: [{ x: 1 }] },
    ],
    [
      '$pull by an exact embedded document',
      { $pull: { a: { x: { y: 1 } } } },
      { a: [{ x: { y: 1 } }, { x: { y: 1, z: 1 } }] },
      { a: [{ x: { y: 1, z: 1 } }] },
    ],
    [
      '$pull by $elemMatch on a field',
      { $pull: { a: { b: { $elemMatch: { q: 2, n: { $gte: 8 } } } } } },
      {
        a: [
          { b: [{ q: 2, n: 9 }] },
          {
            b: [
              { q: 2, n: 1 },
              { q: 1, n: 9 },
            ],
          },
        ],
      },
      {
        a: [
          {
            b: [
              { q: 2, n: 1 },
              { q: 1, n: 9 },
            ],
          },
        ],
      },
    ],
    [
      '$pull by $or',
      { $pull: { a: { $or: [{ x: 1 }, { y: 1 }] } } },
      { a: [{ x: 1 }, { y: 1 }, { z: 1 }] },
      { a: [{ z: 1 }] },
    ],
    ['$pull by an empty document removes all documents', { $pull: { a: {} } }, { a: [{ x: 1 }, 1] }, { a: [1] }],
    [
      '$pull of what is not there changes nothing',
      { $pull: { a: 9, 'b.c': 1, 'd.e': 1 } },
      { a: [1], d: {} },
      undefined,
    ],
  ]);
  itRefuses([
    ['$pull from a number', 2, { $pull: { a: 1 } }, { a: 1 }],
    ['$pull from null', 2, { $pull: { a: 1 } }, { a: null }],
    ['$pull through a scalar', 28, { $pull: { 'a.b': 1 } }, { a: 1 }],
    ['$pull by a name into an array', 28, { $pull: { 'a.b': 1 } }, { a: [] }],
    ['$pull by an unknown operator', 2, { $pull: { a: { $strange: 1 } } }, { a: [] }],
    ['$pull by $expr', 2, { $pull: { a: { $expr: true } } }, { a: [] }],
  ]);
});

describe('$pullAll', () => {
  itUpdates([
    [
      '$pullAll removes all equal items',
      { $pullAll: { a: [1, 'x', { y: 1 }] } },
      { a: [1, 2, long(1), 'x', { y: 1 }, { y: 1, z: 1 }] },
      { a: [2, { y: 1, z: 1 }] },
    ],
    [
      '$pullAll takes documents and arrays exactly',
      { $pullAll: { a: [{ x: 1, y: 1 }, [1]] } },
      { a: [{ y: 1, x: 1 }, [1], 1] },
      { a: [{ y: 1, x: 1 }, 1] },
    ],
    ['$pullAll of what is not there changes nothing', { $pullAll: { a: [9], b: [1] } }, { a: [1] }, undefined],
  ]);
  itRefuses([
    ['$pullAll of a number', 2, { $pullAll: { a: 1 } }, { a: [] }],
    ['$pullAll from a number', 2, { $pullAll: { a: [1] } }, { a: 1 }],
    ['$pullAll through a scalar', 28, { $pullAll: { 'a.b': [1] } }, { a: 1 }],
  ]);
});

describe('$pop', () => {
  itUpdates([
    ['$pop with 1 removes the last', { $pop: { a: 1 } }, { a: [1, 2, 3] }, { a: [1, 2] }],
    ['$pop with -1 removes the first', { $pop: { 'a.b': -1 } }, { a: { b: [1, 2, 3] } }, { a: { b: [2, 3] } }],
    ['$pop takes 1 of any numeric type', { $pop: { a: new Double(1) } }, { a: [1] }, { a: [] }],
    [
      '$pop of an empty or missing array changes nothing',
      { $pop: { a: 1, b: 1, 'c.d': 1 } },
      { a: [], c: {} },
      undefined,
    ],
  ]);
  itRefuses([
    ['$pop from a number', 14, { $pop: { a: 1 } }, { a: 1 }],
    ['$pop with 2', 9, { $pop: { a: 2 } }, { a: [1] }],
    ['$pop with a string', 9, { $pop: { a: '1' } }, { a: [1] }],
    ['$pop with a fraction', 9, { $pop: { a: 1.5 } }, { a: [1] }],
    ['$pop through a scalar', 28, { $pop: { 'a.b': 1 } }, { a: 1 }],
  ]);
});
