import { Decimal128 } from 'bson';
import { CommandError, code } from '../errors.js';
import { type BsonValue, bsonType } from './value.js';
import { Double, toBson } from './write.js';

/** sign * coefficient * 10^exponent, exactly. */
export interface ExactDecimal {
  negative: boolean;
  coefficient: bigint;
  exponent: number;
}

export function decimalText(value: BsonValue): string {
  return new Decimal128(value.bytes).toString();
}

/** The nearest double of any numeric value; int64 and decimal may lose digits here. */
export function toDouble(value: BsonValue): number {
  switch (value.type) {
    case bsonType.int32:
      return value.buffer.readInt32LE(value.start);
    case bsonType.double:
      return value.buffer.readDoubleLE(value.start);
    case bsonType.int64:
      return Number(value.buffer.readBigInt64LE(value.start));
    case bsonType.decimal:
      return Number(decimalText(value));
    default:
      return Number.NaN;
  }
}

/** A whole number as a bigint; undefined for fractions, NaN, infinities and other types. */
export function toInteger(value: BsonValue): bigint | undefined {
  if (value.type === bsonType.int64) return value.buffer.readBigInt64LE(value.start);
  if (!value.isNumber) return undefined;
  const double = toDouble(value);
  return Number.isInteger(double) ? BigInt(double) : undefined;
}

/** Digits and exponent of a finite decimal's text, such as `-1.25E+3`. */
export function parseDecimal(text: string): ExactDecimal | undefined {
  const match = /^(-?)(\d*)\.?(\d*)(?:E([+-]?\d+))?$/i.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  return {
    negative: sign === '-',
    coefficient: BigInt(`0${whole}${fraction}`),
    exponent: Number(exponent) - fraction.length,
  };
}

function doubleParts(value: number): { mantissa: bigint; exponent: number } {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleBE(Math.abs(value));
  const bits = bytes.readBigUInt64BE();
  const biased = Number(bits >> 52n);
  const fraction = bits & 0xfffffffffffffn;
  return biased === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | 0x10000000000000n, exponent: biased - 1075 };
}

/** Whether an exact decimal is less than (-1), equal to (0) or more than (1) a double. */
export function compareWithDouble(decimal: ExactDecimal, double: number): number {
  if (double === Number.POSITIVE_INFINITY) return -1;
  if (double === Number.NEGATIVE_INFINITY) return 1;
  const { mantissa, exponent } = doubleParts(double);
  let left = decimal.negative ? -decimal.coefficient : decimal.coefficient;
  let right = double < 0 ? -mantissa : mantissa;
  if (decimal.exponent >= 0) left *= 10n ** BigInt(decimal.exponent);
  else right *= 10n ** BigInt(-decimal.exponent);
  if (exponent >= 0) right *= 2n ** BigInt(exponent);
  else left *= 2n ** BigInt(-exponent);
  return left < right ? -1 : left > right ? 1 : 0;
}

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;

function wholeResult(result: bigint, bothInt32: boolean): BsonValue | undefined {
  if (bothInt32 && result >= -2147483648n && result <= 2147483647n) return toBson(Number(result));
  return result < int64Min || result > int64Max ? undefined : toBson(result);
}

function combine(
  a: BsonValue,
  b: BsonValue,
  whole: (x: bigint, y: bigint) => bigint,
  real: (x: number, y: number) => number,
) {
  if (a.type === bsonType.decimal || b.type === bsonType.decimal) {
    throw new CommandError(code.badValue, 'arithmetic with Decimal128 is not supported');
  }
  if (a.type === bsonType.double || b.type === bsonType.double)
    return toBson(new Double(real(toDouble(a), toDouble(b))));
  const bothInt32 = a.type === bsonType.int32 && b.type === bsonType.int32;
  return wholeResult(whole(toInteger(a) ?? 0n, toInteger(b) ?? 0n), bothInt32);
}

/** The sum in the wider of two types, an int32 that overflows as int64; an int64 that overflows becomes a double. */
export function addNumbers(a: BsonValue, b: BsonValue): BsonValue {
  return addExactly(a, b) ?? toBson(new Double(toDouble(a) + toDouble(b)));
}

/** Like addNumbers, but undefined when int64 overflows, as updates refuse that. @throws CommandError 2 for Decimal128 */
export function addExactly(a: BsonValue, b: BsonValue): BsonValue | undefined {
  return combine(
    a,
    b,
    (x, y) => x + y,
    (x, y) => x + y,
  );
}

/** The product in the wider of two types; undefined when int64 overflows. @throws CommandError 2 for Decimal128 */
export function multiplyExactly(a: BsonValue, b: BsonValue): BsonValue | undefined {
  return combine(
    a,
    b,
    (x, y) => x * y,
    (x, y) => x * y,
  );
}
