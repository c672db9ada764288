import { Binary, Decimal128, Double, Long, ObjectId, Timestamp } from 'bson';
import { expect } from 'chai';
import { type Case, evaluate, refusal, shown, valueOfField } from './expression-fixture.js';

const id = new ObjectId('5ab9c3da31c2ab715d421285');
const decimal = (text: string) => Decimal128.fromString(text);

const cases: Case[] = [
  ['$type names the type', { $type: '$a' }, 'array', { a: [] }],
  [
    '$type names numbers apart',
    { $map: { input: [1, new Double(1), Long.ONE, decimal('1')], in: { $type: '$$this' } } },
    ['int', 'double', 'long', 'decimal'],
  ],
  ['$type of a missing field is missing', { $type: '$a' }, 'missing'],
  ['$isNumber tells', { $isNumber: decimal('1') }, true],
  ['$isNumber holds not for text', { $isNumber: '1' }, false],
  ['$toInt cuts fractions', { $toInt: new Double(-5.9) }, -5],
  ['$toInt reads text', { $toInt: '-12' }, -12],
  ['$toInt of true is 1', { $toInt: true }, 1],
  ['$toInt of null is null', { $toInt: '$missing' }, null],
  ['$toLong takes dates', { $toLong: new Date(5) }, Long.fromNumber(5)],
  ['$toLong reads text exactly', { $toLong: '9007199254740993' }, Long.fromString('9007199254740993')],
  ['$toDouble takes decimals', { $toDouble: decimal('2.5') }, new Double(2.5)],
  ['$toDouble reads text', { $toDouble: '-5.5e2' }, new Double(-550)],
  ['$toDecimal keeps 15 digits of a double', { $toDecimal: new Double(0.1) }, decimal('0.100000000000000')],
  ['$toDecimal reads text', { $toDecimal: '2.50' }, decimal('2.50')],
  ['$toDecimal of an int64 is exact', { $toDecimal: Long.MAX_VALUE }, decimal('9223372036854775807')],
  ['$toBool of numbers is false for 0 alone', { $toBool: decimal('0.00') }, false],
  ['$toBool of any text is true', { $toBool: 'false' }, true],
  ['$toString of a double', { $toString: new Double(2.5) }, '2.5'],
  ['$toString of a whole double has no fraction', { $toString: new Double(20) }, '20'],
  ['$toString of a large double has an exponent', { $toString: new Double(1e20) }, '1e+20'],
  ['$toString of a small double has an exponent', { $toString: new Double(0.00001234) }, '1.234e-05'],
  ['$toString of an ObjectId is hexadecimal', { $toString: id }, id.toHexString()],
  ['$toString of a date is ISO 8601', { $toString: new Date(1) }, '1970-01-01T00:00:00.001Z'],
  ['$toString of a boolean', { $toString: false }, 'false'],
  ['$toString of a decimal keeps its digits', { $toString: decimal('1.50') }, '1.50'],
  ['$toDate of milliseconds', { $toDate: Long.fromNumber(120000000000) }, new Date(120000000000)],
  ['$toDate of a double cuts', { $toDate: new Double(1.9) }, new Date(1)],
  ['$toDate of an ObjectId is its time', { $toDate: id }, id.getTimestamp()],
  ['$toDate of a timestamp', { $toDate: new Timestamp({ t: 100, i: 1 }) }, new Date(100000)],
  ['$toDate reads a day', { $toDate: '2018-03-20' }, new Date('2018-03-20T00:00:00Z')],
  ['$toDate reads an offset', { $toDate: '2018-03-20 11:00:06 +0500' }, new Date('2018-03-20T06:00:06Z')],
  ['$toDate reads milliseconds', { $toDate: '2018-03-20T11:00:06.25Z' }, new Date('2018-03-20T11:00:06.250Z')],
  ['$toObjectId reads text', { $toObjectId: '5ab9c3da31c2ab715d421285' }, id],
  ['$convert converts by name', { $convert: { input: '$a', to: 'long' } }, Long.fromNumber(7), { a: 7 }],
  ['$convert converts by number', { $convert: { input: '7', to: 16 } }, 7],
  ['$convert gives onError where it cannot', { $convert: { input: 'x', to: 'int', onError: 'none' } }, 'none'],
  ['$convert gives onNull for null', { $convert: { input: null, to: 'int', onNull: 0 } }, 0],
  ['$convert to null is null', { $convert: { input: 1, to: '$missing' } }, null],
];

const refusals: [expression: unknown, code: number][] = [
  [{ $toInt: '12.5' }, 241],
  [{ $toInt: 'x' }, 241],
  [{ $toInt: new Double(2147483648) }, 241],
  [{ $toInt: new Double(Number.NaN) }, 241],
  [{ $toInt: new Date(1) }, 241],
  [{ $toLong: '9223372036854775808' }, 241],
  [{ $toDouble: '0x10' }, 241],
  [{ $toDouble: decimal('1E+400') }, 241],
  [{ $toDecimal: 'x' }, 241],
  [{ $toDate: 5 }, 241],
  [{ $toDate: 'next tuesday' }, 2],
  [{ $toObjectId: 'x' }, 241],
  [{ $toString: { $literal: {} } }, 241],
  [{ $toString: new Binary(Buffer.of(1)) }, 241],
  [{ $convert: { input: 1, to: 'text' } }, 2],
  [{ $convert: { input: 1, to: true } }, 9],
  [{ $convert: { input: 1 } }, 9],
  [{ $convert: { input: 1, to: 'int', x: 1 } }, 9],
  [{ $convert: { input: 1, to: 'array' } }, 241],
];

describe('conversions in expressions', () => {
  for (const [title, expression, expected, document] of cases) {
    it(title, () => expect(shown(evaluate(expression, document))).to.equal(shown(valueOfField(expected))));
  }
  for (const [expression, code] of refusals) {
    it(`refuses ${JSON.stringify(expression)} with ${code}`, () => expect(refusal(expression)).to.equal(code));
  }
});
