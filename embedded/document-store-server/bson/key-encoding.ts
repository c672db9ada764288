import { createHash } from 'node:crypto';
import { type ExactDecimal, readDecimal } from './decimal.js';
import { compareWithDouble, toDouble } from './numbers.js';
import { copyScratch, invertScratch, scratchKey } from './scratch-key.js';
import { BsonValue, bsonType, eachField } from './value.js';

/** First byte of a key: BSON's comparison order of types. Numbers share one, strings and symbols another. */
export const keyClass = {
  minKey: 0x02,
  undefined: 0x06,
  null: 0x0a,
  number: 0x10,
  string: 0x20,
  document: 0x28,
  array: 0x30,
  binary: 0x38,
  objectId: 0x40,
  boolean: 0x48,
  date: 0x50,
  timestamp: 0x58,
  regex: 0x60,
  dbPointer: 0x68,
  code: 0x70,
  codeWithScope: 0x78,
  maxKey: 0xf0,
} as const;

const classOfType: Record<number, number> = {
  [bsonType.minKey]: keyClass.minKey,
  [bsonType.undefined]: keyClass.undefined,
  [bsonType.null]: keyClass.null,
  [bsonType.double]: keyClass.number,
  [bsonType.int32]: keyClass.number,
  [bsonType.int64]: keyClass.number,
  [bsonType.decimal]: keyClass.number,
  [bsonType.string]: keyClass.string,
  [bsonType.symbol]: keyClass.string,
  [bsonType.document]: keyClass.document,
  [bsonType.array]: keyClass.array,
  [bsonType.binary]: keyClass.binary,
  [bsonType.objectId]: keyClass.objectId,
  [bsonType.boolean]: keyClass.boolean,
  [bsonType.date]: keyClass.date,
  [bsonType.timestamp]: keyClass.timestamp,
  [bsonType.regex]: keyClass.regex,
  [bsonType.dbPointer]: keyClass.dbPointer,
  [bsonType.code]: keyClass.code,
  [bsonType.codeWithScope]: keyClass.codeWithScope,
  [bsonType.maxKey]: keyClass.maxKey,
};

export function classOf(type: number): number {
  return classOfType[type] ?? keyClass.maxKey;
}

const terminator = Buffer.of(0);

/** Text with 00 and 01 escaped behind 01, so that a terminator of 00 sorts first and no key is another's prefix. */
export function escapeText(bytes: Buffer): Buffer {
  if (!bytes.includes(0) && !bytes.includes(1)) return bytes;
  const out: number[] = [];
  for (const byte of bytes) {
    if (byte <= 1) out.push(1, byte + 1);
    else out.push(byte);
  }
  return Buffer.from(out);
}

