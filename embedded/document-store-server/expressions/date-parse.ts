import { CommandError, code } from '../errors.js';

const pattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?)?(?: ?(Z|UTC|GMT)|(?: ?([+-])(\d\d):?(\d\d)))?$/;

/**
 * Milliseconds since 1970 of a date in ISO 8601, such as `2024-05-01` or `2024-05-01T10:30:00.250+02:00`; UTC without
 * an offset. MongoDB reads many more notations: they are refused with 2, which `onError` does not catch.
 *
 * @throws CommandError 2
 */
export function parseDate(text: string): number {
  const match = pattern.exec(text);
  const refused = () => new CommandError(code.badValue, `the date string '${text}' is not supported, only ISO 8601 is`);
  if (match === null) throw refused();
  const [
    ,
    year,
    month,
    day,
    hour = '0',
    minute = '0',
    second = '0',
    fraction = '0',
    ,
    sign,
    hours = '0',
    minutes = '0',
  ] = match;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  const isReal = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  if (!isReal || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) throw refused();
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000;
  const instant = date.setUTCHours(Number(hour), Number(minute), Number(second), Number(fraction.padEnd(3, '0')));
  return sign === '-' ? instant + offset : instant - offset;
}
