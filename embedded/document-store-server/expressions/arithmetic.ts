import { divideDecimals, isZeroDecimal, readDecimal, remainderDecimal, writeDecimal } from '../bson/decimal.js';
import { addNumbers, multiplyNumbers, subtractNumbers, toDecimal, toDouble, toInteger } from '../bson/numbers.js';
import { type BsonValue, bsonType } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { binary, lazy, type Operators, typeOf } from './expression.js';
import {
  dateValue,
  doubleValue,
  fitsInt32,
  fitsInt64,
  int32Value,
  int64Value,
  isNullish,
  nullValue,
  type Value,
} from './values.js';

const many = Number.POSITIVE_INFINITY;

function wrongTypes(message: string): CommandError {
  return new CommandError(code.typeMismatch, message);
}

/** Milliseconds of a date. */
export function millisecondsOf(date: BsonValue): bigint {
  return date.buffer.readBigInt64LE(date.start);
}

function dateAt(milliseconds: bigint): BsonValue {
  if (!fitsInt64(milliseconds)) throw new CommandError(code.overflow, 'date overflow');
  return dateValue(milliseconds);
}

/** A number as whole milliseconds: fractions are rounded, halves away from zero (of decimals to the even neighbour). */
function asMilliseconds(value: BsonValue): bigint {
  const whole = toInteger(value);
  if (whole !== undefined) return whole;
  const double = toDouble(value);
  if (!Number.isFinite(double) || Math.abs(double) >= 2 ** 63) throw new CommandError(code.overflow, 'date overflow');
  if (value.type === bsonType.decimal) {
    const { negative, coefficient, exponent } = readDecimal(value);
    const unit = 10n ** BigInt(-exponent);
    const rest = coefficient % unit;
    const quotient = coefficient / unit;
    const up = rest * 2n > unit || (rest * 2n === unit && quotient % 2n === 1n) ? quotient + 1n : quotient;
    return negative ? -up : up;
  }
  return BigInt(Math.sign(double) * Math.round(Math.abs(double)));
}

/** int32 that overflowed on the way stays an int32 when the result fits again, as long as all operands were. */
function narrowed(result: BsonValue, allInt32: boolean): BsonValue {
  if (!allInt32 || result.type !== bsonType.int64) return result;
  const whole = result.buffer.readBigInt64LE(result.start);
  return fitsInt32(whole) ? int32Value(Number(whole)) : result;
}

function subtract(left: Value, right: Value): Value {
  if (isNullish(left) || isNullish(right)) return nullValue;
  if (left.isNumber && right.isNumber) return subtractNumbers(left, right);
  if (left.type === bsonType.date && right.type === bsonType.date) {
    const difference = millisecondsOf(left) - millisecondsOf(right);
    if (!fitsInt64(difference)) throw new CommandError(code.overflow, 'date overflow');
    return int64Value(difference);
  }
  if (left.type === bsonType.date && right.isNumber) return dateAt(millisecondsOf(left) - asMilliseconds(right));
  throw wrongTypes(`can't $subtract ${typeOf(right)} from ${typeOf(left)}`);
}

/** The quotient of two numbers: a double, or a decimal when one of them is. @throws CommandError 2 for a zero divisor */
function divide(left: Value, right: Value): Value {
  if (left?.isNumber !== true || right?.isNumber !== true) {
    if (isNullish(left) || isNullish(right)) return nullValue;
    throw wrongTypes(`$divide only supports numeric types, not ${typeOf(left)} and ${typeOf(right)}`);
  }
  const byZero = () => new CommandError(code.badValue, "can't $divide by zero");
  if (left.type === bsonType.decimal || right.type === bsonType.decimal) {
    const divisor = toDecimal(right);
    if (isZeroDecimal(divisor)) throw byZero();
    return writeDecimal(divideDecimals(toDecimal(left), divisor));
  }
  const divisor = toDouble(right);
  if (divisor === 0) throw byZero();
  return doubleValue(toDouble(left) / divisor);
}

function modulo(left: Value, right: Value): Value {
  if (left?.isNumber !== true || right?.isNumber !== true) {
    if (isNullish(left) || isNullish(right)) return nullValue;
    throw new CommandError(16611, `$mod only supports numeric types, not ${typeOf(left)} and ${typeOf(right)}`);
  }
  if (left.type === bsonType.decimal || right.type === bsonType.decimal) {
    const divisor = toDecimal(right);
    if (isZeroDecimal(divisor)) throw new CommandError(5733415, "can't $mod by zero");
    return writeDecimal(remainderDecimal(toDecimal(left), divisor));
  }
  if (toDouble(right) === 0) throw new CommandError(16610, "can't $mod by zero");
  const divisor = toInteger(right);
  // a double with the value of an int32 counts as one; later versions take the wider type
  const isWhole = right.type !== bsonType.double || (divisor !== undefined && fitsInt32(divisor));
  if (left.type === bsonType.double || !isWhole) return doubleValue(toDouble(left) % toDouble(right));
  const rest = (toInteger(left) ?? 0n) % (divisor ?? 1n);
  return left.type === bsonType.int64 || right.type === bsonType.int64 ? int64Value(rest) : int32Value(Number(rest));
}

export const arithmeticOperators: Operators = {
  $add: lazy(0, many, (parts, frame) => {
    let total = int32Value(0);
    let allInt32 = true;
    let hasDate = false;
    for (const part of parts) {
      const value = part.evaluate(frame);
      if (isNullish(value)) return nullValue;
      const isDate = value.type === bsonType.date;
      if (!value.isNumber && !isDate) {
        throw wrongTypes(`$add only supports numeric or date types, not ${typeOf(value)}`);
      }
      if (isDate && hasDate) throw new CommandError(16612, 'only one date allowed in an $add expression');
      hasDate ||= isDate;
      allInt32 &&= value.type === bsonType.int32;
      total = addNumbers(total, isDate ? int64Value(millisecondsOf(value)) : value);
    }
    // fractions of milliseconds are added before they are rounded
    return hasDate ? dateAt(asMilliseconds(total)) : narrowed(total, allInt32);
  }),
  $multiply: lazy(0, many, (parts, frame) => {
    let product = int32Value(1);
    let allInt32 = true;
    for (const part of parts) {
      const value = part.evaluate(frame);
      if (isNullish(value)) return nullValue;
      if (!value.isNumber) throw wrongTypes(`$multiply only supports numeric types, not ${typeOf(value)}`);
      allInt32 &&= value.type === bsonType.int32;
      product = multiplyNumbers(product, value);
    }
    return narrowed(product, allInt32);
  }),
  $subtract: binary(subtract),
  $divide: binary(divide),
  $mod: binary(modulo),
};
