import { assembleArray, assembleDocument, checkAssembled } from '../bson/assemble.js';
import { classOf, compareValues, encodeKey, keyClass } from '../bson/key-encoding.js';
import { toDouble, toInteger } from '../bson/numbers.js';
import { BsonValue, bsonType, itemsOf } from '../bson/value.js';
import { toBson } from '../bson/write.js';

/** What an expression gives: undefined is a missing field, which is not null. */
export type Value = BsonValue | undefined;

const empty = Buffer.alloc(0);

export const nullValue = new BsonValue(bsonType.null, empty, 0, 0);
const trueValue = new BsonValue(bsonType.boolean, Buffer.of(1), 0, 1);
const falseValue = new BsonValue(bsonType.boolean, Buffer.of(0), 0, 1);

export function booleanValue(value: boolean): BsonValue {
  return value ? trueValue : falseValue;
}

export function int32Value(value: number): BsonValue {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32LE(value);
  return new BsonValue(bsonType.int32, bytes, 0, 4);
}

export function doubleValue(value: number): BsonValue {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleLE(value);
  return new BsonValue(bsonType.double, bytes, 0, 8);
}

export function int64Value(value: bigint): BsonValue {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigInt64LE(value);
  return new BsonValue(bsonType.int64, bytes, 0, 8);
}

export const int64Least = -(2n ** 63n);
export const int64Most = 2n ** 63n - 1n;

export function fitsInt32(value: bigint): boolean {
  return value >= -2147483648n && value <= 2147483647n;
}

export function fitsInt64(value: bigint): boolean {
  return value >= int64Least && value <= int64Most;
}

/** Milliseconds since 1970 as a date. */
export function dateValue(milliseconds: bigint): BsonValue {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigInt64LE(milliseconds);
  return new BsonValue(bsonType.date, bytes, 0, 8);
}

export function stringValue(text: string): BsonValue {
  checkAssembled(text.length);
  return toBson(text);
}

export function arrayValue(items: readonly BsonValue[]): BsonValue {
  return assembleArray(items);
}

/** A document of the fields that have a value. */
export function documentOf(fields: Iterable<readonly [string, Value]>): BsonValue {
  const present: [string, BsonValue][] = [];
  for (const [name, value] of fields) if (value !== undefined) present.push([name, value]);
  return assembleDocument(present);
}

export function isNullish(value: Value): value is undefined | (BsonValue & { type: 6 | 10 }) {
  return value === undefined || value.type === bsonType.null || value.type === bsonType.undefined;
}

/** A whole number that an int32 can hold, whatever its type. */
export function int32Of(value: BsonValue): number | undefined {
  const whole = toInteger(value);
  return whole !== undefined && fitsInt32(whole) ? Number(whole) : undefined;
}

/** Whether a value counts as true: all but false, zero, null and missing. */
export function isTrue(value: Value): boolean {
  if (isNullish(value)) return false;
  if (value.type === bsonType.boolean) return value.buffer[value.start] === 1;
  return value.isNumber ? toDouble(value) !== 0 || compareValues(value, zero) !== 0 : true;
}

const zero = int32Value(0);
/** Compares in BSON's order of types and values; a missing field stands where undefined does, before null. */
export function compareOrMissing(a: Value, b: Value): number {
  if (a !== undefined && b !== undefined) return compareValues(a, b);
  return (
    (a === undefined ? keyClass.undefined : classOf(a.type)) - (b === undefined ? keyClass.undefined : classOf(b.type))
  );
}

/** Text that is equal for equal values, whatever their number type. */
export function identityOf(value: BsonValue): string {
  const { buffer, start, end } = value;
  switch (value.type) {
    // none of these letters begins a key of the general kind
    case bsonType.string:
    case bsonType.symbol:
      return `s${buffer.toString('latin1', start + 4, end - 1)}`;
    case bsonType.int32:
      return `n${buffer.readInt32LE(start)}`;
    case bsonType.double: {
      const double = buffer.readDoubleLE(start);
      if (Number.isSafeInteger(double)) return `n${double}`;
      break;
    }
    case bsonType.int64: {
      const integer = buffer.readBigInt64LE(start);
      if (Number.isSafeInteger(Number(integer))) return `n${integer}`;
      break;
    }
    case bsonType.decimal: {
      const integer = toInteger(value);
      if (integer !== undefined && Number.isSafeInteger(Number(integer))) return `n${integer}`;
      break;
    }
    case bsonType.objectId:
      return `o${buffer.toString('latin1', start, end)}`;
    case bsonType.date:
      return `d${buffer.toString('latin1', start, end)}`;
  }
  return encodeKey(value).toString('latin1');
}

export function isArray(value: Value): value is BsonValue & { type: 4 } {
  return value?.type === bsonType.array;
}

/** The items without repetition, the first of equals kept. */
export function distinctItems(array: BsonValue): Map<string, BsonValue> {
  const items = new Map<string, BsonValue>();
  for (const item of itemsOf(array)) {
    const identity = identityOf(item);
    if (!items.has(identity)) items.set(identity, item);
  }
  return items;
}
