import {
  type Decimal,
  decimalOfInteger,
  exactDouble,
  quantizeDecimal,
  type Rounding,
  readDecimal,
  roundDecimal,
  wholeDecimal,
  writeDecimal,
} from '../bson/decimal.js';
import { toDouble, toInteger } from '../bson/numbers.js';
import { type BsonValue, bsonType } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { lazy, type Operator, type Operators, typeOf, unary } from './expression.js';
import {
  doubleValue,
  fitsInt32,
  fitsInt64,
  int32Of,
  int32Value,
  int64Least,
  int64Value,
  isNullish,
  nullValue,
  type Value,
} from './values.js';

const leastPlaces = -20;
const mostPlaces = 100;

function decimalToDouble({ form, negative, coefficient, exponent }: Decimal): number {
  if (form !== 'finite') return Number.NaN;
  return Number(`${negative ? '-' : ''}${coefficient}e${exponent}`);
}

/** The double nearest to what rounding its exact value to `places` decimal places gives. */
function roundDouble(value: number, places: number, rounding: Rounding): number {
  if (!Number.isFinite(value) || (places >= 0 && Number.isInteger(value))) return value;
  const exact = exactDouble(value);
  if (exact.exponent >= -places) return value;
  const unit = 10n ** BigInt(-places - exact.exponent);
  const rest = exact.coefficient % unit;
  const whole = exact.coefficient / unit;
  const twice = rest * 2n;
  const isUp = rounding === 'halfEven' && (twice > unit || (twice === unit && whole % 2n === 1n));
  return decimalToDouble({ ...exact, form: 'finite', coefficient: isUp ? whole + 1n : whole, exponent: -places });
}

function roundNumber(value: BsonValue, places: number, rounding: Rounding, name: string): BsonValue {
  if (value.type === bsonType.double) return doubleValue(roundDouble(toDouble(value), places, rounding));
  if (value.type === bsonType.decimal) {
    const decimal = readDecimal(value);
    return decimal.form === 'infinity' ? value : writeDecimal(quantizeDecimal(decimal, -places, rounding));
  }
  if (places >= 0) return value;
  const rounded = wholeDecimal(quantizeDecimal(decimalOfInteger(toInteger(value) ?? 0n), -places, rounding)) ?? 0n;
  if (!fitsInt64(rounded)) {
    throw new CommandError(51080, `invalid conversion from Decimal128 result in ${name}`);
  }
  return value.type === bsonType.int64 || !fitsInt32(rounded) ? int64Value(rounded) : int32Value(Number(rounded));
}

function toPlaces(rounding: Rounding): Operator {
  return lazy(1, 2, ([number, precision], frame, name) => {
    const value = number?.evaluate(frame);
    if (isNullish(value)) return nullValue;
    if (!value.isNumber) throw new CommandError(51081, `${name} only supports numeric types, not ${typeOf(value)}`);
    if (precision === undefined) return roundNumber(value, 0, rounding, name);
    const asked = precision.evaluate(frame);
    if (isNullish(asked)) return nullValue;
    const places = int32Of(asked);
    if (places === undefined) throw new CommandError(51082, `precision argument to ${name} must be a integral value`);
    if (places < leastPlaces || places > mostPlaces) {
      throw new CommandError(51083, `cannot apply ${name} with precision value ${places} value must be in [-20, 100]`);
    }
    return roundNumber(value, places, rounding, name);
  });
}

function abs(value: BsonValue): BsonValue {
  if (value.type === bsonType.double) return doubleValue(Math.abs(toDouble(value)));
  if (value.type === bsonType.decimal) return writeDecimal({ ...readDecimal(value), negative: false });
  const whole = toInteger(value) ?? 0n;
  if (whole === int64Least) throw new CommandError(28680, "can't take $abs of long long min");
  const positive = whole < 0n ? -whole : whole;
  return value.type === bsonType.int64 || !fitsInt32(positive) ? int64Value(positive) : int32Value(Number(positive));
}

/** An operator on one number; null and missing give null. */
function onNumber(evaluate: (value: BsonValue) => BsonValue): Operator {
  return unary((value: Value, name) => {
    if (isNullish(value)) return nullValue;
    if (!value.isNumber) throw new CommandError(28765, `${name} only supports numeric types, not ${typeOf(value)}`);
    return evaluate(value);
  });
}

function toWhole(rounding: Rounding, ofDouble: (value: number) => number): Operator {
  return onNumber((value) => {
    if (value.type === bsonType.double) return doubleValue(ofDouble(toDouble(value)));
    return value.type === bsonType.decimal ? writeDecimal(roundDecimal(readDecimal(value), rounding)) : value;
  });
}

export const roundingOperators: Operators = {
  $abs: onNumber(abs),
  $ceil: toWhole('ceil', Math.ceil),
  $floor: toWhole('floor', Math.floor),
  $round: toPlaces('halfEven'),
  $trunc: toPlaces('trunc'),
};
