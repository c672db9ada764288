import { decimalText } from '../bson/numbers.js';
import { type BsonValue, bsonType } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { millisecondsOf } from './arithmetic.js';
import { formatDate, isoFormat } from './date-format.js';
import { typeOf } from './expression.js';
import { isNullish, type Value } from './values.js';

/** A double with up to 16 significant digits, as MongoDB writes one: `0.1`, `1e+20`, `-0`. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [digits = '', exponentText = '0'] = value.toExponential(15).split('e');
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 16) return value.toFixed(15 - exponent).replace(/\.?0+$/, '');
  const mantissa = digits.replace(/\.?0+$/, '');
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** A number, string or date as text; undefined for other types. */
export function textOf(value: BsonValue): string | undefined {
  switch (value.type) {
    case bsonType.string:
    case bsonType.symbol:
    case bsonType.code:
      return value.text;
    case bsonType.int32:
      return String(value.buffer.readInt32LE(value.start));
    case bsonType.int64:
      return String(value.buffer.readBigInt64LE(value.start));
    case bsonType.double:
      return doubleText(value.buffer.readDoubleLE(value.start));
    case bsonType.decimal:
      return decimalText(value);
    case bsonType.date:
      return formatDate(isoFormat, millisecondsOf(value), 0);
    default:
      return undefined;
  }
}

/** What string operators make of their operand: null and missing are empty. @throws CommandError 16007 for other types */
export function coerceToText(value: Value): string {
  if (isNullish(value)) return '';
  const text = textOf(value);
  if (text === undefined) throw new CommandError(16007, `can't convert from BSON type ${typeOf(value)} to String`);
  return text;
}
