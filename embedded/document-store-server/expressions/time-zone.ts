import { CommandError } from '../errors.js';

/** Offsets are milliseconds east of UTC; instants milliseconds since 1970. */
export interface TimeZone {
  /** UTC itself, without rules */
  isUtc: boolean;
  offsetAt(instant: number): number;
}

const minute = 60_000;
const day = 86_400_000;
const mostCached = 10_000;
/** since then every zone's offset changes on quarters of an hour only */
const regularSince = Date.UTC(1972, 0, 1);

export const utc: TimeZone = { isUtc: true, offsetAt: () => 0 };

function offsetIn(format: Intl.DateTimeFormat, instant: number): number {
  const name = format.formatToParts(instant).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign, hours = 0, minutes = 0, seconds = 0] = /([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(name) ?? [];
  const offset = (Number(hours) * 60 + Number(minutes)) * minute + Number(seconds) * 1000;
  return sign === '-' ? -offset : offset;
}

function zoneByName(id: string): TimeZone | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: id, timeZoneName: 'longOffset' });
  } catch {
    return undefined;
  }
  const resolved = format.resolvedOptions().timeZone;
  if (resolved !== id && resolved.toLowerCase() === id.toLowerCase()) return undefined;
  const cache = new Map<number, number>();
  return {
    isUtc: false,
    offsetAt(instant) {
      if (instant < regularSince) return offsetIn(format, instant);
      const quarter = Math.floor(instant / (15 * minute));
      let offset = cache.get(quarter);
      if (offset === undefined) {
        offset = offsetIn(format, instant);
        if (cache.size >= mostCached) cache.clear();
        cache.set(quarter, offset);
      }
      return offset;
    },
  };
}

const zones = new Map<string, TimeZone>();
const mostZones = 1_000;

/**
 * A zone by its Olson name (`Europe/Berlin`) or its offset (`+02`, `+0530`, `-03:00`).
 *
 * @throws CommandError 40485 for an unknown one
 */
export function timeZone(id: string): TimeZone {
  const known = zones.get(id);
  if (known !== undefined) return known;
  const fixed = /^([+-])(\d\d)(?::?(\d\d))?$/.exec(id);
  let zone: TimeZone | undefined;
  if (id === 'UTC' || id === 'Z') zone = utc;
  else if (fixed !== null) {
    const [, sign, hours, minutes = 0] = fixed;
    const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * minute;
    zone = offset === 0 ? utc : { isUtc: false, offsetAt: () => offset };
  } else if (/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(id)) zone = zoneByName(id);
  if (zone === undefined) throw new CommandError(40485, `unrecognized time zone identifier: "${id}"`);
  if (zones.size >= mostZones) zones.clear();
  zones.set(id, zone);
  return zone;
}

/** The instant when the zone's clocks show a time; the earlier of two, and what a skipped time is moved on to. */
export function instantOf(zone: TimeZone, local: number): number {
  const before = zone.offsetAt(local - day);
  const after = zone.offsetAt(local + day);
  const early = local - before;
  if (before === after || zone.offsetAt(early) === before) return early;
  const late = local - after;
  return zone.offsetAt(late) === after ? late : early;
}
