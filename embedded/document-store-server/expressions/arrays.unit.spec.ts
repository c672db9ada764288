import { Double, Long } from 'bson';
import { expect } from 'chai';
import { type Case, describeExpressions, type Refusal, refusal } from './expression-fixture.js';

const people = {
  people: [
    { n: 'b', age: 30 },
    { n: 'a', age: 40 },
    { n: 'c', age: 30 },
  ],
};

const cases: Case[] = [
  ['$size counts', { $size: '$a' }, 3, { a: [1, [2, 3], 4] }],
  ['$arrayElemAt counts from the start', { $arrayElemAt: [[1, 2, 3], 0] }, 1],
  ['$arrayElemAt counts from the end', { $arrayElemAt: [[1, 2, 3], -2] }, 2],
  ['$arrayElemAt outside gives nothing', { $arrayElemAt: [[1, 2, 3], 15] }, undefined],
  ['$arrayElemAt of null is null', { $arrayElemAt: ['$a', 0] }, null],
  ['$first gives the first item', { $first: '$a' }, 'x', { a: ['x', 'y'] }],
  ['$first of an empty array gives nothing', { $first: '$a' }, undefined, { a: [] }],
  ['$last gives the last item', { $last: '$a' }, 'y', { a: ['x', 'y'] }],
  ['$slice takes from the start', { $slice: [[1, 2, 3], 2] }, [1, 2]],
  ['$slice takes from the end', { $slice: [[1, 2, 3], -2] }, [2, 3]],
  ['$slice takes from a position', { $slice: [[1, 2, 3], 1, 1] }, [2]],
  ['$slice takes from a position before the start', { $slice: [[1, 2, 3], -5, 2] }, [1, 2]],
  ['$slice takes from a position behind the end', { $slice: [[1, 2, 3], 15, 2] }, []],
  ['$in finds equal values', { $in: [new Double(2), [1, 2, 3]] }, true],
  ['$in does not find an array by its item', { $in: ['abc', [['abc']]] }, false],
  ['$indexOfArray finds the first place', { $indexOfArray: [['a', 'b', 'a'], 'a', 1] }, 2],
  ['$indexOfArray finds nothing', { $indexOfArray: [['a', 'b', 'c'], 'c', 0, 2] }, -1],
  ['$concatArrays joins', { $concatArrays: [['a'], [], [['b']]] }, ['a', ['b']]],
  ['$concatArrays with null is null', { $concatArrays: [['a'], '$missing'] }, null],
  ['$isArray tells', { $isArray: ['$a'] }, true, { a: [] }],
  ['$isArray of a missing field is false', { $isArray: '$a' }, false],
  ['$range counts up', { $range: [0, 10, 3] }, [0, 3, 6, 9]],
  ['$range counts down', { $range: [5, 0, -2] }, [5, 3, 1]],
  ['$range with nothing between is empty', { $range: [0, -5] }, []],
  ['$reverseArray turns round', { $reverseArray: { $concatArrays: [[1, 2], [3]] } }, [3, 2, 1]],
  [
    '$sortArray sorts whole values across types',
    { $sortArray: { input: [20, 4, 'x', { a: 1 }, null], sortBy: 1 } },
    [null, 4, 20, 'x', { a: 1 }],
  ],
  ['$sortArray sorts downwards', { $sortArray: { input: [1, 3, 2], sortBy: -1 } }, [3, 2, 1]],
  [
    '$sortArray sorts by fields',
    { $map: { input: { $sortArray: { input: '$people', sortBy: { age: -1, n: 1 } } }, in: '$$this.n' } },
    ['a', 'b', 'c'],
    people,
  ],
  ['$map makes an item of every item', { $map: { input: [1, 2], as: 'n', in: { $add: ['$$n', 1] } } }, [2, 3]],
  ['$map puts null for a missing result', { $map: { input: [1], in: '$missing' } }, [null]],
  ['$map of null is null', { $map: { input: null, in: 1 } }, null],
  [
    '$map nests',
    { $map: { input: [1, 2], as: 'x', in: { $map: { input: [10], as: 'y', in: { $add: ['$$x', '$$y'] } } } } },
    [[11], [12]],
  ],
  ['$filter keeps what holds', { $filter: { input: '$people.age', cond: { $gt: ['$$this', 30] } } }, [40], people],
  ['$filter stops at its limit', { $filter: { input: [1, 2, 3], as: 'n', cond: { $gt: ['$$n', 1] }, limit: 1 } }, [2]],
  ['$reduce folds', { $reduce: { input: ['a', 'b'], initialValue: '', in: { $concat: ['$$value', '$$this'] } } }, 'ab'],
  ['$reduce of an empty array is the initial value', { $reduce: { input: [], initialValue: 5, in: 0 } }, 5],
  [
    '$setUnion holds every value once',
    {
      $setUnion: [
        [3, 1],
        [new Double(1), 2],
      ],
    },
    [1, 2, 3],
  ],
  ['$setUnion with null is null', { $setUnion: [[1], null] }, null],
  [
    '$setIntersection holds what all have',
    {
      $setIntersection: [
        ['a', 'b', 'a'],
        ['b', 'a', 'c'],
      ],
    },
    ['a', 'b'],
  ],
  ['$setIntersection of nested arrays looks at them whole', { $setIntersection: [['a'], [['a']]] }, []],
  ['$setDifference keeps what the second has not', { $setDifference: [[4, 1, 4, 2], [2]] }, [4, 1]],
  [
    '$setIsSubset holds whatever the repetitions',
    {
      $setIsSubset: [
        ['a', 'a'],
        ['b', 'a'],
      ],
    },
    true,
  ],
  [
    '$setIsSubset holds not for more',
    {
      $setIsSubset: [
        ['a', 'c'],
        ['b', 'a'],
      ],
    },
    false,
  ],
];

