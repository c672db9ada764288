import { BsonValue, bsonType } from './value.js';

/** sign * coefficient * 10^exponent, exactly. */
export interface ExactDecimal {
  negative: boolean;
  coefficient: bigint;
  exponent: number;
}

/** A Decimal128: up to 34 digits, exponents from -6176 to 6111, zeros with sign and exponent, infinities and NaN. */
export interface Decimal extends ExactDecimal {
  form: 'finite' | 'infinity' | 'nan';
}

export type Rounding = 'halfEven' | 'floor' | 'ceil' | 'trunc';

const mostDigits = 34;
const leastExponent = -6176;
const mostExponent = 6111;
const mostCoefficient = 10n ** 34n - 1n;

export const decimalNaN: Decimal = { form: 'nan', negative: false, coefficient: 0n, exponent: 0 };

export function decimalInfinity(negative: boolean): Decimal {
  return { form: 'infinity', negative, coefficient: 0n, exponent: 0 };
}

function power(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}

function digitsOf(coefficient: bigint): number {
  return coefficient === 0n ? 0 : coefficient.toString().length;
}

/** A coefficient without its last `digits` digits; `inexact` says that more than these was lost before. */
function shorten(
  coefficient: bigint,
  digits: number,
  negative: boolean,
  rounding: Rounding = 'halfEven',
  inexact = false,
): bigint {
  // what is far below one unit rounds alike, however far it is
  const isTiny = digits > digitsOf(coefficient) + 1;
  const unit = isTiny ? 10n : power(digits);
  const dividend = isTiny && coefficient !== 0n ? 1n : coefficient;
  const whole = dividend / unit;
  const rest = dividend % unit;
  if ((rest === 0n && !inexact) || rounding === 'trunc') return whole;
  if (rounding !== 'halfEven') return (rounding === 'floor') === negative ? whole + 1n : whole;
  const half = rest * 2n - unit;
  return half > 0n || (half === 0n && (inexact || whole % 2n === 1n)) ? whole + 1n : whole;
}

/** Fits an exact result into 34 digits and the range of exponents, rounding once, half to even. */
function rounded({ negative, coefficient, exponent }: ExactDecimal, inexact = false): Decimal {
  const drop = Math.max(digitsOf(coefficient) - mostDigits, leastExponent - exponent, 0);
  let kept = drop === 0 ? coefficient : shorten(coefficient, drop, negative, 'halfEven', inexact);
  let scale = exponent + drop;
  if (kept > mostCoefficient) {
    kept /= 10n;
    scale++;
  }
  if (kept === 0n) return { form: 'finite', negative, coefficient: 0n, exponent: Math.min(scale, mostExponent) };
  if (scale > mostExponent) {
    if (digitsOf(kept) + scale - mostExponent > mostDigits) return decimalInfinity(negative);
    kept *= power(scale - mostExponent);
    scale = mostExponent;
  }
  return { form: 'finite', negative, coefficient: kept, exponent: scale };
}

/** Reads a Decimal128 value; a coefficient beyond 34 digits counts as zero, as IEEE 754 has it. */
export function readDecimal({ buffer, start }: BsonValue): Decimal {
  const high = buffer.readBigUInt64LE(start + 8);
  const negative = high >> 63n === 1n;
  const combination = Number((high >> 58n) & 0x1fn);
  if (combination === 0x1f) return decimalNaN;
  if (combination === 0x1e) return decimalInfinity(negative);
  if (combination >= 0x18) {
    return { form: 'finite', negative, coefficient: 0n, exponent: Number((high >> 47n) & 0x3fffn) + leastExponent };
  }
  const coefficient = ((high & 0x1ffffffffffffn) << 64n) | buffer.readBigUInt64LE(start);
  return {
    form: 'finite',
    negative,
    coefficient: coefficient > mostCoefficient ? 0n : coefficient,
    exponent: Number((high >> 49n) & 0x3fffn) + leastExponent,
  };
}

