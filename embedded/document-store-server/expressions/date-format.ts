import { CommandError } from '../errors.js';

const day = 86_400_000;

export const isoFormat = '%Y-%m-%dT%H:%M:%S.%LZ';
export const isoFormatWithoutZone = '%Y-%m-%dT%H:%M:%S.%L';

/** The day of the year from 1. */
export function dayOfYear(local: Date): number {
  return Math.floor((local.getTime() - startOfYear(local.getUTCFullYear())) / day) + 1;
}

function startOfYear(year: number): number {
  // Date.UTC takes the years 0 to 99 for 1900 to 1999
  return new Date(0).setUTCFullYear(year, 0, 1);
}

/** Weeks begin on Sunday, the first one with the year's first Sunday; the days before it are in week 0. */
export function weekOfYear(local: Date): number {
  return Math.floor((dayOfYear(local) + 6 - local.getUTCDay()) / 7);
}

/** From Monday, 1, to Sunday, 7. */
export function isoDayOfWeek(local: Date): number {
  return local.getUTCDay() || 7;
}

/** ISO 8601: weeks begin on Monday and belong to the year of their Thursday. */
export function isoWeek(local: Date): { year: number; week: number } {
  const thursday = new Date(local.getTime() + (4 - isoDayOfWeek(local)) * day);
  return { year: thursday.getUTCFullYear(), week: Math.floor((dayOfYear(thursday) - 1) / 7) + 1 };
}

const pad = (value: number, width: number) => String(value).padStart(width, '0');

function yearText(year: number): string {
  if (year < 0 || year > 9999) {
    throw new CommandError(18537, `$dateToString is only defined on year 0-9999, tried to use year ${year}`);
  }
  return pad(year, 4);
}

function zoneText(offset: number): string {
  const minutes = Math.floor(Math.abs(offset) / 60_000);
  return `${offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60), 2)}${pad(minutes % 60, 2)}`;
}

const parts: Record<string, (local: Date, offset: number) => string> = {
  d: (local) => pad(local.getUTCDate(), 2),
  G: (local) => yearText(isoWeek(local).year),
  H: (local) => pad(local.getUTCHours(), 2),
  j: (local) => pad(dayOfYear(local), 3),
  L: (local) => pad(local.getUTCMilliseconds(), 3),
  m: (local) => pad(local.getUTCMonth() + 1, 2),
  M: (local) => pad(local.getUTCMinutes(), 2),
  S: (local) => pad(local.getUTCSeconds(), 2),
  u: (local) => String(isoDayOfWeek(local)),
  U: (local) => pad(weekOfYear(local), 2),
  V: (local) => pad(isoWeek(local).week, 2),
  w: (local) => String(local.getUTCDay() + 1),
  Y: (local) => yearText(local.getUTCFullYear()),
  z: (_, offset) => zoneText(offset),
  Z: (_, offset) => `${offset < 0 ? '-' : '+'}${Math.floor(Math.abs(offset) / 60_000)}`,
  '%': () => '%',
};

/** @throws CommandError 18535 for a `%` at the end, 18536 for a letter without meaning */
export function checkFormat(format: string): void {
  for (let at = format.indexOf('%'); at >= 0; at = format.indexOf('%', at + 2)) {
    const letter = format[at + 1];
    if (letter === undefined) throw new CommandError(18535, "Unmatched '%' at end of format string");
    if (!Object.hasOwn(parts, letter)) {
      const known = Object.keys(parts).map((part) => `%${part}`);
      throw new CommandError(
        18536,
        `Invalid format character '%${letter}' in format string; known are ${known.join(' ')}`,
      );
    }
  }
}

/** An instant in a format of `$dateToString`; `offset` in milliseconds east of UTC. */
export function formatDate(format: string, instant: bigint | number, offset: number): string {
  const local = localDate(Number(instant), offset);
  return format.replace(/%(.)/gs, (whole, letter: string) => parts[letter]?.(local, offset) ?? whole);
}

/** A date whose UTC fields are those of the clock at that offset. @throws CommandError 2 beyond the year 275760 */
export function localDate(instant: number, offset: number): Date {
  const local = new Date(instant + offset);
  if (Number.isNaN(local.getTime()))
    throw new CommandError(2, `the date ${instant} is too far away to be told in years`);
  return local;
}