function invert(bytes: Buffer): Buffer {
  const out = Buffer.allocUnsafe(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[i] = ~(bytes[i] ?? 0) & 0xff;
  return out;
}

function orderedDouble(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  if (Number.isNaN(value)) return bytes;
  bytes.writeDoubleBE(value === 0 ? 0 : value);
  if (((bytes[0] ?? 0) & 0x80) !== 0) return invert(bytes);
  bytes[0] = (bytes[0] ?? 0) | 0x80;
  return bytes;
}

function exactDigits(value: ExactDecimal): Buffer {
  const digits = value.coefficient.toString();
  const exponent = Buffer.allocUnsafe(2);
  exponent.writeUInt16BE(0x8000 + digits.length + value.exponent);
  const body = Buffer.concat([exponent, Buffer.from(digits.replace(/0+$/, '')), terminator]);
  return value.negative ? Buffer.concat([Buffer.of(0), invert(body)]) : Buffer.concat([Buffer.of(2), body]);
}

/** The nearest double, then how the exact value differs from it: less, equal or more, with its digits. */
function numberBody(value: BsonValue): Buffer[] {
  const double = toDouble(value);
  const parts = [orderedDouble(double)];
  let exact: ExactDecimal | undefined;
  if (value.type === bsonType.int64 && !Number.isSafeInteger(double)) {
    const integer = value.buffer.readBigInt64LE(value.start);
    exact = { negative: integer < 0n, coefficient: integer < 0n ? -integer : integer, exponent: 0 };
  } else if (value.type === bsonType.decimal && !Number.isNaN(double)) {
    const decimal = readDecimal(value);
    if (decimal.form === 'finite') exact = decimal;
  }
  const difference = exact === undefined ? 0 : compareWithDouble(exact, double);
  parts.push(Buffer.of(0x80 + difference));
  if (exact !== undefined && difference !== 0) parts.push(exactDigits(exact));
  return parts;
}

function appendBody(value: BsonValue, parts: Buffer[]): void {
  const { buffer, start, end } = value;
  switch (value.type) {
    case bsonType.double:
    case bsonType.int32:
    case bsonType.int64:
    case bsonType.decimal:
      parts.push(...numberBody(value));
      return;
    case bsonType.string:
    case bsonType.symbol:
    case bsonType.code:
      parts.push(escapeText(buffer.subarray(start + 4, end - 1)), terminator);
      return;
    case bsonType.document:
    case bsonType.array:
      eachField(value, (name, field) => {
        parts.push(Buffer.of(classOf(field.type)));
        if (value.type === bsonType.document) parts.push(Buffer.from(name), terminator);
        appendBody(field, parts);
        return false;
      });
      parts.push(terminator);
      return;
    case bsonType.binary: {
      const length = Buffer.allocUnsafe(4);
      length.writeUInt32BE(buffer.readUInt32LE(start));
      parts.push(length, buffer.subarray(start + 4, end));
      return;
    }
    case bsonType.date:
    case bsonType.timestamp: {
      const ordered = Buffer.from(buffer.subarray(start, end)).reverse();
      if (value.type === bsonType.date) ordered[0] = (ordered[0] ?? 0) ^ 0x80;
      parts.push(ordered);
      return;
    }
    case bsonType.codeWithScope: {
      const size = buffer.readInt32LE(start + 4);
      parts.push(escapeText(buffer.subarray(start + 8, start + 8 + size - 1)), terminator);
      appendBody(new BsonValue(bsonType.document, buffer, start + 8 + size, end), parts);
      return;
    }
    case bsonType.dbPointer:
      parts.push(escapeText(buffer.subarray(start + 4, end - 13)), terminator, buffer.subarray(end - 12, end));
      return;
    default:
      // object ids, booleans and regular expressions order as their bytes do; the rest have no bytes
      parts.push(buffer.subarray(start, end));
  }
}

/**
 * A value as bytes whose memcmp order is BSON's comparison order. Equal numbers of different types give equal bytes,
 * and no key is a prefix of another, so keys can be joined.
 *
 * @param descending the same with the order reversed
 */
export function encodeKey(value: BsonValue, descending = false): Buffer {
  const end = scratchKey(value, classOf(value.type), 0);
  if (end >= 0) {
    if (descending) invertScratch(0, end);
    return copyScratch(end);
  }
  const parts = [Buffer.of(classOf(value.type))];
  appendBody(value, parts);
  const key = Buffer.concat(parts);
  return descending ? invert(key) : key;
}

export const missingKey = Buffer.of(keyClass.null);
export const emptyArrayKey = Buffer.of(keyClass.undefined);

/** What an int32 or double is; NaN for all else. */
function plainNumber({ type, buffer, start }: BsonValue): number {
  if (type === bsonType.int32) return buffer.readInt32LE(start);
  return type === bsonType.double ? buffer.readDoubleLE(start) : Number.NaN;
}

/** Compares two values in BSON's order of types and values. */
export function compareValues(a: BsonValue, b: BsonValue): number {
  const difference = classOf(a.type) - classOf(b.type);
  if (difference !== 0) return difference;
  if (a.type === bsonType.string && b.type === bsonType.string) {
    return a.buffer.compare(b.buffer, b.start + 4, b.end - 1, a.start + 4, a.end - 1);
  }
  const plain = plainNumber(a) - plainNumber(b);
  if (!Number.isNaN(plain)) return plain;
  return encodeKey(a).compare(encodeKey(b));
}

/** The first bytes after every key that begins with `prefix`; undefined when there are none. */
export function successor(prefix: Buffer): Buffer | undefined {
  for (let last = prefix.length - 1; last >= 0; last--) {
    const byte = prefix[last] ?? 0;
    if (byte !== 0xff) {
      const next = Buffer.from(prefix.subarray(0, last + 1));
      next[last] = byte + 1;
      return next;
    }
  }
  return undefined;
}

/** LMDB keys end at 1,978 bytes; what is longer keeps this many bytes and a hash of the whole. */
export const longestExactKey = 1800;

/** A key as it is stored. Equal keys stay equal; the order of long ones among each other is lost. */
export function storedKey(key: Buffer): Buffer {
  if (key.length <= longestExactKey) return key;
  return Buffer.concat([key.subarray(0, longestExactKey), createHash('sha256').update(key).digest()]);
}

export { invert };
