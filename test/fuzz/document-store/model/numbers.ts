// "Numeric types undergo conversion before comparison", without loss:
// https://www.mongodb.com/docs/v7.0/reference/bson-type-comparison-order/#numeric-types
// The layout of doubles is IEEE 754's; Decimal128 is read from its text, as its own specification gives it:
// https://github.com/mongodb/specifications/blob/master/source/bson-decimal128/decimal128.md
import type { Decimal128, Double, Int32, Long } from 'bson';
import { as, type TypeName, typeOf, type Value } from './values.js';

/** A number as a fraction of whole numbers, or one of the three that are none. */
export type Exact = 'NaN' | 'Infinity' | '-Infinity' | { readonly over: bigint; readonly under: bigint };

const numeric: ReadonlySet<TypeName> = new Set(['double', 'int', 'long', 'decimal']);

export const isNumber = (value: Value | undefined): value is Double | Int32 | Long | Decimal128 =>
  value !== undefined && numeric.has(typeOf(value));

export function exact(value: Value): Exact {
  switch (typeOf(value)) {
    case 'int':
      return { over: BigInt(as<Int32>(value).value), under: 1n };
    case 'long':
      return { over: as<Long>(value).toBigInt(), under: 1n };
    case 'double':
      return ofDouble(as<Double>(value).value);
    default:
      return ofDecimalText(as<Decimal128>(value).toString());
  }
}

export function compareNumbers(a: Value, b: Value): number {
  const [left, right] = [plain(a), plain(b)];
  if (left === undefined || right === undefined) return compareExact(exact(a), exact(b));
  if (Number.isNaN(left) || Number.isNaN(right)) return Number(Number.isNaN(right)) - Number(Number.isNaN(left));
  return left < right ? -1 : left > right ? 1 : 0;
}

/** An int32 or a double, which lose nothing as a number of JavaScript. */
function plain(value: Value): number | undefined {
  const type = typeOf(value);
  return type === 'int' || type === 'double' ? as<Int32 | Double>(value).value : undefined;
}

/** NaN is below all numbers and equal to itself; -0 is 0. */
export function compareExact(a: Exact, b: Exact): number {
  const rank = (x: Exact) => (x === 'NaN' ? 0 : x === '-Infinity' ? 1 : x === 'Infinity' ? 3 : 2);
  if (typeof a === 'string' || typeof b === 'string') return rank(a) - rank(b);
  const left = a.over * b.under;
  const right = b.over * a.under;
  return left < right ? -1 : left > right ? 1 : 0;
}

export function isNaNValue(value: Value | undefined): boolean {
  return isNumber(value) && exact(value) === 'NaN';
}

/** The number without its fraction; undefined where there is no such int64. */
export function wholeOf(value: Value): bigint | undefined {
  const number = exact(value);
  if (typeof number === 'string') return undefined;
  const whole = number.over / number.under;
  return BigInt.asIntN(64, whole) === whole ? whole : undefined;
}

export function isWhole(value: Value): boolean {
  const number = exact(value);
  return typeof number !== 'string' && number.over % number.under === 0n;
}

function ofDouble(double: number): Exact {
  if (Number.isNaN(double)) return 'NaN';
  if (!Number.isFinite(double)) return double > 0 ? 'Infinity' : '-Infinity';
  let scaled = double;
  let under = 1n;
  // Doubling is exact, and after at most 1,074 times nothing is left behind the point.
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    under *= 2n;
  }
  return { over: BigInt(scaled), under };
}

function ofDecimalText(text: string): Exact {
  if (text === 'NaN' || text === 'Infinity' || text === '-Infinity') return text;
  const [, sign, whole, fraction = '', exponent = '0'] = /^([+-]?)(\d+)(?:\.(\d+))?(?:E([+-]?\d+))?$/i.exec(text) ?? [];
  if (whole === undefined) throw new RangeError(`${text} is no decimal number`);
  const digits = BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`);
  const power = Number(exponent) - fraction.length;
  return power >= 0
    ? { over: digits * 10n ** BigInt(power), under: 1n }
    : { over: digits, under: 10n ** BigInt(-power) };
}
