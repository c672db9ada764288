import { Decimal128 } from 'bson';
import { BsonValue, bsonType } from '../bson/value.js';

const realText = /^[+-]?(?<whole>\d*)\.?(?<fraction>\d*)(?:e(?<exponent>[+-]?\d+))?$/i;
const infiniteText = /^[+-]?inf(?:inity)?$/i;
const nanText = /^[+-]?nan$/i;

const leastNormalExponent = -6143;
const leastExponent = -6176;

/** The parts of a number's text that has at least one digit before its exponent. */
function partsOf(text: string): { whole: string; fraction: string; exponent: number } | undefined {
  const { whole = '', fraction = '', exponent = '0' } = realText.exec(text)?.groups ?? {};
  return whole + fraction === '' ? undefined : { whole, fraction, exponent: Number(exponent) };
}

/** The nearest double; undefined for text that is no number, or one beyond all doubles. */
export function parseDouble(text: string): number | undefined {
  if (infiniteText.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (nanText.test(text)) return Number.NaN;
  const double = partsOf(text) === undefined ? Number.NaN : Number(text);
  return Number.isFinite(double) ? double : undefined;
}

/** Whether a number other than zero is so small that a decimal would lose digits of it, or all of it. */
function isTooSmall({ whole, fraction, exponent }: { whole: string; fraction: string; exponent: number }): boolean {
  const digits = (whole + fraction).replace(/^0+/, '');
  const last = exponent - fraction.length;
  const zeros = digits.length - digits.replace(/0+$/, '').length;
  return digits !== '' && last + digits.length - 1 < leastNormalExponent && last + zeros < leastExponent;
}

/** The nearest decimal; undefined for text that is no number, or one too large or too small for a decimal. */
export function parseDecimal(text: string): BsonValue | undefined {
  const parts = partsOf(text);
  const isNumber = parts !== undefined || infiniteText.test(text) || nanText.test(text);
  if (!isNumber || (parts !== undefined && isTooSmall(parts))) return undefined;
  try {
    return new BsonValue(bsonType.decimal, Buffer.from(Decimal128.fromStringWithRounding(text).bytes), 0, 16);
  } catch {
    return undefined;
  }
}