const refusals: Refusal[] = [
  [{ $size: '$missing' }, 17124],
  [{ $arrayElemAt: ['x', 0] }, 28689],
  [{ $arrayElemAt: [[1], 'x'] }, 28690],
  [{ $arrayElemAt: [[1], 1.5] }, 28691],
  [{ $first: 'x' }, 28689],
  [{ $slice: ['x', 1] }, 28724],
  [{ $slice: [[1], 'x'] }, 28725],
  [{ $slice: [[1], 1.5] }, 28726],
  [{ $slice: [[1], 1, 'x'] }, 28727],
  [{ $slice: [[1], 1, 1.5] }, 28728],
  [{ $slice: [[1], 1, 0] }, 28729],
  [{ $slice: [[1]] }, 28667],
  [{ $in: [1, 'x'] }, 40081],
  [{ $indexOfArray: ['x', 1] }, 40090],
  [{ $concatArrays: [[1], 2] }, 28664],
  [{ $range: ['x', 1] }, 34443],
  [{ $range: [0.5, 1] }, 34444],
  [{ $range: [0, 'x'] }, 34445],
  [{ $range: [0, Long.fromString('3000000000')] }, 34446],
  [{ $range: [0, 1, 'x'] }, 34447],
  [{ $range: [0, 1, 0.5] }, 34448],
  [{ $range: [0, 1, 0] }, 34449],
  [{ $range: [0, 2000000000] }, 146],
  [{ $reverseArray: 'x' }, 34435],
  [{ $sortArray: 1 }, 2942500],
  [{ $sortArray: { input: [], sortBy: 1, x: 1 } }, 2942501],
  [{ $sortArray: { sortBy: 1 } }, 2942502],
  [{ $sortArray: { input: [] } }, 2942503],
  [{ $sortArray: { input: 'x', sortBy: 1 } }, 2942504],
  [{ $sortArray: { input: [], sortBy: 2 } }, 2],
  [{ $map: [] }, 16878],
  [{ $map: { input: [], in: 1, x: 1 } }, 16879],
  [{ $map: { in: 1 } }, 16880],
  [{ $map: { input: [] } }, 16882],
  [{ $map: { input: 'x', in: 1 } }, 16883],
  [{ $map: { input: [], as: 'Big', in: 1 } }, 9],
  [{ $filter: [] }, 28646],
  [{ $filter: { input: [], cond: 1, x: 1 } }, 28647],
  [{ $filter: { cond: 1 } }, 28648],
  [{ $filter: { input: [] } }, 28650],
  [{ $filter: { input: 'x', cond: 1 } }, 28651],
  [{ $filter: { input: [], cond: 1, limit: 'x' } }, 327391],
  [{ $filter: { input: [], cond: 1, limit: 0 } }, 327392],
  [{ $reduce: [] }, 40075],
  [{ $reduce: { input: [], initialValue: 1, in: 1, x: 1 } }, 40076],
  [{ $reduce: { initialValue: 1, in: 1 } }, 40077],
  [{ $reduce: { input: [], in: 1 } }, 40078],
  [{ $reduce: { input: [], initialValue: 1 } }, 40079],
  [{ $reduce: { input: 'x', initialValue: 1, in: 1 } }, 40080],
  [{ $setUnion: [[1], 'x'] }, 17043],
  [{ $setIntersection: [[1], 'x'] }, 17047],
  [{ $setDifference: ['x', [1]] }, 17048],
  [{ $setDifference: [[1], 'x'] }, 17049],
  [{ $setIsSubset: ['x', [1]] }, 17046],
  [{ $setIsSubset: [[1], 'x'] }, 17042],
];

const grown = (initialValue: unknown, inner: unknown) => ({
  $reduce: { input: { $range: [0, 40] }, initialValue, in: inner },
});

describeExpressions('arrays and sets in expressions', cases, refusals);

describe('an expression that grows', () => {
  it('is refused for values that would grow without bounds', () => {
    expect(refusal(grown(['x'.repeat(100_000)], { $concatArrays: ['$$value', '$$value'] }))).to.equal(10334);
    expect(refusal(grown('x'.repeat(1000), { $concat: ['$$value', '$$value'] }))).to.equal(10334);
    expect(refusal(grown({ a: 'x'.repeat(100_000) }, { a: '$$value', b: '$$value' }))).to.equal(10334);
  });
});
