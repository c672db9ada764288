import {
  decimalOfDouble,
  decimalOfInteger,
  isZeroDecimal,
  readDecimal,
  roundDecimal,
  wholeDecimal,
  writeDecimal,
} from '../bson/decimal.js';
import { toDouble, toInteger } from '../bson/numbers.js';
import { BsonValue, bsonType, itemsOf, typeName, typeOfName } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { parseDate } from './date-parse.js';
import { instantOfValue } from './dates.js';
import { combine, type Operator, type Operators, typeOf, unary } from './expression.js';
import { namedArguments, optionalArgument, requiredArgument } from './named-arguments.js';
import { parseDecimal, parseDouble } from './number-parse.js';
import { textOf } from './text.js';
import {
  booleanValue,
  dateValue,
  doubleValue,
  fitsInt32,
  fitsInt64,
  int32Of,
  int32Value,
  int64Value,
  isNullish,
  isTrue,
  nullValue,
  stringValue,
  type Value,
} from './values.js';

function failed(reason: string): CommandError {
  return new CommandError(code.conversionFailure, `${reason} in $convert with no onError value`);
}

function unsupported(value: BsonValue, target: string): CommandError {
  return failed(`Unsupported conversion from ${typeOf(value)} to ${target}`);
}

/** What is left of a number without its fraction. */
function truncated(value: BsonValue): bigint {
  const whole = toInteger(value);
  if (whole !== undefined) return whole;
  if (value.type === bsonType.decimal) {
    const decimal = wholeDecimal(roundDecimal(readDecimal(value), 'trunc'));
    if (decimal !== undefined) return decimal;
  } else {
    const double = Math.trunc(toDouble(value));
    if (Number.isFinite(double)) return BigInt(double);
  }
  throw failed('Attempt to convert NaN or infinity value to integer type');
}

function checkedInteger(value: BsonValue, fits: (whole: bigint) => boolean): bigint {
  const whole = truncated(value);
  const double = value.type === bsonType.double ? toDouble(value) : 0;
  // a fraction beyond the last int32 does not save a double
  const isBeyond = fits === fitsInt32 && (double > 2 ** 31 - 1 || double < -(2 ** 31));
  if (!fits(whole) || isBeyond) throw failed('Conversion would overflow target type');
  return whole;
}

function integerOf(value: BsonValue, target: 'int' | 'long'): bigint {
  const fits = target === 'int' ? fitsInt32 : fitsInt64;
  if (value.isNumber) return checkedInteger(value, fits);
  if (value.type === bsonType.boolean) return isTrue(value) ? 1n : 0n;
  if (value.type === bsonType.date && target === 'long') return value.buffer.readBigInt64LE(value.start);
  if (value.type !== bsonType.string) throw unsupported(value, target);
  if (!/^[+-]?\d+$/.test(value.text)) throw failed(`Failed to parse number '${value.text}'`);
  const whole = BigInt(value.text.replace(/^\+/, ''));
  if (!fits(whole)) throw failed(`Failed to parse number '${value.text}': Overflow`);
  return whole;
}

function doubleOf(value: BsonValue): number {
  switch (value.type) {
    case bsonType.decimal: {
      const decimal = readDecimal(value);
      const double = toDouble(value);
      const isLost =
        decimal.form === 'finite' && (!Number.isFinite(double) || (double === 0 && !isZeroDecimal(decimal)));
      if (isLost) throw failed('Conversion would overflow target type');
      return double;
    }
    case bsonType.boolean:
      return isTrue(value) ? 1 : 0;
    case bsonType.date:
      return Number(value.buffer.readBigInt64LE(value.start));
    case bsonType.string: {
      const double = parseDouble(value.text);
      if (double === undefined) throw failed(`Failed to parse number '${value.text}'`);
      return double;
    }
    default:
      if (value.isNumber) return toDouble(value);
      throw unsupported(value, 'double');
  }
}

function decimalOf(value: BsonValue): BsonValue {
  if (value.type === bsonType.decimal) return value;
  if (value.type === bsonType.double) return writeDecimal(decimalOfDouble(toDouble(value)));
  if (value.type !== bsonType.string) {
    if (!value.isNumber && value.type !== bsonType.boolean && value.type !== bsonType.date)
      throw unsupported(value, 'decimal');
    return writeDecimal(decimalOfInteger(integerOf(value, 'long')));
  }
  const decimal = parseDecimal(value.text);
  if (decimal === undefined) throw failed(`Failed to parse number '${value.text}'`);
  return decimal;
}

