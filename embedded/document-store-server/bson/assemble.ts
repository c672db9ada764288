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
