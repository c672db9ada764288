import { Decimal128 } from 'bson';
import {
  addDecimals,
  type Decimal,
  decimalOfDouble,
  decimalOfInteger,
  type ExactDecimal,
  exactDouble,
  multiplyDecimals,
  readDecimal,
  subtractDecimals,
  wholeDecimal,
  writeDecimal,
} from './decimal.js';
import { type BsonValue, bsonType } from './value.js';
import { Double, toBson } from './write.js';

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
  if (value.type === bsonType.decimal) return wholeDecimal(readDecimal(value));
  if (!value.isNumber) return undefined;
  const double = toDouble(value);
  return Number.isInteger(double) ? BigInt(double) : undefined;
}

/** Any number as a decimal: integers and decimals exactly, doubles with 15 digits as MongoDB converts them. */
export function toDecimal(value: BsonValue): Decimal {
  if (value.type === bsonType.decimal) return readDecimal(value);
  const integer = value.type === bsonType.double ? undefined : toInteger(value);
  return integer === undefined ? decimalOfDouble(toDouble(value)) : decimalOfInteger(integer);
}

/** Whether an exact decimal is less than (-1), equal to (0) or more than (1) a double. */
export function compareWithDouble(decimal: ExactDecimal, double: number): number {
  if (double === Number.POSITIVE_INFINITY) return -1;
  if (double === Number.NEGATIVE_INFINITY) return 1;
  const other = exactDouble(double);
  const scale = Math.min(decimal.exponent, other.exponent);
  const scaled = ({ negative, coefficient, exponent }: ExactDecimal) => {
    const units = coefficient * 10n ** BigInt(exponent - scale);
    return negative ? -units : units;
  };
  const left = scaled(decimal);
  const right = scaled(other);
  return left < right ? -1 : left > right ? 1 : 0;
}

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;

interface Operation {
  whole(x: bigint, y: bigint): bigint;
  real(x: number, y: number): number;
  decimal(x: Decimal, y: Decimal): Decimal;
}

const addition: Operation = { whole: (x, y) => x + y, real: (x, y) => x + y, decimal: addDecimals };
const subtraction: Operation = { whole: (x, y) => x - y, real: (x, y) => x - y, decimal: subtractDecimals };
const multiplication: Operation = { whole: (x, y) => x * y, real: (x, y) => x * y, decimal: multiplyDecimals };

/** In the wider of two types, an int32 that overflows as int64; undefined when int64 overflows. */
function exactly(a: BsonValue, b: BsonValue, { whole, real, decimal }: Operation): BsonValue | undefined {
  if (a.type === bsonType.int32 && b.type === bsonType.int32) {
    const result = real(a.buffer.readInt32LE(a.start), b.buffer.readInt32LE(b.start));
    // beyond 2^53 a double would not be exact
    if ((result | 0) === result) return toBson(result | 0);
    return toBson(whole(BigInt(a.buffer.readInt32LE(a.start)), BigInt(b.buffer.readInt32LE(b.start))));
  }
  if (a.type === bsonType.decimal || b.type === bsonType.decimal) {
    return writeDecimal(decimal(toDecimal(a), toDecimal(b)));
  }
  if (a.type === bsonType.double || b.type === bsonType.double) {
    return toBson(new Double(real(toDouble(a), toDouble(b))));
  }
  const result = whole(toInteger(a) ?? 0n, toInteger(b) ?? 0n);
  return result < int64Min || result > int64Max ? undefined : toBson(result);
}

function orDouble(a: BsonValue, b: BsonValue, operation: Operation): BsonValue {
  return exactly(a, b, operation) ?? toBson(new Double(operation.real(toDouble(a), toDouble(b))));
}

/** The sum as expressions have it: in the wider of two types, int32 that overflows as int64, int64 as a double. */
export function addNumbers(a: BsonValue, b: BsonValue): BsonValue {
  return orDouble(a, b, addition);
}

/** The difference, in the types of addNumbers. */
export function subtractNumbers(a: BsonValue, b: BsonValue): BsonValue {
  return orDouble(a, b, subtraction);
}

/** The product, in the types of addNumbers. */
export function multiplyNumbers(a: BsonValue, b: BsonValue): BsonValue {
  return orDouble(a, b, multiplication);
}

/** Like addNumbers, but undefined when int64 overflows: updates refuse that. */
export function addExactly(a: BsonValue, b: BsonValue): BsonValue | undefined {
  return exactly(a, b, addition);
}

/** Like multiplyNumbers, but undefined when int64 overflows: updates refuse that. */
export function multiplyExactly(a: BsonValue, b: BsonValue): BsonValue | undefined {
  return exactly(a, b, multiplication);
}