function dateOf(value: BsonValue): BsonValue {
  if (value.type === bsonType.string) return dateValue(BigInt(parseDate(value.text)));
  const instant = instantOfValue(value);
  if (instant !== undefined) return value.type === bsonType.date ? value : dateValue(BigInt(instant));
  if (!value.isNumber || value.type === bsonType.int32) throw unsupported(value, 'date');
  return dateValue(checkedInteger(value, fitsInt64));
}

function objectIdOf(value: BsonValue): BsonValue {
  if (value.type === bsonType.objectId) return value;
  if (value.type !== bsonType.string) throw unsupported(value, 'objectId');
  if (!/^[0-9a-f]{24}$/i.test(value.text)) throw failed(`Failed to parse objectId '${value.text}'`);
  return new BsonValue(bsonType.objectId, Buffer.from(value.text, 'hex'), 0, 12);
}

function stringOf(value: BsonValue): BsonValue {
  if (value.type === bsonType.string) return value;
  if (value.type === bsonType.objectId) return stringValue(value.bytes.toString('hex'));
  if (value.type === bsonType.boolean) return stringValue(String(isTrue(value)));
  const isCode = value.type === bsonType.symbol || value.type === bsonType.code;
  const text = isCode ? undefined : textOf(value);
  if (text === undefined) throw unsupported(value, 'string');
  return stringValue(text);
}

const conversions: Record<string, (value: BsonValue) => BsonValue> = {
  double: (value) => doubleValue(doubleOf(value)),
  string: stringOf,
  objectId: objectIdOf,
  bool: (value) => booleanValue(isTrue(value)),
  date: dateOf,
  int: (value) => int32Value(Number(integerOf(value, 'int'))),
  long: (value) => int64Value(integerOf(value, 'long')),
  decimal: decimalOf,
};

/** The name of the type asked for. @throws CommandError 2 for an unknown name, 9 for a number that is no type's */
function targetFrom(value: BsonValue): string {
  if (value.type === bsonType.string) {
    if (value.text !== 'missing' && typeOfName(value.text) === undefined) {
      throw new CommandError(code.badValue, `Unknown type name: ${value.text}`);
    }
    return value.text;
  }
  const name = value.isNumber ? typeName(int32Of(value) ?? -1) : undefined;
  if (name === undefined || typeOfName(name) === undefined) {
    throw new CommandError(code.failedToParse, "$convert's 'to' argument must be the name or the number of a type");
  }
  return name;
}

function convertTo(value: BsonValue, target: string): BsonValue {
  const conversion = Object.hasOwn(conversions, target) ? conversions[target] : undefined;
  if (conversion === undefined) throw unsupported(value, target);
  return conversion(value);
}

const failedToParse = code.failedToParse;
const rules = {
  notObject: failedToParse,
  unknown: failedToParse,
  names: { input: failedToParse, to: failedToParse, onError: undefined, onNull: undefined },
};

const convert: Operator = (operand, compiler, name) => {
  const given = namedArguments(operand, rules, name);
  const input = requiredArgument(given, 'input', compiler);
  const to = requiredArgument(given, 'to', compiler);
  const onError = optionalArgument(given, 'onError', compiler);
  const onNull = optionalArgument(given, 'onNull', compiler);
  return combine([input, to, onError, onNull], (frame) => {
    const asked = to.evaluate(frame);
    const target = isNullish(asked) ? undefined : targetFrom(asked);
    const value = input.evaluate(frame);
    if (isNullish(value)) return onNull === undefined ? nullValue : onNull.evaluate(frame);
    if (target === undefined) return nullValue;
    try {
      return convertTo(value, target);
    } catch (err) {
      const isRefused = err instanceof CommandError && err.code === code.conversionFailure;
      if (isRefused && onError !== undefined) return onError.evaluate(frame);
      throw err;
    }
  });
};

function shortFor(target: string): Operator {
  const convertOne = unary((value: Value) => (isNullish(value) ? nullValue : convertTo(value, target)));
  return (operand, compiler, name) => {
    const count = operand.type === bsonType.array ? itemsOf(operand).length : 1;
    if (count !== 1) throw new CommandError(50723, `${name} requires a single argument, got ${count}`);
    return convertOne(operand, compiler, name);
  };
}

export const conversionOperators: Operators = {
  $convert: convert,
  $toString: shortFor('string'),
  $toInt: shortFor('int'),
  $toLong: shortFor('long'),
  $toDouble: shortFor('double'),
  $toDecimal: shortFor('decimal'),
  $toBool: shortFor('bool'),
  $toDate: shortFor('date'),
  $toObjectId: shortFor('objectId'),
  $type: unary((value) => stringValue(typeOf(value))),
  $isNumber: unary((value) => booleanValue(value?.isNumber === true)),
};
