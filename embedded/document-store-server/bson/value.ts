import { isUtf8 } from 'node:buffer';
import { CommandError, code } from '../errors.js';

/** Element types of the BSON specification. */
export const bsonType = {
  double: 1,
  string: 2,
  document: 3,
  array: 4,
  binary: 5,
  undefined: 6,
  objectId: 7,
  boolean: 8,
  date: 9,
  null: 10,
  regex: 11,
  dbPointer: 12,
  code: 13,
  symbol: 14,
  codeWithScope: 15,
  int32: 16,
  timestamp: 17,
  int64: 18,
  decimal: 19,
  maxKey: 0x7f,
  minKey: 0xff,
} as const;

const names: Record<string, number> = {
  double: 1,
  string: 2,
  object: 3,
  array: 4,
  binData: 5,
  undefined: 6,
  objectId: 7,
  bool: 8,
  date: 9,
  null: 10,
  regex: 11,
  dbPointer: 12,
  javascript: 13,
  symbol: 14,
  javascriptWithScope: 15,
  int: 16,
  timestamp: 17,
  long: 18,
  decimal: 19,
  minKey: 0xff,
  maxKey: 0x7f,
};

/** MongoDB's alias of a type number, as `$type` and its messages use it. */
export function typeName(type: number): string {
  return Object.keys(names).find((name) => names[name] === type) ?? `type ${type}`;
}

export function typeOfName(name: string): number | undefined {
  return Object.hasOwn(names, name) ? names[name] : undefined;
}

/** One BSON value where it lies in its bytes; nothing is decoded until asked for, so nothing is ever lost. */
export class BsonValue {
  constructor(
    readonly type: number,
    readonly buffer: Buffer,
    readonly start: number,
    readonly end: number,
  ) {}

  get bytes(): Buffer {
    return this.buffer.subarray(this.start, this.end);
  }

  /** The text of a string, symbol or code value. */
  get text(): string {
    return this.buffer.toString('utf8', this.start + 4, this.end - 1);
  }

  get isNumber(): boolean {
    return this.type === bsonType.int32 || this.type === 1 || this.type === bsonType.int64 || this.type === 19;
  }
}

/** A whole document as a value. */
export function documentValue(buffer: Buffer): BsonValue {
  return new BsonValue(bsonType.document, buffer, 0, buffer.length);
}

const nearBytes = 32;

/** Where a name ends that begins here. @throws CommandError 22 when it has no end */
export function cstringEnd(buffer: Buffer, start: number): number {
  // names are short: looking at their bytes here costs less than a call
  const near = Math.min(start + nearBytes, buffer.length);
  for (let at = start; at < near; at++) if (buffer[at] === 0) return at;
  const end = buffer.indexOf(0, near);
  if (end < 0) throw new CommandError(code.invalidBson, 'a name in the BSON has no end');
  return end;
}

/** Whether these bytes are a name's. */
function isName(buffer: Buffer, start: number, end: number, name: Buffer): boolean {
  if (end - start !== name.length) return false;
  for (let at = 0; at < name.length; at++) if (buffer[start + at] !== name[at]) return false;
  return true;
}

/** Where a value of this type that begins at `start` ends. */
export function valueEnd(type: number, buffer: Buffer, start: number): number {
  switch (type) {
    case bsonType.double:
    case bsonType.date:
    case bsonType.timestamp:
    case bsonType.int64:
      return start + 8;
    case bsonType.string:
    case bsonType.code:
    case bsonType.symbol:
      return start + 4 + buffer.readInt32LE(start);
    case bsonType.document:
    case bsonType.array:
    case bsonType.codeWithScope:
      return start + buffer.readInt32LE(start);
    case bsonType.binary:
      return start + 5 + buffer.readInt32LE(start);
    case bsonType.undefined:
    case bsonType.null:
    case bsonType.minKey:
    case bsonType.maxKey:
      return start;
    case bsonType.objectId:
      return start + 12;
    case bsonType.boolean:
      return start + 1;
    case bsonType.regex:
      return cstringEnd(buffer, cstringEnd(buffer, start) + 1) + 1;
    case bsonType.dbPointer:
      return start + 4 + buffer.readInt32LE(start) + 12;
    case bsonType.int32:
      return start + 4;
    case bsonType.decimal:
      return start + 16;
    default:
      throw new CommandError(code.invalidBson, `the BSON has a value of unknown type ${type}`);
  }
}

