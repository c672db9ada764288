import { BsonValue, bsonType } from '../bson/value.js';

/** The type byte, name and terminator before a value. */
export function fieldHeader(type: number, name: Buffer): Buffer {
  const header = Buffer.allocUnsafe(name.length + 2);
  header[0] = type;
  name.copy(header, 1);
  header[name.length + 1] = 0;
  return header;
}

/** A document from finished parts: whole fields, or stretches of them. */
export function documentOf(parts: Buffer[]): BsonValue {
  let size = 5;
  for (const part of parts) size += part.length;
  const bytes = Buffer.allocUnsafe(size);
  bytes.writeInt32LE(size);
  let at = 4;
  for (const part of parts) at += part.copy(bytes, at);
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

/** Whether two values are the same type and bytes: an update from one to the other changes nothing. */
export function sameBytes(a: BsonValue, b: BsonValue): boolean {
  return (
    a.type === b.type &&
    a.end - a.start === b.end - b.start &&
    a.buffer.compare(b.buffer, b.start, b.end, a.start, a.end) === 0
  );
}
