import { Binary, BSONRegExp, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'mongodb';
import { describeTargets } from './document-store-targets.js';
import { finds, refuses } from './filter-cases.js';

const decimal = (text: string) => new Decimal128(text);

const oneOfEach = {
  double: { a: new Double(2.5) },
  int: { a: new Int32(3) },
  long: { a: Long.fromNumber(4) },
  decimal: { a: decimal('5.50') },
  text: { a: 'b' },
  upper: { a: 'B' },
  empty: { a: '' },
  object: { a: { b: 1, c: 2 } },
  turned: { a: { c: 2, b: 1 } },
  list: { a: [1, 9] },
  nested: { a: [[1, 9]] },
  none: { a: [] },
  binary: { a: new Binary(Buffer.from([1, 2])) },
  id: { a: new ObjectId('0123456789abcdef01234567') },
  yes: { a: true },
  no: { a: false },
  date: { a: new Date(1000) },
  timestamp: { a: new Timestamp({ t: 1, i: 1 }) },
  pattern: { a: new BSONRegExp('^b', 'i') },
  null: { a: null },
  missing: {},
};

const numbers = {
  int: { a: new Int32(1) },
  long: { a: Long.fromNumber(1) },
  double: { a: new Double(1) },
  decimal: { a: decimal('1') },
  hundredths: { a: decimal('1.00') },
  minus: { a: new Double(-0) },
  zero: { a: new Int32(0) },
  tenth: { a: new Double(0.1) },
  exactTenth: { a: decimal('0.1') },
  nan: { a: new Double(Number.NaN) },
  exactNan: { a: decimal('NaN') },
  infinite: { a: new Double(Number.POSITIVE_INFINITY) },
  exactInfinite: { a: decimal('Infinity') },
  big: { a: Long.fromString('9007199254740993') },
  bigDouble: { a: new Double(2 ** 53) },
  largest: { a: Long.fromString('9223372036854775807') },
  beyond: { a: new Double(2 ** 63) },
  huge: { a: decimal('1E+400') },
  text: { a: '1' },
  items: { a: [new Int32(7), decimal('7.5')] },
};

describeTargets('filters by comparison', (target) => {
  describe('$eq', () => {
    describe('of every type', () =>
      finds(target, oneOfEach, [
        [{ a: 2.5 }, 'double'],
        [{ a: { $eq: 3 } }, 'int'],
        [{ a: 4 }, 'long'],
        [{ a: 5.5 }, 'decimal'],
        [{ a: 'b' }, 'text'],
        [{ a: { $eq: '' } }, 'empty'],
        [{ a: { b: 1, c: 2 } }, 'object'],
        [{ a: { b: Long.fromNumber(1), c: 2 } }, 'object'],
        [{ a: { c: 2, b: 1 } }, 'turned'],
        [{ a: { b: 1 } }, ''],
        [{ a: {} }, ''],
        [{ a: 9 }, 'list'],
        [{ a: [1, 9] }, 'list nested'],
        [{ a: { $eq: [1, 9] } }, 'list nested'],
        [{ a: [9, 1] }, ''],
        [{ a: [[1, 9]] }, 'nested'],
        [{ a: [] }, 'none'],
        [{ a: new Binary(Buffer.from([1, 2])) }, 'binary'],
        [{ a: new Binary(Buffer.from([1, 2]), 5) }, ''],
        [{ a: new ObjectId('0123456789abcdef01234567') }, 'id'],
        [{ a: '0123456789abcdef01234567' }, ''],
        [{ a: true }, 'yes'],
        [{ a: 1 }, 'list'],
        [{ a: false }, 'no'],
        [{ a: new Date(1000) }, 'date'],
        [{ a: 1000 }, ''],
        [{ a: new Timestamp({ t: 1, i: 1 }) }, 'timestamp'],
        [{ a: { $eq: new BSONRegExp('^b', 'i') } }, 'pattern'],
        [{ a: null }, 'missing null'],
        [{ a: { $eq: null } }, 'missing null'],
        [{}, Object.keys(oneOfEach).join(' ')],
        [{ a: 2.5, _id: 'double' }, 'double'],
        [{ a: 2.5, _id: 'int' }, ''],
      ]));

    describe('of numbers, whatever their type', () =>
      finds(target, numbers, [
        [{ a: 1 }, 'int long double decimal hundredths'],
        [{ a: Long.fromNumber(1) }, 'int long double decimal hundredths'],
        [{ a: decimal('1.0') }, 'int long double decimal hundredths'],
        [{ a: new Double(-0) }, 'minus zero'],
        [{ a: decimal('-0') }, 'minus zero'],
        [{ a: 0.1 }, 'tenth'],
        [{ a: decimal('0.1') }, 'exactTenth'],
        [{ a: decimal('0.10') }, 'exactTenth'],
        [{ a: Number.NaN }, 'nan exactNan'],
        [{ a: decimal('NaN') }, 'nan exactNan'],
        [{ a: Number.POSITIVE_INFINITY }, 'infinite exactInfinite'],
        [{ a: new Double(2 ** 53) }, 'bigDouble'],
        [{ a: Long.fromString('9007199254740993') }, 'big'],
        [{ a: decimal('9007199254740993') }, 'big'],
        [{ a: Long.fromString('9223372036854775807') }, 'largest'],
        [{ a: decimal('9223372036854775808') }, 'beyond'],
        [{ a: decimal('10E+399') }, 'huge'],
        [{ a: 7.5 }, 'items'],
      ]));
  });

  describe('$ne', () =>
    finds(target, oneOfEach, [
      [{ a: { $ne: 9 } }, without('list')],
      [{ a: { $ne: [1, 9] } }, without('list', 'nested')],
      [{ a: { $ne: null } }, without('null', 'missing')],
      [{ a: { $ne: 'b' } }, without('text')],
      [{ a: { $ne: 77 } }, without()],
      [{ a: { $ne: 9, $gt: 2 } }, 'double int long decimal'],
    ]));

  for (const [operator, opposite] of [
    ['$gt', '$lt'],
    ['$gte', '$lte'],
  ] as const) {
    const orEqual = operator === '$gte';
    const equal = (names: string) => (orEqual ? ` ${names}` : '');
    describe(operator, () => {
      describe('of one type', () =>
        finds(target, oneOfEach, [
          [{ a: { [operator]: 3 } }, `long decimal list${equal('int')}`],
          [{ a: { [operator]: 9 } }, equal('list')],
          [{ a: { [operator]: 'B' } }, `text${equal('upper')}`],
          [{ a: { [operator]: '' } }, `text upper${equal('empty')}`],
          [{ a: { [operator]: { b: 1 } } }, 'object turned'],
          [{ a: { [operator]: { b: 1, c: 2 } } }, `turned${equal('object')}`],
          [{ a: { [operator]: [1] } }, 'list nested'],
          [{ a: { [operator]: [1, 9] } }, `nested${equal('list')}`],
          [{ a: { [operator]: false } }, `yes${equal('no')}`],
          [{ a: { [operator]: new Date(999) } }, 'date'],
          [{ a: { [operator]: new Date(1000) } }, equal('date')],
          [{ a: { [operator]: new ObjectId('0123456789abcdef01234566') } }, 'id'],
          [{ a: { [operator]: new Timestamp({ t: 1, i: 0 }) } }, 'timestamp'],
          [{ a: { [operator]: new Binary(Buffer.from([1, 1])) } }, 'binary'],
          [{ a: { [operator]: new Binary(Buffer.from([9])) } }, 'binary'],
          [{ a: { [operator]: null } }, equal('null missing')],
          [{ a: { [operator]: new MaxKey() } }, ''],
        ]));

      describe('of numbers, whatever their type', () =>
        finds(target, numbers, [
          [{ a: { [operator]: 7 } }, `infinite exactInfinite big bigDouble largest beyond huge items`],
          [
            { a: { [operator]: new Double(2 ** 53) } },
            `infinite exactInfinite big largest beyond huge${equal('bigDouble')}`,
          ],
          [
            { a: { [operator]: Long.fromString('9223372036854775807') } },
            `infinite exactInfinite beyond huge${equal('largest')}`,
          ],
          [{ a: { [operator]: decimal('1E+400') } }, `infinite exactInfinite${equal('huge')}`],
          [{ a: { [operator]: Number.POSITIVE_INFINITY } }, equal('infinite exactInfinite')],
          [{ a: { [operator]: Number.NaN } }, equal('nan exactNan')],
          [{ a: { [operator]: 0, $lt: 0.5 } }, `tenth exactTenth${equal('minus zero')}`],
          [{ a: { [operator]: decimal('0.1'), $lt: 1 } }, `tenth${equal('exactTenth')}`],
        ]));
    });

    describe(opposite, () => {
      describe('of one type', () =>
        finds(target, oneOfEach, [
          [{ a: { [opposite]: 3 } }, `double list${equal('int')}`],
          [{ a: { [opposite]: 1 } }, equal('list')],
          [{ a: { [opposite]: 'b' } }, `upper empty${equal('text')}`],
          [{ a: { [opposite]: '' } }, equal('empty')],
          [{ a: { [opposite]: { b: 1, c: 2 } } }, equal('object')],
          [{ a: { [opposite]: [1, 9] } }, `none${equal('list nested')}`],
          [{ a: { [opposite]: true } }, `no${equal('yes')}`],
          [{ a: { [opposite]: new Date(1000) } }, equal('date')],
          [{ a: { [opposite]: null } }, equal('null missing')],
          [{ a: { [opposite]: new MinKey() } }, ''],
        ]));

      describe('of numbers, whatever their type', () =>
        finds(target, numbers, [
          [{ a: { [opposite]: 0.1 } }, `minus zero exactTenth${equal('tenth')}`],
          [{ a: { [opposite]: Number.NaN } }, equal('nan exactNan')],
          [{ a: { [opposite]: 0 } }, equal('minus zero')],
          [{ a: { [opposite]: decimal('9007199254740993'), $gt: 7.5 } }, `bigDouble${equal('big')}`],
        ]));
    });
  }

  describe('both sides of a range', () =>
    finds(
      target,
      {
        low: { a: 1 },
        mid: { a: 5 },
        high: { a: 9 },
        around: { a: [1, 9] },
        inside: { a: [1, 5, 9] },
        none: { a: [] },
      },
      [
        [{ a: { $gt: 2, $lt: 8 } }, 'mid around inside'],
        [{ $and: [{ a: { $gt: 2 } }, { a: { $lt: 8 } }] }, 'mid around inside'],
        [{ a: { $elemMatch: { $gt: 2, $lt: 8 } } }, 'inside'],
        [{ a: { $gt: 8, $lt: 2 } }, 'around inside'],
        [{ a: { $gte: 5, $lte: 5 } }, 'mid around inside'],
        [{ a: { $gt: 5, $eq: 9 } }, 'high around inside'],
      ],
    ));

  describe('$in', () =>
    finds(target, oneOfEach, [
      [{ a: { $in: [3, 'b', true] } }, 'int text yes'],
      [{ a: { $in: [decimal('2.5'), Long.fromNumber(3)] } }, 'double int'],
      [{ a: { $in: [null] } }, 'null missing'],
      [{ a: { $in: [null, 9] } }, 'null missing list'],
      [{ a: { $in: [] } }, ''],
      [{ a: { $in: [[1, 9]] } }, 'list nested'],
      [{ a: { $in: [[]] } }, 'none'],
      [{ a: { $in: [/^b/i] } }, 'text upper pattern'],
      [{ a: { $in: [/^b$/, 3] } }, 'text int'],
      [{ a: { $in: [{ b: 1, c: 2 }] } }, 'object'],
      [{ a: { $in: [77] } }, ''],
    ]));

  describe('$nin', () =>
    finds(target, oneOfEach, [
      [{ a: { $nin: [3, 9] } }, without('int', 'list')],
      [{ a: { $nin: [null] } }, without('null', 'missing')],
      [{ a: { $nin: [] } }, without()],
      [{ a: { $nin: [/^b/i] } }, without('text', 'upper', 'pattern')],
      [{ a: { $nin: [[1, 9]] } }, without('list', 'nested')],
    ]));

  describe('operands that cannot be', () =>
    refuses(target, [
      [{ a: { $gt: /x/ } }, 2],
      [{ a: { $ne: /x/ } }, 2],
      [{ a: { $in: 1 } }, 2],
      [{ a: { $nin: { b: 1 } } }, 2],
      [{ a: { $in: [{ $gt: 1 }] } }, 2],
      [{ a: { $unknown: 1 } }, 2],
      [{ a: { $gt: 1, b: 2 } }, 2],
      [{ $unknown: 1 }, 2],
    ]));
});

function without(...names: string[]): string {
  return Object.keys(oneOfEach)
    .filter((name) => !names.includes(name))
    .join(' ');
}
