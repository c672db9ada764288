import { classOf, encodeKey, escapeText, invert, keyClass, successor } from '../bson/key-encoding.js';
import { type BsonValue, bsonType } from '../bson/value.js';
import type { Test } from './filter.js';

/** One end of a range over keys; inclusive takes in every key that begins with the bytes, exclusive none of them. */
interface End {
  bytes: Buffer;
  inclusive: boolean;
}

/** The keys of one indexed field that a test may match: a superset, every document found is asked again. */
export interface KeyRange {
  low: End;
  high: End;
  /** exactly one key */
  point: boolean;
}

function pointRange(key: Buffer): KeyRange {
  const end = { bytes: key, inclusive: true };
  return { low: end, high: end, point: true };
}

const nullRange: KeyRange = {
  low: { bytes: Buffer.of(keyClass.undefined), inclusive: true },
  high: { bytes: Buffer.of(keyClass.null), inclusive: true },
  point: false,
};

/** Arrays are indexed by their items, and MinKey and MaxKey cross types: no range stands for them. */
function isIndexable(operand: BsonValue): boolean {
  const { type } = operand;
  return type !== bsonType.array && type !== bsonType.minKey && type !== bsonType.maxKey && type !== bsonType.undefined;
}

function equalityRange(operand: BsonValue): KeyRange {
  return operand.type === bsonType.null ? nullRange : pointRange(encodeKey(operand));
}

/** The ranges of keys that hold every match of a test, in key order without overlap; undefined when no index helps. */
export function rangesOf(test: Test): KeyRange[] | undefined {
  switch (test.kind) {
    case 'eq':
      return isIndexable(test.operand) ? [equalityRange(test.operand)] : undefined;
    case 'in': {
      if (test.regexes.length > 0 || !test.operands.every(isIndexable)) return undefined;
      const ranges = test.operands.map(equalityRange);
      return ranges.sort((a, b) => a.low.bytes.compare(b.low.bytes));
    }
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte': {
      if (!isIndexable(test.operand)) return undefined;
      if (test.operand.type === bsonType.null) return [nullRange];
      const whole = { bytes: Buffer.of(classOf(test.operand.type)), inclusive: true };
      const end = { bytes: test.key, inclusive: test.kind === 'gte' || test.kind === 'lte' };
      const isLow = test.kind === 'gt' || test.kind === 'gte';
      return [{ low: isLow ? end : whole, high: isLow ? whole : end, point: false }];
    }
    case 'regex': {
      if (test.prefix === undefined) return undefined;
      const bytes = Buffer.concat([Buffer.of(keyClass.string), escapeText(test.prefix)]);
      const end = { bytes, inclusive: true };
      return [{ low: end, high: end, point: false }, pointRange(encodeKey(test.value))];
    }
    default:
      return undefined;
  }
}

function lowBytes(end: End): Buffer {
  return end.inclusive ? end.bytes : (successor(end.bytes) ?? end.bytes);
}

function highBytes(end: End): Buffer {
  return end.inclusive ? (successor(end.bytes) ?? end.bytes) : end.bytes;
}

/** What two ranges share, for a field that holds no arrays; undefined when nothing. */
export function intersect(a: KeyRange, b: KeyRange): KeyRange | undefined {
  const low = lowBytes(a.low).compare(lowBytes(b.low)) >= 0 ? a.low : b.low;
  const high = highBytes(a.high).compare(highBytes(b.high)) <= 0 ? a.high : b.high;
  if (lowBytes(low).compare(highBytes(high)) >= 0) return undefined;
  return { low, high, point: a.point || b.point };
}

/** Start (inclusive) and end (exclusive) of a range in an index field's own direction. */
export function interval(range: KeyRange, descending: boolean): { start: Buffer; end: Buffer } {
  if (!descending) return { start: lowBytes(range.low), end: highBytes(range.high) };
  const start = { bytes: invert(range.high.bytes), inclusive: range.high.inclusive };
  const end = { bytes: invert(range.low.bytes), inclusive: range.low.inclusive };
  return { start: lowBytes(start), end: highBytes(end) };
}