/** Visits the fields of a document or array in their order, until `visit` answers true. */
export function eachField(container: BsonValue, visit: (name: string, value: BsonValue) => boolean | undefined): void {
  const { buffer } = container;
  const last = container.end - 1;
  let at = container.start + 4;
  while (at < last) {
    const type = buffer[at] ?? 0;
    const nameEnd = cstringEnd(buffer, at + 1);
    const end = valueEnd(type, buffer, nameEnd + 1);
    if (visit(buffer.toString('utf8', at + 1, nameEnd), new BsonValue(type, buffer, nameEnd + 1, end)) === true) return;
    at = end;
  }
}

/** The fields of a document, in order; names may repeat. */
export function fieldsOf(container: BsonValue): [string, BsonValue][] {
  const fields: [string, BsonValue][] = [];
  eachField(container, (name, value) => {
    fields.push([name, value]);
    return false;
  });
  return fields;
}

/** Asks the items of an array in their order, until one is answered true. */
export function someItem(array: BsonValue, ask: (item: BsonValue) => boolean): boolean {
  const { buffer } = array;
  const last = array.end - 1;
  let at = array.start + 4;
  while (at < last) {
    const type = buffer[at] ?? 0;
    const start = cstringEnd(buffer, at + 1) + 1;
    const end = valueEnd(type, buffer, start);
    if (ask(new BsonValue(type, buffer, start, end))) return true;
    at = end;
  }
  return false;
}

/** The items of an array, in order. */
export function itemsOf(array: BsonValue): BsonValue[] {
  const items: BsonValue[] = [];
  someItem(array, (item) => {
    items.push(item);
    return false;
  });
  return items;
}

/** A field by its name's UTF-8 bytes: the walk compares bytes and decodes nothing. */
export function getField(container: BsonValue, name: Buffer): BsonValue | undefined {
  const { buffer } = container;
  const last = container.end - 1;
  let at = container.start + 4;
  while (at < last) {
    const type = buffer[at] ?? 0;
    const nameEnd = cstringEnd(buffer, at + 1);
    const end = valueEnd(type, buffer, nameEnd + 1);
    if (isName(buffer, at + 1, nameEnd, name)) {
      return new BsonValue(type, buffer, nameEnd + 1, end);
    }
    at = end;
  }
  return undefined;
}

const deepest = 200;

/**
 * Checks that bytes from outside are a well-formed document: every length inside its parent, every string UTF-8.
 *
 * @throws CommandError 22 InvalidBSON, or 15 Overflow when nested deeper than 200 levels
 */
export function checkDocument(container: BsonValue, depth = 0): void {
  const { buffer, start, end } = container;
  const broken = () => new CommandError(code.invalidBson, 'the BSON document is malformed');
  if (depth > deepest)
    throw new CommandError(code.overflow, `the BSON document is nested deeper than ${deepest} levels`);
  if (end - start < 5 || end > buffer.length || buffer.readInt32LE(start) !== end - start || buffer[end - 1] !== 0) {
    throw broken();
  }
  let at = start + 4;
  while (at < end - 1) {
    const type = buffer[at] ?? 0;
    const nameEnd = cstringEnd(buffer, at + 1);
    const from = nameEnd + 1;
    if (nameEnd >= end - 1 || !isUtf8(buffer.subarray(at + 1, nameEnd))) throw broken();
    const counted = type === 2 || type === 13 || type === 14 || type === 12 || type === 15 || type === 5;
    if ((counted || type === 3 || type === 4) && (from + 4 > end || buffer.readInt32LE(from) < 0)) throw broken();
    const to = valueEnd(type, buffer, from);
    if (to < from || to > end - 1) throw broken();
    if (type === 2 || type === 13 || type === 14) {
      if (to - from < 5 || buffer[to - 1] !== 0 || !isUtf8(buffer.subarray(from + 4, to - 1))) throw broken();
    } else if (type === bsonType.document || type === bsonType.array) {
      checkDocument(new BsonValue(type, buffer, from, to), depth + 1);
    } else if (type === bsonType.codeWithScope) {
      const size = to - from < 14 ? -1 : buffer.readInt32LE(from + 4);
      if (size < 1 || from + 8 + size + 5 > to) throw broken();
      checkDocument(new BsonValue(bsonType.document, buffer, from + 8 + size, to), depth + 1);
    }
    at = to;
  }
  if (at !== end - 1) throw broken();
}
