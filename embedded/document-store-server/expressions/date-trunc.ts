import { toInteger } from '../bson/numbers.js';
import { type BsonValue, bsonType } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { localDate } from './date-format.js';
import { instantFrom, unitFrom, zoneFrom } from './dates.js';
import { combine, type Expression, type Frame, type Operator, type Operators, typeOf } from './expression.js';
import { namedArguments, optionalArgument, requiredArgument } from './named-arguments.js';
import { instantOf, type TimeZone } from './time-zone.js';
import { dateValue, isNullish, nullValue, type Value } from './values.js';

const day = 86_400_000;
const fixedUnits = { millisecond: 1, second: 1_000, minute: 60_000, hour: 3_600_000 } as const;
const units = ['millisecond', 'second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'] as const;
type Unit = (typeof units)[number];

const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const largestBin = 100_000_000_000;

/** Bins are counted from here, by the clock of the time zone: a Saturday. */
const reference = Date.UTC(2000, 0, 1);
const saturday = 6;

const floorTo = (value: number, step: number) => Math.floor(value / step) * step;

/** The local time at which the bin of a local time begins, for units of a day and more. */
function binStart(local: Date, unit: Unit, bin: number, startOfWeek: number): number {
  const days = Math.floor((local.getTime() - reference) / day);
  const months = (local.getUTCFullYear() - 2000) * 12 + local.getUTCMonth();
  const atMonth = (month: number) => new Date(0).setUTCFullYear(2000, month, 1);
  switch (unit) {
    case 'week': {
      const firstWeek = (startOfWeek - saturday + 7) % 7;
      return reference + (firstWeek + floorTo(days - firstWeek, 7 * bin)) * day;
    }
    case 'month':
      return atMonth(floorTo(months, bin));
    case 'quarter':
      return atMonth(floorTo(months, 3 * bin));
    case 'year':
      return atMonth(floorTo(months, 12 * bin));
    default:
      return reference + floorTo(days, bin) * day;
  }
}

function truncate(instant: number, unit: Unit, bin: number, zone: TimeZone, startOfWeek: number): number {
  if (unit === 'millisecond' || unit === 'second' || unit === 'minute' || unit === 'hour') {
    const origin = reference - zone.offsetAt(reference);
    return origin + floorTo(instant - origin, fixedUnits[unit] * bin);
  }
  if (bin > largestBin) throw new CommandError(5439006, 'dateTrunc unsupported binSize value');
  const start = binStart(localDate(instant, zone.offsetAt(instant)), unit, bin, startOfWeek);
  return instantOf(zone, localDate(start, 0).getTime());
}

function binFrom(value: BsonValue): number {
  const bin = toInteger(value);
  if (bin === undefined) {
    throw new CommandError(5439017, `$dateTrunc requires 'binSize' to be a 64-bit integer, but got ${typeOf(value)}`);
  }
  if (bin <= 0n) throw new CommandError(5439018, `$dateTrunc requires 'binSize' to be greater than 0, but got ${bin}`);
  return Number(bin);
}

function weekdayFrom(value: BsonValue): number {
  if (value.type !== bsonType.string) {
    throw new CommandError(5439015, `$dateTrunc requires 'startOfWeek' to be a string, but got ${typeOf(value)}`);
  }
  const asked = value.text.toLowerCase();
  const at = weekdays.findIndex((weekday) => weekday === asked || weekday.slice(0, 3) === asked);
  if (at < 0) throw new CommandError(5439016, `$dateTrunc: '${value.text}' cannot be recognized as a day of a week`);
  return at;
}

const rules = {
  notObject: 5439007,
  unknown: 5439008,
  names: { date: 5439009, unit: 5439010, binSize: undefined, timezone: undefined, startOfWeek: undefined },
};

/** An argument that is given and null makes the whole null. */
function read<T>(
  expression: Expression | undefined,
  frame: Frame,
  fallback: T,
  from: (value: BsonValue) => T,
): T | undefined {
  if (expression === undefined) return fallback;
  const value: Value = expression.evaluate(frame);
  return isNullish(value) ? undefined : from(value);
}

const dateTrunc: Operator = (operand, compiler, name) => {
  const given = namedArguments(operand, rules, name);
  const date = requiredArgument(given, 'date', compiler);
  const unitName = requiredArgument(given, 'unit', compiler);
  const binSize = optionalArgument(given, 'binSize', compiler);
  const zone = optionalArgument(given, 'timezone', compiler);
  const startOfWeek = optionalArgument(given, 'startOfWeek', compiler);
  return combine([date, unitName, binSize, zone, startOfWeek], (frame) => {
    const value = date.evaluate(frame);
    if (isNullish(value)) return nullValue;
    const bin = read(binSize, frame, 1, binFrom);
    const unit = read<Unit | undefined>(unitName, frame, undefined, (asked) => unitFrom(asked, units, name));
    if (bin === undefined || unit === undefined) return nullValue;
    const weekday = unit === 'week' ? read(startOfWeek, frame, 0, weekdayFrom) : 0;
    const where = zoneFrom(zone, frame);
    if (weekday === undefined || where === undefined) return nullValue;
    return dateValue(BigInt(truncate(instantFrom(value, 5439012), unit, bin, where, weekday)));
  });
};

export const dateTruncOperators: Operators = { $dateTrunc: dateTrunc };
