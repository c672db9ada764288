import { Double } from 'mongodb';
import { describeTargets } from './document-store-targets.js';
import { describeFamilies, document, type Families } from './expression-cases.js';
import { missing, refused } from './pipeline-cases.js';

const double = (n: number) => new Double(n);
/** Sets come in no order. */
const sorted = (input: unknown) => ({ $sortArray: { input, sortBy: 1 } });

const families: Families = {
  array: {
    $size: [
      [{ $size: '$list' }, 3],
      [{ $size: '$empty' }, 0],
      [{ $size: '$i' }, refused],
      [{ $size: '$none' }, refused],
    ],
    $arrayElemAt: [
      [{ $arrayElemAt: ['$list', 0] }, 3],
      [{ $arrayElemAt: ['$list', -1] }, 2],
      [{ $arrayElemAt: ['$list', 9] }, missing],
      [{ $arrayElemAt: ['$n', 0] }, null],
    ],
    $first: [
      [{ $first: '$list' }, 3],
      [{ $first: '$empty' }, missing],
      [{ $first: '$none' }, null],
    ],
    $last: [
      [{ $last: '$list' }, 2],
      [{ $last: '$empty' }, missing],
    ],
    $concatArrays: [
      [{ $concatArrays: ['$list', [9], '$empty'] }, [3, 1, 2, 9]],
      [{ $concatArrays: ['$list', '$none'] }, null],
      [{ $concatArrays: ['$list', '$i'] }, refused],
    ],
    $slice: [
      [{ $slice: ['$list', 2] }, [3, 1]],
      [{ $slice: ['$list', -2] }, [1, 2]],
      [{ $slice: ['$list', 1, 5] }, [1, 2]],
      [{ $slice: ['$n', 1] }, null],
    ],
    $filter: [
      [{ $filter: { input: '$list', as: 'x', cond: { $gte: ['$$x', 2] } } }, [3, 2]],
      [{ $filter: { input: '$list', cond: { $lt: ['$$this', 0] } } }, []],
      [{ $filter: { input: '$list', cond: true, limit: 2 } }, [3, 1]],
      [{ $filter: { input: '$none', cond: true } }, null],
    ],
    $map: [
      [{ $map: { input: '$list', as: 'x', in: { $add: ['$$x', '$i'] } } }, [10, 8, 9]],
      [{ $map: { input: '$objects', in: '$$this.v' } }, [1, 2, null]],
      [{ $map: { input: '$none', in: 1 } }, null],
      [{ $map: { input: '$i', in: 1 } }, refused],
    ],
    $reduce: [
      [{ $reduce: { input: '$list', initialValue: 10, in: { $add: ['$$value', '$$this'] } } }, 16],
      [{ $reduce: { input: '$objects', initialValue: '', in: { $concat: ['$$value', '$$this.k'] } } }, 'abc'],
      [{ $reduce: { input: '$none', initialValue: 1, in: 1 } }, null],
    ],
    $in: [
      [{ $in: [1, '$list'] }, true],
      [{ $in: ['$t', ['Text', 'x']] }, true],
      [{ $in: [9, '$list'] }, false],
      [{ $in: [1, '$none'] }, refused],
    ],
    $isArray: [
      [{ $isArray: '$list' }, true],
      [{ $isArray: ['$i'] }, false],
    ],
    $indexOfArray: [
      [{ $indexOfArray: ['$list', 2] }, 2],
      [{ $indexOfArray: ['$list', 9] }, -1],
      [{ $indexOfArray: ['$none', 1] }, null],
    ],
    $range: [
      [{ $range: [0, 5, 2] }, [0, 2, 4]],
      [{ $range: [3, 0] }, []],
    ],
    $reverseArray: [
      [{ $reverseArray: '$list' }, [2, 1, 3]],
      [{ $reverseArray: '$n' }, null],
    ],
    $arrayToObject: [
      [
        {
          $arrayToObject: [
            [
              ['a', 1],
              ['b', '$i'],
            ],
          ],
        },
        { a: 1, b: 7 },
      ],
      [{ $arrayToObject: { $slice: ['$objects', 2] } }, { a: 1, b: 2 }],
    ],
    $objectToArray: [
      [
        { $objectToArray: '$o' },
        [
          { k: 'p', v: 1 },
          { k: 'q', v: { r: 2 } },
        ],
      ],
      [{ $objectToArray: '$none' }, null],
    ],
    $sortArray: [
      [{ $sortArray: { input: '$list', sortBy: 1 } }, [1, 2, 3]],
      [{ $sortArray: { input: '$objects', sortBy: { k: -1 } } }, [...document.objects].reverse()],
    ],
  },
  object: {
    $mergeObjects: [
      [{ $mergeObjects: ['$o', { p: 9, s: 1 }] }, { p: 9, q: { r: 2 }, s: 1 }],
      [{ $mergeObjects: ['$n', '$none', { a: 1 }] }, { a: 1 }],
      [{ $mergeObjects: ['$i'] }, refused],
    ],
    $getField: [
      [{ $getField: { field: 'p', input: '$o' } }, 1],
      [{ $getField: 'i' }, 7],
    ],
    $setField: [
      [{ $setField: { field: { $literal: '$a.b' }, input: '$o', value: '$i' } }, { p: 1, q: { r: 2 }, '$a.b': 7 }],
      [{ $setField: { field: 'p', input: '$o', value: '$$REMOVE' } }, { q: { r: 2 } }],
      [{ $setField: { field: 'p', input: '$none', value: 1 } }, null],
      [{ $setField: { field: 'p', input: '$i', value: 1 } }, refused],
    ],
    $unsetField: [[{ $unsetField: { field: 'p', input: '$o' } }, { q: { r: 2 } }]],
  },
  set: {
    $setUnion: [
      [sorted({ $setUnion: ['$list', [2, 9, 9]] }), [1, 2, 3, 9]],
      [{ $setUnion: ['$list', '$none'] }, null],
    ],
    $setIntersection: [
      [sorted({ $setIntersection: ['$list', [2, 3, 3, 9]] }), [2, 3]],
      [{ $setIntersection: ['$list', ['x']] }, []],
    ],
    $setDifference: [
      [sorted({ $setDifference: ['$list', [1, 9]] }), [2, 3]],
      [{ $setDifference: ['$i', [1]] }, refused],
    ],
    $setIsSubset: [
      [{ $setIsSubset: [[1, 3], '$list'] }, true],
      [{ $setIsSubset: ['$list', [1]] }, false],
    ],
  },
  'accumulators over arrays': {
    $sum: [
      [{ $sum: '$list' }, 6],
      [{ $sum: ['$i', '$d', '$t'] }, 9.5],
      [{ $sum: '$none' }, 0],
    ],
    $avg: [
      [{ $avg: '$list' }, double(2)],
      [{ $avg: '$empty' }, null],
    ],
    $min: [
      [{ $min: '$list' }, 1],
      [{ $min: ['$i', '$d', '$none'] }, 2.5],
    ],
    $max: [
      [{ $max: '$list' }, 3],
      [{ $max: '$empty' }, null],
    ],
    $stdDevPop: [
      [{ $stdDevPop: [[2, 4, 4, 4, 5, 5, 7, 9]] }, double(2)],
      [{ $stdDevPop: '$empty' }, null],
    ],
    $stdDevSamp: [
      [{ $stdDevSamp: [[1, 3, 5]] }, double(2)],
      [{ $stdDevSamp: [[1]] }, null],
    ],
  },
};

describeTargets('expressions of arrays and objects', (target) => describeFamilies(target, families));
