// Comparison and sort order: https://www.mongodb.com/docs/v7.0/reference/bson-type-comparison-order/
import type { Binary, BSONRegExp, BSONSymbol, Code, ObjectId, Timestamp } from 'bson';
import { compareNumbers } from './numbers.js';
import { as, type Doc, isArray, isDoc, type TypeName, typeOf, type Value } from './values.js';

/** Lowest first; what stands together is compared as one type. */
const order: readonly (readonly TypeName[])[] = [
  ['minKey'],
  ['null'],
  ['int', 'long', 'double', 'decimal'],
  ['string', 'symbol'],
  ['object'],
  ['array'],
  ['binData'],
  ['objectId'],
  ['bool'],
  ['date'],
  ['timestamp'],
  ['regex'],
  ['javascript'],
  ['maxKey'],
];
const ranks = new Map(order.flatMap((names, rank) => names.map((name) => [name, rank] as const)));

/** Which types are compared with one another ("type bracketing"). */
export const bracketOf = (value: Value): number => ranks.get(typeOf(value)) ?? Number.NaN;

const sign = (number: number): number => Math.sign(number);
const bytesOf = (text: string): Buffer => Buffer.from(text, 'utf8');
const compareText = (a: string, b: string): number => Buffer.compare(bytesOf(a), bytesOf(b));

/** Below 0, 0 or above 0, across all types. */
export function compare(a: Value, b: Value): number {
  const bracket = bracketOf(a) - bracketOf(b);
  if (bracket !== 0) return sign(bracket);
  switch (typeOf(a)) {
    case 'int':
    case 'long':
    case 'double':
    case 'decimal':
      return compareNumbers(a, b);
    case 'string':
    case 'symbol':
      return compareText(textOf(a), textOf(b));
    case 'object':
      return compareDocs(as<Doc>(a), as<Doc>(b));
    case 'array':
      return compareLists(as<readonly Value[]>(a), as<readonly Value[]>(b));
    case 'binData':
      return compareBinary(as<Binary>(a), as<Binary>(b));
    case 'objectId':
      return Buffer.compare(as<ObjectId>(a).id, as<ObjectId>(b).id);
    case 'bool':
      return sign(Number(a) - Number(b));
    case 'date':
      return sign(as<Date>(a).getTime() - as<Date>(b).getTime());
    case 'timestamp': {
      const [left, right] = [as<Timestamp>(a), as<Timestamp>(b)];
      return sign(left.t - right.t) || sign(left.i - right.i);
    }
    case 'regex': {
      const [left, right] = [as<BSONRegExp>(a), as<BSONRegExp>(b)];
      return compareText(left.pattern, right.pattern) || compareText(left.options, right.options);
    }
    case 'javascript':
      return compareText(as<Code>(a).code, as<Code>(b).code);
    default:
      return 0;
  }
}

export const equal = (a: Value, b: Value): boolean => compare(a, b) === 0;

/** A symbol is compared as the string it holds. */
function textOf(value: Value): string {
  return typeof value === 'string' ? value : as<BSONSymbol>(value).value;
}

/** Pair by pair in the order of the document: the type, then the name, then the value; the shorter one is less. */
function compareDocs(a: Doc, b: Doc): number {
  const left = [...a];
  const right = [...b];
  for (const [at, [name, value]] of left.entries()) {
    const other = right[at];
    if (other === undefined) return 1;
    const verdict =
      sign(bracketOf(value) - bracketOf(other[1])) || compareText(name, other[0]) || compare(value, other[1]);
    if (verdict !== 0) return verdict;
  }
  return left.length < right.length ? -1 : 0;
}

function compareLists(a: readonly Value[], b: readonly Value[]): number {
  for (const [at, value] of a.entries()) {
    const other = b[at];
    if (other === undefined) return 1;
    const verdict = compare(value, other);
    if (verdict !== 0) return verdict;
  }
  return a.length < b.length ? -1 : 0;
}

/** First by length, then by subtype, then byte by byte. */
function compareBinary(a: Binary, b: Binary): number {
  const [left, right] = [a.value(), b.value()];
  return sign(left.length - right.length) || sign(a.sub_type - b.sub_type) || Buffer.compare(left, right);
}

/** Whether they are the same value of the same type, down to the last bit (1 is not 1.0, and -0 is not 0). */
export function identical(a: Value, b: Value): boolean {
  if (typeOf(a) !== typeOf(b)) return false;
  if (isDoc(a) && isDoc(b)) {
    const right = [...b];
    return (
      a.size === b.size &&
      [...a].every(([name, value], at) => name === right[at]?.[0] && identical(value, right[at][1]))
    );
  }
  if (isArray(a) && isArray(b)) {
    return a.length === b.length && a.every((value, at) => identical(value, b[at] as Value));
  }
  if (typeOf(a) === 'double') return Object.is((a as { value?: number }).value, (b as { value?: number }).value);
  if (typeOf(a) === 'decimal') return String(a) === String(b);
  return equal(a, b);
}
