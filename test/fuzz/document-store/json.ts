import { EJSON, Int32 } from 'bson';
import { type Doc, isArray, isDoc, type Value } from './model/values.js';

/** Names that would lose their place in a plain object are written with `#` before them. */
const numeral = /^#*\d+$/;
const marked = /^#+\d+$/;

/** How extended JSON marks a value that is no document. */
const marks = new Set([
  '$numberInt',
  '$numberLong',
  '$numberDouble',
  '$numberDecimal',
  '$oid',
  '$date',
  '$binary',
  '$regularExpression',
  '$timestamp',
  '$minKey',
  '$maxKey',
  '$code',
  '$symbol',
]);

/** Extended JSON that keeps types and the order of fields; an int32 is a bare number. */
export function toJson(value: Value): unknown {
  if (isArray(value)) return value.map(toJson);
  if (isDoc(value)) {
    return Object.fromEntries([...value].map(([name, one]) => [numeral.test(name) ? `#${name}` : name, toJson(one)]));
  }
  if (value instanceof Int32) return value.value;
  return value instanceof Date
    ? { $date: { $numberLong: String(value.getTime()) } }
    : EJSON.serialize({ value }, { relaxed: false })['value'];
}

/** The value that `toJson` wrote; a number with a fraction may stand bare as well. */
export function fromJson(json: unknown): Value {
  if (json === null || typeof json === 'string' || typeof json === 'boolean') return json;
  if (typeof json === 'number' && Number.isInteger(json)) return new Int32(json);
  if (Array.isArray(json)) return json.map(fromJson);
  const fields = Object.entries(json as object);
  if (typeof json === 'number' || (fields.length === 1 && marks.has(fields[0]?.[0] ?? ''))) {
    const { value } = EJSON.parse(JSON.stringify({ value: typeof json === 'number' ? doubleOf(json) : json }), {
      relaxed: false,
    });
    return value;
  }
  return new Map(fields.map(([name, one]) => [marked.test(name) ? name.slice(1) : name, fromJson(one)]));
}

const doubleOf = (number: number) => ({ $numberDouble: String(number) });

export const docFromJson = (json: object): Doc => fromJson(json) as Doc;

/** On one line, for people; `fromJson` reads it. */
export const show = (value: Value | undefined): string =>
  value === undefined ? 'nothing' : JSON.stringify(toJson(value));