/** A decimal as a Decimal128 value. */
export function writeDecimal({ form, negative, coefficient, exponent }: Decimal): BsonValue {
  const bytes = Buffer.alloc(16);
  let high = negative ? 1n << 63n : 0n;
  if (form === 'nan') high = 0x1fn << 58n;
  else if (form === 'infinity') high |= 0x1en << 58n;
  else {
    high |= (BigInt(exponent - leastExponent) << 49n) | (coefficient >> 64n);
    bytes.writeBigUInt64LE(coefficient & 0xffffffffffffffffn);
  }
  bytes.writeBigUInt64LE(high, 8);
  return new BsonValue(bsonType.decimal, bytes, 0, 16);
}

export function decimalOfInteger(integer: bigint): Decimal {
  return rounded({ negative: integer < 0n, coefficient: integer < 0n ? -integer : integer, exponent: 0 });
}

/** The exact value of a finite double. */
export function exactDouble(value: number): ExactDecimal {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleBE(Math.abs(value));
  const bits = bytes.readBigUInt64BE();
  const biased = Number(bits >> 52n);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = biased === 0 ? fraction : fraction | 0x10000000000000n;
  const shift = biased === 0 ? -1074 : biased - 1075;
  const negative = value < 0 || Object.is(value, -0);
  return shift >= 0
    ? { negative, coefficient: mantissa << BigInt(shift), exponent: 0 }
    : { negative, coefficient: mantissa * 5n ** BigInt(-shift), exponent: shift };
}

/** A double as MongoDB turns it into a decimal: 15 significant digits, trailing zeros kept (0.1 is 0.100000000000000). */
export function decimalOfDouble(value: number): Decimal {
  if (Number.isNaN(value)) return decimalNaN;
  if (!Number.isFinite(value)) return decimalInfinity(value < 0);
  const exact = exactDouble(value);
  if (value === 0) return { form: 'finite', negative: exact.negative, coefficient: 0n, exponent: 0 };
  const { negative, coefficient, exponent } = rounded(exact);
  const drop = digitsOf(coefficient) - 15;
  const kept = drop > 0 ? shorten(coefficient, drop, negative) : coefficient * power(-drop);
  return kept === 10n ** 15n
    ? { form: 'finite', negative, coefficient: 10n ** 14n, exponent: exponent + drop + 1 }
    : { form: 'finite', negative, coefficient: kept, exponent: exponent + drop };
}

export function negateDecimal(value: Decimal): Decimal {
  return value.form === 'nan' ? value : { ...value, negative: !value.negative };
}

/** Terms further apart than this leave the sum's 34 digits alone, but for the rounding. */
const widestGap = 2 * mostDigits + 2;

export function addDecimals(a: Decimal, b: Decimal): Decimal {
  if (a.form === 'nan' || b.form === 'nan') return decimalNaN;
  if (a.form === 'infinity') return b.form === 'infinity' && a.negative !== b.negative ? decimalNaN : a;
  if (b.form === 'infinity') return b;
  if (a.exponent < b.exponent) return addDecimals(b, a);
  if (a.coefficient === 0n && b.coefficient !== 0n) return b;
  const isFar = a.exponent - b.exponent > widestGap && a.coefficient !== 0n;
  const exponent = isFar ? a.exponent - widestGap : b.exponent;
  const upper = a.coefficient === 0n ? 0n : a.coefficient * power(a.exponent - exponent);
  const lower = isFar && b.coefficient !== 0n ? 1n : b.coefficient;
  const sum = (a.negative ? -upper : upper) + (b.negative ? -lower : lower);
  const negative = sum === 0n ? a.negative && b.negative : sum < 0n;
  return rounded({ negative, coefficient: sum < 0n ? -sum : sum, exponent });
}

export function subtractDecimals(a: Decimal, b: Decimal): Decimal {
  return addDecimals(a, negateDecimal(b));
}

