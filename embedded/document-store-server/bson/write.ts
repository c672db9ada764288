import { BsonValue, bsonType } from './value.js';

/** A number that must travel as a double even when it is whole, such as `ok: 1`. */
export class Double {
  constructor(readonly value: number) {}
}

const empty = Buffer.alloc(0);

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function double(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigInt64LE(value);
  return bytes;
}

function encode(value: unknown): [type: number, bytes: Buffer] {
  if (value instanceof BsonValue) return [value.type, value.bytes];
  if (Buffer.isBuffer(value)) return [bsonType.document, value];
  if (value instanceof Double) return [bsonType.double, double(value.value)];
  if (value === null) return [bsonType.null, empty];
  if (value instanceof Date) return [bsonType.date, int64(BigInt(value.getTime()))];
  if (Array.isArray(value)) return [bsonType.array, writeFields(value.map((item, at) => [String(at), item]))];
  switch (typeof value) {
    case 'string': {
      const length = Buffer.byteLength(value);
      const bytes = Buffer.allocUnsafe(length + 5);
      bytes.writeInt32LE(length + 1);
      bytes.write(value, 4);
      bytes[length + 4] = 0;
      return [bsonType.string, bytes];
    }
    case 'number':
      return (value | 0) === value && !Object.is(value, -0)
        ? [bsonType.int32, int32(value)]
        : [bsonType.double, double(value)];
    case 'bigint':
      return [bsonType.int64, int64(value)];
    case 'boolean':
      return [bsonType.boolean, Buffer.of(value ? 1 : 0)];
    case 'object':
      return [bsonType.document, writeDocument(value as Record<string, unknown>)];
    default:
      throw new TypeError(`no BSON for a ${typeof value}`);
  }
}

/** The bytes of a document from its fields in order. A Buffer is a finished document and is spliced in as it is. */
export function writeFields(fields: Iterable<readonly [string, unknown]>): Buffer {
  const parts: Buffer[] = [empty];
  let size = 5;
  for (const [name, value] of fields) {
    if (value === undefined) continue;
    const [type, bytes] = encode(value);
    const head = Buffer.allocUnsafe(Buffer.byteLength(name) + 2);
    head[0] = type;
    head.write(name, 1);
    head[head.length - 1] = 0;
    parts.push(head, bytes);
    size += head.length + bytes.length;
  }
  parts[0] = int32(size);
  parts.push(Buffer.of(0));
  return Buffer.concat(parts, size);
}

/** The bytes of a document from a plain object; undefined fields are left out. */
export function writeDocument(fields: Record<string, unknown>): Buffer {
  return writeFields(Object.entries(fields));
}

/** A JavaScript value as a BSON value: whole numbers become int32 where they fit, bigint int64, Buffer a document. */
export function toBson(value: unknown): BsonValue {
  if (value instanceof BsonValue) return value;
  const [type, bytes] = encode(value);
  return new BsonValue(type, bytes, 0, bytes.length);
}
