import { classOf, encodeKey, keyClass } from '../bson/key-encoding.js';
import { toDouble } from '../bson/numbers.js';
import { type BsonValue, bsonType, itemsOf, someItem } from '../bson/value.js';
import { isTrue } from '../expressions/values.js';
import type { Comparison, Filter, RegexTest, Test } from './filter.js';
import { visitPath } from './path.js';

function isPlainNumber(value: BsonValue): boolean {
  return value.type === bsonType.int32 || value.type === bsonType.double;
}

function order(value: BsonValue, operand: BsonValue, key: Buffer): number {
  if (value.type === bsonType.string && operand.type === bsonType.string) {
    return value.buffer.compare(operand.buffer, operand.start + 4, operand.end - 1, value.start + 4, value.end - 1);
  }
  if (isPlainNumber(value) && isPlainNumber(operand)) {
    const [left, right] = [toDouble(value), toDouble(operand)];
    return left < right ? -1 : Number(left > right);
  }
  return encodeKey(value).compare(key);
}

export function isNaNValue(value: BsonValue): boolean {
  return (value.type === bsonType.double || value.type === bsonType.decimal) && Number.isNaN(toDouble(value));
}

/** Most texts differ in their length or first byte. */
function isSameText(a: BsonValue, b: BsonValue): boolean {
  const [from, to] = [a.start + 4, b.start + 4];
  if (a.end - from !== b.end - to || a.buffer[from] !== b.buffer[to]) return false;
  return a.buffer.compare(b.buffer, to, b.end, from, a.end) === 0;
}

function accepts(kind: Comparison, difference: number): boolean {
  switch (kind) {
    case 'eq':
      return difference === 0;
    case 'gt':
      return difference > 0;
    case 'gte':
      return difference >= 0;
    case 'lt':
      return difference < 0;
    case 'lte':
      return difference <= 0;
  }
}

function matchesComparison(value: BsonValue | undefined, kind: Comparison, operand: BsonValue, key: Buffer): boolean {
  if (operand.type === bsonType.null) {
    const isNull = value === undefined || value.type === bsonType.null || value.type === bsonType.undefined;
    return isNull && kind !== 'gt' && kind !== 'lt';
  }
  // between MinKey and MaxKey there is everything, what is missing too
  const valueClass = value === undefined ? keyClass.null : classOf(value.type);
  const operandClass = classOf(operand.type);
  if (valueClass !== operandClass) {
    const crossesTypes = operandClass === keyClass.minKey || operandClass === keyClass.maxKey;
    return crossesTypes && accepts(kind, valueClass - operandClass);
  }
  if (value === undefined) return false;
  if (operandClass === keyClass.number) {
    const valueIsNaN = isNaNValue(value);
    if (valueIsNaN || isNaNValue(operand)) {
      return valueIsNaN && isNaNValue(operand) && kind !== 'gt' && kind !== 'lt';
    }
  }
  if (kind === 'eq' && value.type === bsonType.string && operand.type === bsonType.string) {
    return isSameText(value, operand);
  }
  return accepts(kind, order(value, operand, key));
}

/** Whether a text begins with these bytes, told without decoding it. */
function beginsWith({ buffer, start, end }: BsonValue, prefix: Buffer): boolean {
  const from = start + 4;
  if (end - 1 - from < prefix.length) return false;
  for (let at = 0; at < prefix.length; at++) if (buffer[from + at] !== prefix[at]) return false;
  return true;
}

function matchesRegex(value: BsonValue | undefined, test: RegexTest): boolean {
  if (value === undefined) return false;
  if (value.type === bsonType.string || value.type === bsonType.symbol) {
    return (test.prefix === undefined || beginsWith(value, test.prefix)) && test.regex.test(value.text);
  }
  return value.type === bsonType.regex && value.bytes.equals(test.value.bytes);
}

/** Asks one value, without looking into arrays; undefined stands for a missing field. */
export function matchesTest(test: Test, value: BsonValue | undefined): boolean {
  switch (test.kind) {
    case 'eq':
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return matchesComparison(value, test.kind, test.operand, test.key);
    case 'in':
      if (value === undefined || value.type === bsonType.undefined) return test.matchesNull;
      if (test.keys.has(encodeKey(value).toString('latin1'))) return true;
      return test.regexes.some((regex) => matchesRegex(value, regex));
    case 'regex':
      return matchesRegex(value, test);
    case 'exists':
      return value !== undefined;
    case 'type':
      return value !== undefined && test.types.has(value.type);
    case 'size':
      return value?.type === bsonType.array && itemsOf(value).length === test.size;
    case 'elemValue':
      return value?.type === bsonType.array && someItem(value, (item) => matchesItem(test.filter, item));
    case 'elemObject':
      return (
        value?.type === bsonType.array &&
        someItem(
          value,
          (item) =>
            (item.type === bsonType.document || item.type === bsonType.array) && matchesFilter(test.filter, item),
        )
      );
  }
}

/** Tests that ask about an array itself, not about its items. */
function asksWholeArray(test: Test): boolean {
  return test.kind === 'exists' || test.kind === 'size' || test.kind === 'elemValue' || test.kind === 'elemObject';
}

function evaluate(filter: Filter, document: BsonValue, ask: (filter: Filter & { kind: 'test' }) => boolean): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.parts.every((part) => evaluate(part, document, ask));
    case 'or':
      return filter.parts.some((part) => evaluate(part, document, ask));
    case 'nor':
      return !filter.parts.some((part) => evaluate(part, document, ask));
    case 'not':
      return !evaluate(filter.part, document, ask);
    case 'constant':
      return filter.value;
    case 'expression':
      filter.frame.root = document;
      return isTrue(filter.expression.evaluate(filter.frame));
    case 'test':
      return ask(filter);
  }
}

/** Whether a document satisfies a filter. */
export function matchesFilter(filter: Filter, document: BsonValue): boolean {
  return evaluate(filter, document, ({ path, test }) =>
    path === undefined
      ? matchesTest(test, document)
      : visitPath(document, path, !asksWholeArray(test), (value) => matchesTest(test, value)),
  );
}

/** Whether one item of an array satisfies a filter that has no paths, as in `$elemMatch: { $gt: 1, $lt: 5 }`. */
export function matchesItem(filter: Filter, item: BsonValue): boolean {
  return evaluate(filter, item, ({ test }) => matchesTest(test, item));
}
