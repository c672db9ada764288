import { Decimal128, Double, Long, ObjectId } from 'mongodb';
import { describeTargets } from './document-store-targets.js';
import { date, describeFamilies, type Families, id } from './expression-cases.js';
import { missing, refused } from './pipeline-cases.js';

const decimal = (text: string) => new Decimal128(text);
const long = (text: string | number) => Long.fromString(String(text));
const double = (n: number) => new Double(n);

const families: Families = {
  arithmetic: {
    $add: [
      [{ $add: ['$i', 1] }, 8],
      [{ $add: ['$i', '$d', 1] }, 10.5],
      [{ $add: ['$i', '$l'] }, long('9007199254741000')],
      [{ $add: ['$dec', 1] }, decimal('2.10')],
      [{ $add: ['$i', '$n'] }, null],
      [{ $add: ['$i', '$none'] }, null],
      [{ $add: ['$date', 1000] }, new Date(date.getTime() + 1000)],
      [{ $add: ['$i', '$t'] }, refused],
    ],
    $subtract: [
      [{ $subtract: ['$i', 10] }, -3],
      [{ $subtract: ['$d', 0.5] }, double(2)],
      [{ $subtract: ['$date', '$date'] }, long(0)],
      [{ $subtract: ['$date', 1000] }, new Date(date.getTime() - 1000)],
      [{ $subtract: ['$i', '$none'] }, null],
      [{ $subtract: ['$i', '$t'] }, refused],
    ],
    $multiply: [
      [{ $multiply: ['$i', 2, 3] }, 42],
      [{ $multiply: ['$i', '$d'] }, 17.5],
      [{ $multiply: ['$dec', 2] }, decimal('2.20')],
      [{ $multiply: ['$i', null] }, null],
      [{ $multiply: ['$i', '$t'] }, refused],
    ],
    $divide: [
      [{ $divide: ['$i', 2] }, 3.5],
      [{ $divide: [6, 3] }, double(2)],
      [{ $divide: ['$n', 3] }, null],
      [{ $divide: ['$i', 0] }, refused],
    ],
    $mod: [
      [{ $mod: ['$i', 4] }, 3],
      [{ $mod: ['$neg', 4] }, -3],
      [{ $mod: ['$d', 2] }, 0.5],
      [{ $mod: ['$none', 2] }, null],
    ],
    $abs: [
      [{ $abs: '$neg' }, 7],
      [{ $abs: -2.5 }, 2.5],
      [{ $abs: '$none' }, null],
      [{ $abs: '$t' }, refused],
    ],
    $ceil: [
      [{ $ceil: '$d' }, double(3)],
      [{ $ceil: -2.5 }, double(-2)],
      [{ $ceil: '$i' }, 7],
    ],
    $floor: [
      [{ $floor: '$d' }, double(2)],
      [{ $floor: -2.5 }, double(-3)],
      [{ $floor: '$n' }, null],
    ],
    $round: [
      [{ $round: [10.5, 0] }, double(10)],
      [{ $round: [11.5, 0] }, double(12)],
      [{ $round: [19.25, 1] }, 19.2],
      [{ $round: [-45.39, 1] }, -45.4],
      [{ $round: ['$i', 1] }, 7],
      [{ $round: '$none' }, null],
    ],
    $trunc: [
      [{ $trunc: ['$d', 0] }, double(2)],
      [{ $trunc: [-45.39, 1] }, -45.3],
    ],
  },
  comparison: {
    $eq: [
      [{ $eq: ['$i', 7.0] }, true],
      [{ $eq: ['$i', long(7)] }, true],
      [{ $eq: ['$t', 'text'] }, false],
      [{ $eq: ['$none', null] }, false],
      [{ $eq: ['$n', null] }, true],
    ],
    $ne: [
      [{ $ne: ['$i', 7] }, false],
      [{ $ne: ['$i', '7'] }, true],
    ],
    $gt: [
      [{ $gt: ['$i', 6.5] }, true],
      [{ $gt: ['$t', 99] }, true],
      [{ $gt: ['$none', null] }, false],
      [{ $gt: ['$list', [3, 1]] }, true],
    ],
    $gte: [
      [{ $gte: ['$i', 7] }, true],
      [{ $gte: ['$date', new Date(0)] }, true],
    ],
    $lt: [
      [{ $lt: ['$i', 7] }, false],
      [{ $lt: ['$n', 0] }, true],
      [{ $lt: ['$none', null] }, true],
    ],
    $lte: [
      [{ $lte: ['$d', 2.5] }, true],
      [{ $lte: ['$l', 9007199254740992] }, false],
    ],
    $cmp: [
      [{ $cmp: ['$i', 8] }, -1],
      [{ $cmp: ['$i', decimal('7')] }, 0],
      [{ $cmp: ['$t', '$i'] }, 1],
    ],
  },
  boolean: {
    $and: [
      [{ $and: ['$b', { $gt: ['$i', 1] }] }, true],
      [{ $and: ['$b', '$n'] }, false],
      [{ $and: ['$b', 0] }, false],
      [{ $and: ['$t', '$empty'] }, true],
      [{ $and: [] }, true],
    ],
    $or: [
      [{ $or: ['$n', '$none', 0, false] }, false],
      [{ $or: ['$n', '$t'] }, true],
      [{ $or: [] }, false],
    ],
    $not: [
      [{ $not: ['$b'] }, false],
      [{ $not: ['$none'] }, true],
      [{ $not: [[false]] }, false],
    ],
  },
  conditional: {
    $cond: [
      [{ $cond: [{ $gt: ['$i', 5] }, 'more', 'less'] }, 'more'],
      [{ $cond: { if: '$none', then: 1, else: '$d' } }, 2.5],
      [{ $cond: [true, '$none', 1] }, missing],
      [{ $cond: { if: 1, then: 1 } }, refused],
    ],
    $ifNull: [
      [{ $ifNull: ['$none', 'x'] }, 'x'],
      [{ $ifNull: ['$n', '$none', '$i'] }, 7],
      [{ $ifNull: ['$i', 'x'] }, 7],
      [{ $ifNull: ['$n', '$none'] }, missing],
    ],
    $switch: [
      [
        {
          $switch: {
            branches: [
              { case: { $lt: ['$i', 5] }, then: 'low' },
              { case: '$b', then: 'mid' },
            ],
            default: 'x',
          },
        },
        'mid',
      ],
      [{ $switch: { branches: [{ case: false, then: 1 }], default: '$t' } }, 'Text'],
      [{ $switch: { branches: [{ case: { $gt: ['$i', 99] }, then: 1 }] } }, refused],
    ],
  },
  type: {
    $type: [
      [{ $type: '$i' }, 'int'],
      [{ $type: '$l' }, 'long'],
      [{ $type: '$d' }, 'double'],
      [{ $type: '$dec' }, 'decimal'],
      [{ $type: '$t' }, 'string'],
      [{ $type: '$list' }, 'array'],
      [{ $type: '$o' }, 'object'],
      [{ $type: '$n' }, 'null'],
      [{ $type: '$none' }, 'missing'],
      [{ $type: '$date' }, 'date'],
      [{ $type: '$id' }, 'objectId'],
      [{ $type: '$b' }, 'bool'],
    ],
    $isNumber: [
      [{ $isNumber: '$dec' }, true],
      [{ $isNumber: '$t' }, false],
    ],
    $toString: [
      [{ $toString: '$i' }, '7'],
      [{ $toString: '$d' }, '2.5'],
      [{ $toString: '$l' }, '9007199254740993'],
      [{ $toString: '$dec' }, '1.10'],
      [{ $toString: '$b' }, 'true'],
      [{ $toString: '$id' }, '0123456789abcdef01234567'],
      [{ $toString: '$date' }, '2024-02-29T13:14:15.678Z'],
      [{ $toString: '$none' }, null],
    ],
    $toInt: [
      [{ $toInt: '$d' }, 2],
      [{ $toInt: '-5' }, -5],
      [{ $toInt: true }, 1],
      [{ $toInt: '$n' }, null],
      [{ $toInt: '2.5' }, refused],
      [{ $toInt: '$l' }, refused],
    ],
    $toLong: [
      [{ $toLong: '$i' }, long(7)],
      [{ $toLong: '9007199254740993' }, long('9007199254740993')],
      [{ $toLong: '$date' }, long(date.getTime())],
    ],
    $toDouble: [
      [{ $toDouble: '$i' }, double(7)],
      [{ $toDouble: '-2.5' }, -2.5],
      [{ $toDouble: 'x' }, refused],
    ],
    $toDecimal: [
      [{ $toDecimal: '29.90' }, decimal('29.90')],
      [{ $toDecimal: '$i' }, decimal('7')],
    ],
    $toBool: [
      [{ $toBool: 0 }, false],
      [{ $toBool: 'false' }, true],
      [{ $toBool: '$none' }, null],
    ],
    $toDate: [
      [{ $toDate: '2024-02-29T13:14:15.678Z' }, date],
      [{ $toDate: long(0) }, new Date(0)],
      [{ $toDate: '$id' }, new ObjectId('0123456789abcdef01234567').getTimestamp()],
    ],
    $toObjectId: [
      [{ $toObjectId: '0123456789abcdef01234567' }, id],
      [{ $toObjectId: 'x' }, refused],
    ],
    $convert: [
      [{ $convert: { input: '12', to: 'int' } }, 12],
      [{ $convert: { input: 'x', to: 'int', onError: 'bad' } }, 'bad'],
      [{ $convert: { input: '$none', to: 'int', onNull: 0 } }, 0],
      [{ $convert: { input: 1, to: 'bool' } }, true],
    ],
  },
};

describeTargets('expressions of values', (target) => describeFamilies(target, families));
