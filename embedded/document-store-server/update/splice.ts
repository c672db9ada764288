import { BsonValue, bsonType } from '../bson/value.js';

/** A field's value with its name, or a stretch of finished fields without one. */
export interface Piece {
  name: Buffer | undefined;
  value: BsonValue;
}

/** For a few bytes a loop is faster than a call out of JavaScript. */
const short = 24;

function copyBytes(from: Buffer, start: number, end: number, to: Buffer, at: number): number {
  if (end - start > short) return at + from.copy(to, at, start, end);
  let target = at;
  for (let source = start; source < end; source++) to[target++] = from[source] ?? 0;
  return target;
}

/** A document from its pieces in order. */
export function documentOf(pieces: readonly Piece[]): BsonValue {
  let size = 5;
  for (const { name, value } of pieces) {
    size += value.end - value.start + (name === undefined ? 0 : name.length + 2);
  }
  const bytes = Buffer.allocUnsafe(size);
  bytes.writeInt32LE(size);
  let at = 4;
  for (const { name, value } of pieces) {
    if (name !== undefined) {
      bytes[at] = value.type;
      at = copyBytes(name, 0, name.length, bytes, at + 1);
      bytes[at++] = 0;
    }
    at = copyBytes(value.buffer, value.start, value.end, bytes, at);
  }
  bytes[at] = 0;
  return new BsonValue(bsonType.document, bytes, 0, size);
}

/** An array of these items, their bytes unchanged. */
export function arrayOf(items: readonly BsonValue[]): BsonValue {
  let size = 5;
  for (let at = 0; at < items.length; at++) {
    const item = items[at];
    if (item !== undefined) size += 2 + String(at).length + item.end - item.start;
  }
  const bytes = Buffer.allocUnsafe(size);
  bytes.writeInt32LE(size);
  let end = 4;
  items.forEach((item, at) => {
    bytes[end++] = item.type;
    end += bytes.write(String(at), end, 'latin1');
    bytes[end++] = 0;
    end += item.buffer.copy(bytes, end, item.start, item.end);
  });
  bytes[end] = 0;
  return new BsonValue(bsonType.array, bytes, 0, size);
}

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
