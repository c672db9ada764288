import { jsonEvent } from '@eventstore/db-client';

/** Events whose types are the numbers from `from` on. */
export const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => jsonEvent({ type: String(from + n), data: { n: from + n } }));

/** The types of `numbered`. */
export const numbers = (count: number, from = 0): string[] => Array.from({ length: count }, (_, n) => String(from + n));
