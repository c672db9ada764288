import type { BsonValue } from './value.js';

/** For a few bytes a loop is faster than a call out of JavaScript. */
const short = 24;

function equalBytes(a: Buffer, from: number, b: Buffer, start: number, end: number): boolean {
  if (end - start > short) return a.compare(b, start, end, from, from + end - start) === 0;
  for (let at = start, other = from; at < end; at++, other++) if (b[at] !== a[other]) return false;
  return true;
}

/** Whether two values are the same type and bytes: an update from one to the other changes nothing. */
export function sameBytes(a: BsonValue, b: BsonValue): boolean {
  return (
    a.type === b.type && a.end - a.start === b.end - b.start && equalBytes(a.buffer, a.start, b.buffer, b.start, b.end)
  );
}

/** Whether a field's name, from `start` to `end` in its document, is this one. */
export function hasName(name: Buffer, document: Buffer, start: number, end: number): boolean {
  return name.length === end - start && equalBytes(name, 0, document, start, end);
}
