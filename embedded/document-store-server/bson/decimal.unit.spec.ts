import { Decimal128 } from 'bson';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  addDecimals,
  type Decimal,
  decimalOfDouble,
  decimalOfInteger,
  divideDecimals,
  multiplyDecimals,
  quantizeDecimal,
  type Rounding,
  readDecimal,
  remainderDecimal,
  roundDecimal,
  subtractDecimals,
  wholeDecimal,
  writeDecimal,
} from './decimal.js';
import { decimalText } from './numbers.js';
import { BsonValue, bsonType } from './value.js';

const bytesOf = (text: string) => Buffer.from(Decimal128.fromString(text).bytes);
const decimal = (text: string) => readDecimal(new BsonValue(bsonType.decimal, bytesOf(text), 0, 16));
const text = (value: Decimal) => decimalText(writeDecimal(value));

const nines = '9'.repeat(34);
const operations: Record<string, (a: Decimal, b: Decimal) => Decimal> = {
  '+': addDecimals,
  '-': subtractDecimals,
  '*': multiplyDecimals,
  '/': divideDecimals,
  rem: remainderDecimal,
};

/** a, operation, b, result: digits and exponents as IEEE 754 prescribes them */
const vectors: [string, string, string, string][] = [
  ['0.1', '+', '0.2', '0.3'],
  ['1.20', '+', '1.3', '2.50'],
  ['1E+3', '+', '1', '1001'],
  ['1E+40', '+', '1', '1.000000000000000000000000000000000E+40'],
  ['1E+6000', '+', '-1E-6000', '1.000000000000000000000000000000000E+6000'],
  ['1E+6000', '+', '0E-6000', '1.000000000000000000000000000000000E+6000'],
  ['0E+3', '+', '0E-2', '0.00'],
  ['0E+3', '+', '5E-2', '0.05'],
  [nines, '+', '1', '1.000000000000000000000000000000000E+34'],
  [nines, '+', '0.5', '1.000000000000000000000000000000000E+34'],
  ['1000000000000000000000000000000000', '+', '0.5', '1000000000000000000000000000000000'],
  ['1000000000000000000000000000000001', '+', '0.5', '1000000000000000000000000000000002'],
  ['1000000000000000000000000000000000', '+', '0.51', '1000000000000000000000000000000001'],
  ['1E+40', '-', '5E+5', '1.000000000000000000000000000000000E+40'],
  ['1E+40', '-', '6E+5', '9.999999999999999999999999999999999E+39'],
  ['1', '-', '1', '0'],
  ['1', '+', '-1.00', '0.00'],
  ['-0', '+', '-0', '-0'],
  ['-0', '+', '0', '0'],
  [`${nines}E+6111`, '+', `${nines}E+6111`, 'Infinity'],
  [`-${nines}E+6111`, '-', `${nines}E+6111`, '-Infinity'],
  ['Infinity', '+', '-1', 'Infinity'],
  ['Infinity', '-', 'Infinity', 'NaN'],
  ['NaN', '+', '1', 'NaN'],
  ['1.20', '*', '3', '3.60'],
  ['-2', '*', '0.0', '-0.0'],
  [nines, '*', nines, '9.999999999999999999999999999999998E+67'],
  ['1E-6176', '*', '0.5', '0E-6176'],
  ['1E-6176', '*', '0.51', '1E-6176'],
  ['3E-6176', '*', '0.5', '2E-6176'],
  ['1E+6144', '*', '10', 'Infinity'],
  ['1E+6000', '*', '1E+111', '1E+6111'],
  ['1E+6000', '*', '1E+112', '1.0E+6112'],
  ['Infinity', '*', '0', 'NaN'],
  ['-Infinity', '*', '2', '-Infinity'],
  ['1', '/', '3', '0.3333333333333333333333333333333333'],
  ['2', '/', '3', '0.6666666666666666666666666666666667'],
  ['1', '/', '7', '0.1428571428571428571428571428571429'],
  ['1', '/', '8', '0.125'],
  ['2.40', '/', '2', '1.20'],
  ['1000', '/', '100', '10'],
  ['1E+3', '/', '1E+1', '1E+2'],
  ['1', '/', '1E+1', '0.1'],
  ['1E-6176', '/', '2', '0E-6176'],
  ['1', '/', '0', 'Infinity'],
  ['-1', '/', '0', '-Infinity'],
  ['0', '/', '0', 'NaN'],
  ['1', '/', 'Infinity', '0E-6176'],
  ['10', 'rem', '3', '1'],
  ['-10', 'rem', '3', '-1'],
  ['3.6', 'rem', '1.3', '1.0'],
  ['1E+30', 'rem', '7', '1'],
  ['1', 'rem', 'Infinity', '1'],
  ['1', 'rem', '0', 'NaN'],
];

const rounded: [string, Rounding, string][] = [
  ['2.5', 'halfEven', '2'],
  ['3.5', 'halfEven', '4'],
  ['-2.5', 'halfEven', '-2'],
  ['2.51', 'halfEven', '3'],
  ['-2.1', 'floor', '-3'],
  ['2.9', 'floor', '2'],
  ['2.1', 'ceil', '3'],
  ['-2.9', 'ceil', '-2'],
  ['-0.5', 'ceil', '-0'],
  ['-1E-6176', 'floor', '-1'],
  ['1E-6176', 'ceil', '1'],
  ['1E-6176', 'halfEven', '0'],
  ['-2.9', 'trunc', '-2'],
  ['1E+100', 'floor', '1E+100'],
  ['Infinity', 'floor', 'Infinity'],
  ['NaN', 'trunc', 'NaN'],
];

