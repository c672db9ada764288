import { CommandError, code } from '../errors.js';
import { BsonValue, bsonType } from './value.js';

const decimals = Array.from({ length: 1000 }, (_, index) => String(index));

/** What is put together on the way to a result may be larger than a document that is stored, but not boundless. */
const largest = 64 * 1024 * 1024;

/** @throws CommandError 10334 for more than 64 MB */
export function checkAssembled(bytes: number): void {
  if (bytes <= largest) return;
  throw new CommandError(code.tooLarge, `a value of ${bytes} bytes is larger than the maximum of ${largest} bytes`);
}

function assemble(type: number, names: readonly string[], values: readonly BsonValue[]): BsonValue {
  let size = 5;
  for (let at = 0; at < values.length; at++) {
    const value = values[at] as BsonValue;
    size += Buffer.byteLength(names[at] as string) + 2 + value.end - value.start;
  }
  checkAssembled(size);
  const bytes = Buffer.allocUnsafe(size);
  bytes.writeInt32LE(size);
  let to = 4;
  for (let at = 0; at < values.length; at++) {
    const value = values[at] as BsonValue;
    bytes[to++] = value.type;
    to += bytes.write(names[at] as string, to);
    bytes[to++] = 0;
    to += value.buffer.copy(bytes, to, value.start, value.end);
  }
  bytes[to] = 0;
  return new BsonValue(type, bytes, 0, size);
}

/** A document of these fields in this order, in bytes of its own. */
export function assembleDocument(fields: Iterable<readonly [string, BsonValue]>): BsonValue {
  const names: string[] = [];
  const values: BsonValue[] = [];
  for (const [name, value] of fields) {
    names.push(name);
    values.push(value);
  }
  return assemble(bsonType.document, names, values);
}

/** An array of these items, in bytes of its own. */
export function assembleArray(items: readonly BsonValue[]): BsonValue {
  const names = items.length <= decimals.length ? decimals : items.map((_, at) => String(at));
  return assemble(bsonType.array, names, items);
}

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
export function joinPieces(pieces: readonly Piece[]): BsonValue {
  let size = 5;
  for (const { name, value } of pieces) {
    size += value.end - value.start + (name === undefined ? 0 : name.length + 2);
  }
  checkAssembled(size);
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