export function multiplyDecimals(a: Decimal, b: Decimal): Decimal {
  if (a.form === 'nan' || b.form === 'nan') return decimalNaN;
  const negative = a.negative !== b.negative;
  if (a.form === 'infinity' || b.form === 'infinity') {
    return isZeroDecimal(a) || isZeroDecimal(b) ? decimalNaN : decimalInfinity(negative);
  }
  return rounded({ negative, coefficient: a.coefficient * b.coefficient, exponent: a.exponent + b.exponent });
}

/** The quotient; x / 0 is an infinity and 0 / 0 NaN. */
export function divideDecimals(a: Decimal, b: Decimal): Decimal {
  if (a.form === 'nan' || b.form === 'nan') return decimalNaN;
  const negative = a.negative !== b.negative;
  if (a.form === 'infinity') return b.form === 'infinity' ? decimalNaN : decimalInfinity(negative);
  if (b.form === 'infinity') return { form: 'finite', negative, coefficient: 0n, exponent: leastExponent };
  if (b.coefficient === 0n) return a.coefficient === 0n ? decimalNaN : decimalInfinity(negative);
  const preferred = a.exponent - b.exponent;
  const scale = Math.max(mostDigits + 1 + digitsOf(b.coefficient) - digitsOf(a.coefficient), 0);
  const dividend = a.coefficient * power(scale);
  let coefficient = dividend / b.coefficient;
  let exponent = preferred - scale;
  const inexact = dividend % b.coefficient !== 0n;
  while (!inexact && exponent < preferred && coefficient % 10n === 0n) {
    coefficient /= 10n;
    exponent++;
  }
  return rounded({ negative, coefficient, exponent }, inexact);
}

/** What is left of `a` after whole multiples of `b`, with the sign of `a`; NaN for an infinite `a` and a zero `b`. */
export function remainderDecimal(a: Decimal, b: Decimal): Decimal {
  if (a.form !== 'finite' || b.form === 'nan' || isZeroDecimal(b)) return decimalNaN;
  if (b.form === 'infinity') return a;
  const exponent = Math.min(a.exponent, b.exponent);
  const rest = (a.coefficient * power(a.exponent - exponent)) % (b.coefficient * power(b.exponent - exponent));
  return rounded({ negative: a.negative, coefficient: rest, exponent });
}

/** The value with exactly this exponent; NaN when that needs more than 34 digits, or for an infinity. */
export function quantizeDecimal(value: Decimal, exponent: number, rounding: Rounding = 'halfEven'): Decimal {
  if (value.form !== 'finite' || exponent < leastExponent || exponent > mostExponent) return decimalNaN;
  const { negative } = value;
  const drop = exponent - value.exponent;
  if (value.coefficient !== 0n && digitsOf(value.coefficient) - drop > mostDigits) return decimalNaN;
  const coefficient =
    drop > 0
      ? shorten(value.coefficient, drop, negative, rounding)
      : value.coefficient * (value.coefficient === 0n ? 0n : power(-drop));
  return coefficient > mostCoefficient ? decimalNaN : { form: 'finite', negative, coefficient, exponent };
}

/** The whole number beside the value; what is whole already, infinite or NaN stays as it is. */
export function roundDecimal(value: Decimal, rounding: Rounding = 'halfEven'): Decimal {
  return value.form === 'finite' && value.exponent < 0 ? quantizeDecimal(value, 0, rounding) : value;
}

export function isZeroDecimal(value: Decimal): boolean {
  return value.form === 'finite' && value.coefficient === 0n;
}

/** A decimal that is a whole number as a bigint; undefined for all others. */
export function wholeDecimal({ form, negative, coefficient, exponent }: Decimal): bigint | undefined {
  if (form !== 'finite') return undefined;
  let whole = coefficient;
  if (exponent > 0) whole = coefficient === 0n ? 0n : coefficient * power(exponent);
  else if (coefficient !== 0n && exponent < 0) {
    if (digitsOf(coefficient) <= -exponent || coefficient % power(-exponent) !== 0n) return undefined;
    whole = coefficient / power(-exponent);
  }
  return negative ? -whole : whole;
}