const quantized: [string, number, Rounding, string][] = [
  ['1.2345', -2, 'halfEven', '1.23'],
  ['1.235', -2, 'halfEven', '1.24'],
  ['1.5', -4, 'halfEven', '1.5000'],
  ['1250', 2, 'halfEven', '1.2E+3'],
  ['1251', 2, 'trunc', '1.2E+3'],
  [nines, -1, 'halfEven', 'NaN'],
  ['9.5', 0, 'halfEven', '10'],
  ['0', -5, 'halfEven', '0.00000'],
  ['Infinity', 0, 'halfEven', 'NaN'],
];

/** double, decimal: 15 significant digits */
const doubles: [number, string][] = [
  [0.1, '0.100000000000000'],
  [2.5, '2.50000000000000'],
  [-3, '-3.00000000000000'],
  [0, '0'],
  [-0, '-0'],
  [1 / 3, '0.333333333333333'],
  [1e22, '1.00000000000000E+22'],
  [1000000000000005, '1.00000000000000E+15'],
  [1000000000000015, '1.00000000000002E+15'],
  [9999999999999998, '1.00000000000000E+16'],
  [5e-324, '4.94065645841247E-324'],
  [Number.MAX_VALUE, '1.79769313486232E+308'],
  [Number.NEGATIVE_INFINITY, '-Infinity'],
  [Number.NaN, 'NaN'],
];

describe('Decimal128 arithmetic', () => {
  for (const [a, operation, b, result] of vectors) {
    it(`${a} ${operation} ${b} is ${result}`, () => {
      expect(text(operations[operation]?.(decimal(a), decimal(b)) ?? decimal('NaN'))).to.equal(result);
    });
  }

  for (const [value, rounding, result] of rounded) {
    it(`rounds ${value} by ${rounding} to ${result}`, () => {
      expect(text(roundDecimal(decimal(value), rounding))).to.equal(result);
    });
  }

  for (const [value, exponent, rounding, result] of quantized) {
    it(`brings ${value} to the exponent ${exponent} by ${rounding} as ${result}`, () => {
      expect(text(quantizeDecimal(decimal(value), exponent, rounding))).to.equal(result);
    });
  }

  for (const [value, result] of doubles) {
    it(`takes the double ${Object.is(value, -0) ? '-0' : value} as ${result}`, () => {
      expect(text(decimalOfDouble(value))).to.equal(result);
    });
  }

  it('is exact wherever 34 digits hold the result', () => {
    const small = fc.record({
      coefficient: fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
      exponent: fc.integer({ min: -15, max: 15 }),
    });
    const of = ({ coefficient, exponent }: { coefficient: bigint; exponent: number }): Decimal => ({
      ...decimalOfInteger(coefficient),
      exponent,
    });
    const scaled = ({ negative, coefficient, exponent }: Decimal) =>
      (negative ? -coefficient : coefficient) * 10n ** BigInt(exponent + 60);
    fc.assert(
      fc.property(small, small, (a, b) => {
        const [x, y] = [scaled(of(a)), scaled(of(b))];
        const sum = addDecimals(of(a), of(b));
        const digits = String(x + y < 0n ? -x - y : x + y).replace(/0+$/, '').length;
        if (digits <= 34) expect(scaled(sum)).to.equal(x + y);
        expect(scaled(multiplyDecimals(of(a), of(b)))).to.equal((x * y) / 10n ** 60n);
        expect(subtractDecimals(of(a), of(a)).coefficient).to.equal(0n);
      }),
    );
  });
});

describe('Decimal128 bytes', () => {
  it('are read and written as the driver encodes them', () => {
    const samples = ['0', '-0', '1', '-1.5', nines, `-${nines}E+6111`, '1E-6176', 'Infinity', '-Infinity', '0E+6111'];
    for (const sample of samples) {
      expect(writeDecimal(decimal(sample)).bytes.equals(bytesOf(sample)), sample).to.equal(true);
    }
    const digits = fc.bigInt({ min: 0n, max: 10n ** 34n - 1n });
    fc.assert(
      fc.property(digits, fc.integer({ min: -6176, max: 6111 }), fc.boolean(), (coefficient, exponent, negative) => {
        const sample = `${negative ? '-' : ''}${coefficient}E${exponent}`;
        expect(writeDecimal(decimal(sample)).bytes.equals(bytesOf(sample))).to.equal(true);
        expect(decimal(sample)).to.deep.equal({ form: 'finite', negative, coefficient, exponent });
      }),
    );
  });

  it('beyond 34 digits are a zero', () => {
    const bytes = Buffer.alloc(16, 0xff);
    bytes[15] = 0x30;
    const value = readDecimal(new BsonValue(bsonType.decimal, bytes, 0, 16));
    expect(value.coefficient).to.equal(0n);
    bytes[15] = 0x6c;
    expect(readDecimal(new BsonValue(bsonType.decimal, bytes, 0, 16)).coefficient).to.equal(0n);
  });

  it('give whole numbers exactly and nothing for fractions', () => {
    expect(wholeDecimal(decimal('9007199254740993'))).to.equal(9007199254740993n);
    expect(wholeDecimal(decimal('-1.200E+2'))).to.equal(-120n);
    expect(wholeDecimal(decimal('1.50'))).to.equal(undefined);
    expect(wholeDecimal(decimal('0E-6176'))).to.equal(0n);
    expect(wholeDecimal(decimal('NaN'))).to.equal(undefined);
  });
});
