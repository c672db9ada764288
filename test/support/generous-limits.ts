import { type LimitTable, limitNames } from '../../gateway/rate-limit-table.js';

/** Limits that no specification comes near: for those that are about something else. */
export const generousLimits = Object.fromEntries(
  limitNames.map((name) => [name, [{ points: 1_000_000, seconds: 1 }]]),
) as unknown as LimitTable;
