import { Decimal128, Double, Long, MinKey } from 'bson';
import { type Case, describeExpressions, type Refusal } from './expression-fixture.js';

const cases: Case[] = [
  ['$cmp tells the order of types and values', { $cmp: ['x', 5] }, 1],
  ['$cmp of equal numbers of different types is 0', { $cmp: [new Double(2), Long.fromNumber(2)] }, 0],
  [
    '$eq compares documents field by field, in order',
    {
      $eq: [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
    },
    false,
  ],
  ['$eq tells missing from null', { $eq: ['$missing', null] }, false],
  ['$eq does not look into arrays', { $eq: ['$a', 1] }, false, { a: [1] }],
  ['$eq compares decimals exactly', { $eq: [Decimal128.fromString('0.1'), 0.1] }, false],
  ['$ne is the opposite', { $ne: ['$a', 'x'] }, true, { a: 'y' }],
  ['$gt holds across types', { $gt: [{}, 'x'] }, true],
  ['$gt holds for null over missing', { $gt: [null, '$missing'] }, true],
  ['$gte holds for equals', { $gte: [new Date(5), new Date(5)] }, true],
  ['$lt holds for missing below every value but MinKey', { $lt: ['$missing', null] }, true],
  ['$lt holds for MinKey below missing', { $lt: [new MinKey(), '$missing'] }, true],
  ['$lte compares int64 exactly', { $lte: [Long.fromString('9007199254740993'), 9007199254740992] }, false],
  ['$and of nothing is true', { $and: [] }, true],
  ['$and takes 0, null and missing for false', { $and: [1, '$missing'] }, false],
  ['$and looks no further than the first false', { $and: ['$no', { $divide: [1, '$zero'] }] }, false, { zero: 0 }],
  ['$or takes strings and empty arrays for true', { $or: [false, { $literal: [] }] }, true],
  ['$or of nothing is false', { $or: [] }, false],
  ['$not turns round', { $not: ['$a'] }, true, { a: 0 }],
  ['$cond chooses from an array', { $cond: [{ $gte: ['$n', 250] }, 30, 20] }, 30, { n: 300 }],
  ['$cond chooses from an object', { $cond: { if: '$a', then: 'yes', else: 'no' } }, 'no'],
  ['$cond evaluates what it chooses alone', { $cond: ['$zero', { $divide: [1, '$zero'] }, null] }, null, { zero: 0 }],
  ['$cond may give nothing', { $cond: [true, '$$REMOVE', 1] }, undefined],
  ['$ifNull gives the first value there is', { $ifNull: ['$a', '$b', 'none'] }, 2, { a: null, b: 2 }],
  ['$ifNull gives its last argument else', { $ifNull: ['$a', '$b'] }, undefined],
  [
    '$switch takes the first case that holds',
    {
      $switch: {
        branches: [
          { case: { $lt: ['$n', 5] }, then: 'few' },
          { case: { $lt: ['$n', 50] }, then: 'some' },
        ],
        default: 'many',
      },
    },
    'some',
    { n: 7 },
  ],
  ['$switch has a default', { $switch: { branches: [{ case: '$a', then: 1 }], default: 2 } }, 2],
];

const refusals: Refusal[] = [
  [{ $eq: [1] }, 16020],
  [{ $not: [1, 2] }, 16020],
  [{ $cond: [1, 2] }, 16020],
  [{ $cond: { then: 1, else: 2 } }, 17080],
  [{ $cond: { if: 1, else: 2 } }, 17081],
  [{ $cond: { if: 1, then: 2 } }, 17082],
  [{ $cond: { if: 1, then: 2, otherwise: 3 } }, 17083],
  [{ $ifNull: ['$a'] }, 1257300],
  [{ $switch: 1 }, 40060],
  [{ $switch: { branches: 1 } }, 40061],
  [{ $switch: { branches: [1] } }, 40062],
  [{ $switch: { branches: [{ case: 1, then: 1, x: 1 }] } }, 40063],
  [{ $switch: { branches: [{ then: 1 }] } }, 40064],
  [{ $switch: { branches: [{ case: 1 }] } }, 40065],
  [{ $switch: { branches: [{ case: '$a', then: 1 }] } }, 40066],
  [{ $switch: { branches: [], x: 1 } }, 40067],
  [{ $switch: { branches: [] } }, 40068],
];

describeExpressions('comparisons and conditions in expressions', cases, refusals);
