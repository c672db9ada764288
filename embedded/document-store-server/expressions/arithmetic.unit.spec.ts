import { Decimal128, Double, Int32, Long } from 'bson';
import { expect } from 'chai';
import { type Case, evaluate, refusal, shown, valueOfField } from './expression-fixture.js';

const long = (value: string | number) => Long.fromString(String(value));
const decimal = (text: string) => Decimal128.fromString(text);
const double = (value: number) => new Double(value);
const day = new Date('2024-05-06T00:00:00Z');

const cases: Case[] = [
  ['$add of int32 stays an int32', { $add: [1, 2, 3] }, 6],
  ['$add of int32 becomes an int64 where it overflows', { $add: [2147483647, 1] }, long(2147483648)],
  ['$add of int32 that overflowed on the way is an int32 again', { $add: [2147483647, 1, -1] }, 2147483647],
  ['$add of int64 becomes a double where it overflows', { $add: [Long.MAX_VALUE, 1] }, double(2 ** 63)],
  ['$add takes the wider type', { $add: [1, long(2), double(0.5)] }, double(3.5)],
  ['$add is exact with decimals', { $add: [decimal('0.1'), decimal('0.2'), 1] }, decimal('1.3')],
  ['$add moves a date by milliseconds', { $add: [day, 3 * 60 * 60000] }, new Date('2024-05-06T03:00:00Z')],
  ['$add rounds a fraction of a millisecond', { $add: [day, double(1.5)] }, new Date(day.getTime() + 2)],
  ['$add of null is null', { $add: ['$missing', 1] }, null],
  ['$add of nothing is 0', { $add: [] }, 0],
  ['$subtract subtracts numbers', { $subtract: [long(5), 7] }, long(-2)],
  ['$subtract of two dates gives milliseconds', { $subtract: [new Date(5000), new Date(2000)] }, long(3000)],
  ['$subtract moves a date back', { $subtract: [new Date(5000), 3000] }, new Date(2000)],
  ['$subtract of null is null', { $subtract: [null, 1] }, null],
  ['$multiply keeps int32', { $multiply: ['$price', '$quantity'] }, 20, { price: 10, quantity: 2 }],
  ['$multiply becomes an int64 where it overflows', { $multiply: [65536, 65536] }, long(4294967296)],
  ['$multiply of decimals is exact', { $multiply: [decimal('1.10'), 3] }, decimal('3.30')],
  ['$divide gives a double', { $divide: [80, 8] }, double(10)],
  ['$divide gives a decimal of a decimal', { $divide: [decimal('1'), 4] }, decimal('0.25')],
  ['$divide of null is null', { $divide: [1, null] }, null],
  ['$mod keeps the sign of the dividend', { $mod: [-7, 3] }, -1],
  ['$mod of an int64 is an int64', { $mod: [long(7), 3] }, long(1)],
  ['$mod of doubles is one', { $mod: [double(5.5), 2] }, double(1.5)],
  ['$mod of decimals is one', { $mod: [decimal('5.5'), 2] }, decimal('1.5')],
  ['$abs of the least int32 is an int64', { $abs: -2147483648 }, long(2147483648)],
  ['$abs of a double', { $abs: double(-1.5) }, double(1.5)],
  ['$abs of a decimal', { $abs: decimal('-1.50') }, decimal('1.50')],
  ['$ceil rounds up', { $ceil: double(7.2) }, double(8)],
  ['$ceil leaves integers', { $ceil: long(7) }, long(7)],
  ['$floor rounds down', { $floor: double(-2.8) }, double(-3)],
  ['$floor of a decimal', { $floor: decimal('7.80') }, decimal('7')],
  [
    '$round takes halves to the even neighbour',
    { $map: { input: [0.5, 1.5, 2.5, -1.5], in: { $round: '$$this' } } },
    [double(0), double(2), double(2), double(-2)],
  ],
  ['$round rounds to places', { $round: [double(19.25), 1] }, double(19.2)],
  ['$round rounds what a double really is', { $round: [double(1.005), 2] }, double(1)],
  ['$round rounds integers to tens', { $round: [1234, -2] }, 1200],
  ['$round of a decimal has the places asked for', { $round: [decimal('10.505'), 2] }, decimal('10.50')],
  ['$round of null is null', { $round: ['$missing', 1] }, null],
  ['$trunc cuts', { $trunc: [double(-7.85), 1] }, double(-7.8)],
  ['$trunc of integers', { $trunc: [long(1299), -2] }, long(1200)],
  ['$sum as an expression adds its arguments and skips what is no number', { $sum: ['$a', 'x', 2] }, 5, { a: 3 }],
  ['$sum as an expression adds the items of its only argument', { $sum: '$a' }, double(4.5), { a: [1, 3.5, [1]] }],
  ['$sum of tenths carries the rounding errors', { $sum: [Array(10).fill(0.1)] }, double(1)],
  ['$sum of nothing is 0', { $sum: '$a' }, 0],
  ['$avg as an expression gives a double', { $avg: [1, 2] }, double(1.5)],
  ['$avg of decimals gives a decimal', { $avg: [decimal('1'), 2] }, decimal('1.5')],
  ['$avg of no numbers is null', { $avg: '$a' }, null, { a: ['x'] }],
  ['$min as an expression skips null', { $min: [5, null, 3, '$missing'] }, 3],
  ['$max as an expression compares across types', { $max: '$a' }, 'x', { a: [9, 'x'] }],
  ['$stdDevPop of a population', { $stdDevPop: [[2, 4, 4, 4, 5, 5, 7, 9]] }, double(2)],
  ['$stdDevSamp of one value is null', { $stdDevSamp: [5] }, null],
];

const refusals: [expression: unknown, code: number][] = [
  [{ $add: ['x', 1] }, 14],
  [{ $add: [day, day] }, 16612],
  [{ $add: [day, 1e300] }, 15],
  [{ $subtract: ['x', 1] }, 14],
  [{ $subtract: [1, day] }, 14],
  [{ $subtract: [1] }, 16020],
  [{ $multiply: [day, 1] }, 14],
  [{ $divide: [1, 0] }, 2],
  [{ $divide: [1, decimal('0')] }, 2],
  [{ $divide: ['x', 1] }, 14],
  [{ $mod: [1, 0] }, 16610],
  [{ $mod: [decimal('1'), 0] }, 5733415],
  [{ $mod: ['x', 1] }, 16611],
  [{ $abs: 'x' }, 28765],
  [{ $abs: Long.MIN_VALUE }, 28680],
  [{ $ceil: [1, 2] }, 16020],
  [{ $round: ['x'] }, 51081],
  [{ $round: [1, double(1.5)] }, 51082],
  [{ $round: [1, 101] }, 51083],
  [{ $round: [1, 2, 3] }, 28667],
  [{ $trunc: [new Int32(1), -21] }, 51083],
];

describe('arithmetic in expressions', () => {
  for (const [title, expression, expected, document] of cases) {
    it(title, () => expect(shown(evaluate(expression, document))).to.equal(shown(valueOfField(expected))));
  }
  for (const [expression, code] of refusals) {
    it(`refuses ${JSON.stringify(expression)} with ${code}`, () => expect(refusal(expression)).to.equal(code));
  }
});
