import { Double, deserialize, Int32, Long } from 'bson';
import { expect } from 'chai';
import fc from 'fast-check';
import { writeFields } from '../bson/write.js';
import { evaluate, shown, valueOfField } from './expression-fixture.js';

const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Africa/Casablanca'];
const zone = fc.constantFrom(...zones);
const date = fc.date({
  min: new Date('1972-01-02T00:00:00Z'),
  max: new Date('2060-01-01T00:00:00Z'),
  noInvalidDate: true,
});
const name = fc.stringMatching(/^[a-z]{1,3}$/);
const number = fc.oneof(
  fc.integer().map((value) => new Int32(value)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => Long.fromBigInt(value)),
  fc.double({ noNaN: true }).map((value) => new Double(value)),
);
const scalar = fc.oneof(number, fc.string(), fc.boolean(), fc.constant(null), date);
const scalars = fc.array(scalar, { maxLength: 8 });

const give = (expression: unknown, document: Record<string, unknown>) => shown(evaluate(expression, document));
const plain = (expression: unknown, document: Record<string, unknown>) =>
  deserialize(writeFields([['v', evaluate(expression, document)]]))['v'];

/** What a wall clock shows, told by the platform. */
function clock(instant: Date, timeZone: string): string {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  const parts = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
  return `${parts['year']}-${parts['month']}-${parts['day']} ${parts['hour']}:${parts['minute']}:${parts['second']}`;
}

describe('laws of expressions', () => {
  it('$dateToString shows what the clocks of a zone show', () => {
    fc.assert(
      fc.property(date, zone, (d, timezone) => {
        const text = plain({ $dateToString: { date: '$d', timezone, format: '%Y-%m-%d %H:%M:%S' } }, { d });
        expect(text).to.equal(clock(d, timezone));
      }),
    );
  });

  it('$dateTrunc to the day gives the first moment of the same day', () => {
    fc.assert(
      fc.property(date, zone, (d, timezone) => {
        const start: Date = plain({ $dateTrunc: { date: '$d', unit: 'day', timezone } }, { d });
        const day = clock(d, timezone).slice(0, 10);
        expect(clock(start, timezone).slice(0, 10)).to.equal(day);
        expect(clock(new Date(start.getTime() - 1), timezone).slice(0, 10)).to.not.equal(day);
        expect(start.getTime()).to.be.at.most(d.getTime());
      }),
    );
  });

  it('$dateTrunc of what it gave gives the same', () => {
    const unit = fc.constantFrom('second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year');
    fc.assert(
      fc.property(date, zone, unit, fc.integer({ min: 1, max: 9 }), (d, timezone, by, binSize) => {
        const once: Date = plain({ $dateTrunc: { date: '$d', unit: by, binSize, timezone } }, { d });
        const twice: Date = plain({ $dateTrunc: { date: '$d', unit: by, binSize, timezone } }, { d: once });
        expect(twice).to.deep.equal(once);
      }),
    );
  });

  it('$cmp orders any values as $sortArray does', () => {
    fc.assert(
      fc.property(scalars, (a) => {
        const sorted = { $sortArray: { input: '$a', sortBy: 1 } };
        const steps = { $range: [1, { $max: [1, { $size: '$$s' }] }] };
        const inOrder = {
          $lte: [{ $arrayElemAt: ['$$s', { $subtract: ['$$i', 1] }] }, { $arrayElemAt: ['$$s', '$$i'] }],
        };
        const all = {
          $reduce: {
            input: { $map: { input: steps, as: 'i', in: inOrder } },
            initialValue: true,
            in: { $and: ['$$value', '$$this'] },
          },
        };
        expect(plain({ $let: { vars: { s: sorted }, in: all } }, { a })).to.equal(true);
      }),
    );
  });

  it('$subtract takes away what $add of integers added', () => {
    const whole = fc.bigInt({ min: -(2n ** 61n), max: 2n ** 61n }).map((value) => Long.fromBigInt(value));
    fc.assert(
      fc.property(whole, whole, (a, b) => {
        expect(give({ $subtract: [{ $add: ['$a', '$b'] }, '$b'] }, { a, b })).to.equal(shown(valueOfField(a)));
      }),
    );
  });

  it('$multiply, $divide and $mod of integers agree', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1 }), (a, b) => {
        const back = { $add: [{ $multiply: [{ $trunc: { $divide: ['$a', '$b'] } }, '$b'] }, { $mod: ['$a', '$b'] }] };
        expect(give({ $toInt: back }, { a, b })).to.equal(shown(valueOfField(a)));
      }),
    );
  });

  it('$sum of integers is exact in any order', () => {
    const integers = fc.array(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), { maxLength: 6 });
    fc.assert(
      fc.property(integers, (values) => {
        const total = values.reduce((sum, value) => sum + value, 0n);
        const fits = total >= -(2n ** 63n) && total < 2n ** 63n;
        const expected = fits ? Long.fromBigInt(total) : new Double(Number(total));
        const sum = give({ $sum: '$a' }, { a: values.map((value) => Long.fromBigInt(value)) });
        if (values.length > 0) expect(sum).to.equal(shown(valueOfField(expected)));
      }),
    );
  });

  it('$toString and back is the same number', () => {
    fc.assert(
      fc.property(fc.integer(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (i, l) => {
        const long = Long.fromBigInt(l);
        expect(give({ $toInt: { $toString: '$i' } }, { i })).to.equal(shown(valueOfField(i)));
        expect(give({ $toLong: { $toString: '$l' } }, { l: long })).to.equal(shown(valueOfField(long)));
        expect(give({ $toLong: { $toString: { $toDecimal: '$l' } } }, { l: long })).to.equal(shown(valueOfField(long)));
      }),
    );
  });

  it('$split joined by $concat is the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '-', '😀', 'é') }), (t) => {
        const parts = { $map: { input: { $split: ['$t', '-'] }, in: { $concat: ['-', '$$this'] } } };
        const joined = { $reduce: { input: parts, initialValue: '', in: { $concat: ['$$value', '$$this'] } } };
        expect(plain({ $substrCP: [joined, 1, 1000] }, { t })).to.equal(t);
      }),
    );
  });

  it('$arrayToObject of $objectToArray is the object', () => {
    fc.assert(
      fc.property(fc.dictionary(name, scalar, { maxKeys: 6 }), (o) => {
        expect(give({ $arrayToObject: { $objectToArray: '$o' } }, { o })).to.equal(give('$o', { o }));
      }),
    );
  });

  it('sets obey their laws', () => {
    fc.assert(
      fc.property(scalars, scalars, (a, b) => {
        const union = { $setUnion: ['$a', '$b'] };
        const both = { $setIntersection: ['$a', '$b'] };
        const parts = { $setUnion: [{ $setDifference: ['$a', '$b'] }, both, { $setDifference: ['$b', '$a'] }] };
        expect(plain({ $size: union }, { a, b })).to.equal(plain({ $size: parts }, { a, b }));
        expect(plain({ $setIsSubset: ['$a', union] }, { a, b })).to.equal(true);
        expect(plain({ $setIsSubset: [both, '$b'] }, { a, b })).to.equal(true);
      }),
    );
  });

  it('$slice takes an array apart without loss', () => {
    fc.assert(
      fc.property(scalars, fc.integer({ min: 1, max: 9 }), (a, n) => {
        const both = { $concatArrays: [{ $slice: ['$a', n] }, { $slice: ['$a', n, 100] }] };
        expect(give(both, { a })).to.equal(give('$a', { a }));
        expect(give({ $reverseArray: { $reverseArray: '$a' } }, { a })).to.equal(give('$a', { a }));
      }),
    );
  });
});
