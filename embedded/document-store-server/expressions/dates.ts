import { type BsonValue, bsonType, fieldsOf, itemsOf } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import {
  checkFormat,
  dayOfYear,
  formatDate,
  isoDayOfWeek,
  isoFormat,
  isoFormatWithoutZone,
  isoWeek,
  localDate,
  weekOfYear,
} from './date-format.js';
import { combine, type Expression, type Frame, type Operator, type Operators, typeOf } from './expression.js';
import { namedArguments, optionalArgument, requiredArgument } from './named-arguments.js';
import { type TimeZone, timeZone, utc } from './time-zone.js';
import { int32Value, int64Value, isNullish, nullValue, stringValue, type Value } from './values.js';

/** Milliseconds since 1970 of a date, a timestamp or an ObjectId; undefined for other types. */
export function instantOfValue(value: BsonValue): number | undefined {
  switch (value.type) {
    case bsonType.date:
      return Number(value.buffer.readBigInt64LE(value.start));
    case bsonType.timestamp:
      return value.buffer.readUInt32LE(value.start + 4) * 1000;
    case bsonType.objectId:
      return value.buffer.readUInt32BE(value.start) * 1000;
    default:
      return undefined;
  }
}

/** @param wrongType the code for what is no date */
export function instantFrom(value: BsonValue, wrongType = 16006): number {
  const instant = instantOfValue(value);
  if (instant === undefined) throw new CommandError(wrongType, `can't convert from BSON type ${typeOf(value)} to Date`);
  return instant;
}

/** The zone an operator's `timezone` names: UTC without one, undefined when it is null. */
export function zoneFrom(expression: Expression | undefined, frame: Frame): TimeZone | undefined {
  if (expression === undefined) return utc;
  const id = expression.evaluate(frame);
  if (isNullish(id)) return undefined;
  if (id.type !== bsonType.string)
    throw new CommandError(40517, `timezone must evaluate to a string, found ${typeOf(id)}`);
  return timeZone(id.text);
}

const partRules = { notObject: 40535, unknown: 40535, names: { date: 40539, timezone: undefined } };

/** An operator such as `$year`: on a date, or on `{ date, timezone }`. */
function datePart(tell: (local: Date) => BsonValue): Operator {
  return (operand, compiler, name) => {
    let given = new Map([['date', operand]]);
    if (operand.type === bsonType.array) {
      const [only, ...more] = itemsOf(operand);
      if (only === undefined || more.length > 0) {
        throw new CommandError(40536, `${name} accepts exactly one argument if given an array`);
      }
      given = new Map([['date', only]]);
    } else if (operand.type === bsonType.document && fieldsOf(operand)[0]?.[0].startsWith('$') !== true) {
      given = namedArguments(operand, partRules, name);
    }
    const date = requiredArgument(given, 'date', compiler);
    const zone = optionalArgument(given, 'timezone', compiler);
    return combine([date, zone], (frame) => {
      const value = date.evaluate(frame);
      if (isNullish(value)) return nullValue;
      const instant = instantFrom(value);
      const where = zoneFrom(zone, frame);
      return where === undefined ? nullValue : tell(localDate(instant, where.offsetAt(instant)));
    });
  };
}

const toStringRules = {
  notObject: 18629,
  unknown: 18534,
  names: { date: 18628, format: undefined, timezone: undefined, onNull: undefined },
};

function formatFrom(value: Value): string | undefined {
  if (isNullish(value)) return undefined;
  if (value.type !== bsonType.string) {
    throw new CommandError(18533, `$dateToString requires that 'format' be a string, found: ${typeOf(value)}`);
  }
  checkFormat(value.text);
  return value.text;
}

const dateToString: Operator = (operand, compiler, name) => {
  const given = namedArguments(operand, toStringRules, name);
  const date = requiredArgument(given, 'date', compiler);
  const format = optionalArgument(given, 'format', compiler);
  const zone = optionalArgument(given, 'timezone', compiler);
  const onNull = optionalArgument(given, 'onNull', compiler);
  return combine([date, format, zone, onNull], (frame) => {
    const value = date.evaluate(frame);
    const asked = formatFrom(format?.evaluate(frame));
    const where = zoneFrom(zone, frame);
    if (isNullish(value)) return onNull === undefined ? nullValue : onNull.evaluate(frame);
    if (where === undefined || (format !== undefined && asked === undefined)) return nullValue;
    const instant = instantFrom(value);
    const used = asked ?? (where.isUtc ? isoFormat : isoFormatWithoutZone);
    return stringValue(formatDate(used, instant, where.offsetAt(instant)));
  });
};

/** @throws CommandError 9 for a unit that is none */
export function unitFrom<T extends string>(value: BsonValue, units: readonly T[], name: string): T {
  if (value.type !== bsonType.string) {
    throw new CommandError(5439013, `${name} requires 'unit' to be a string, but got ${typeOf(value)}`);
  }
  const unit = units.find((known) => known === value.text);
  if (unit === undefined) throw new CommandError(code.failedToParse, `${name}: unknown time unit value: ${value.text}`);
  return unit;
}

export const dateOperators: Operators = {
  $year: datePart((local) => int32Value(local.getUTCFullYear())),
  $month: datePart((local) => int32Value(local.getUTCMonth() + 1)),
  $dayOfMonth: datePart((local) => int32Value(local.getUTCDate())),
  $hour: datePart((local) => int32Value(local.getUTCHours())),
  $minute: datePart((local) => int32Value(local.getUTCMinutes())),
  $second: datePart((local) => int32Value(local.getUTCSeconds())),
  $millisecond: datePart((local) => int32Value(local.getUTCMilliseconds())),
  $dayOfWeek: datePart((local) => int32Value(local.getUTCDay() + 1)),
  $dayOfYear: datePart((local) => int32Value(dayOfYear(local))),
  $week: datePart((local) => int32Value(weekOfYear(local))),
  $isoDayOfWeek: datePart((local) => int32Value(isoDayOfWeek(local))),
  $isoWeek: datePart((local) => int32Value(isoWeek(local).week)),
  $isoWeekYear: datePart((local) => int64Value(BigInt(isoWeek(local).year))),
  $dateToString: dateToString,
};
