// Multikey indexes: https://www.mongodb.com/docs/v7.0/core/indexes/index-types/index-multikey/
// A missing field is indexed as null: https://www.mongodb.com/docs/v7.0/core/index-unique/#missing-document-field-in-a-unique-single-field-index
// An empty array is below null: https://www.mongodb.com/docs/v7.0/reference/bson-type-comparison-order/#arrays
import { compare } from './order.js';
import { type Doc, insist, isArray, isDoc, typeOf, type Value } from './values.js';

/** What an empty array stands for at the end of a path; it is below everything but MinKey, and no value of a document. */
export const emptyArray: unique symbol = Symbol('[]');
/** Where a path leads nowhere; it is equal to null. */
export const missing: unique symbol = Symbol('missing');
export type Key = Value | typeof emptyArray | typeof missing;

const parallelArrays = 171;
const ambiguousName = 16746;

/**
 * The keys that a compound index holds of a document, one row each: an array gives a row for each of its elements, and
 * fields that run through the same array stay together.
 *
 * @throws Refusal 171 where two fields run through different arrays
 */
export function keyRows(doc: Doc, paths: readonly string[]): Key[][] {
  const positions = paths.map((path): Position => ({ at: doc, rest: path.split('.'), path }));
  return expand(positions);
}

/** How far a path has been followed: `rest` is still to go from `at`, or `done` is what was found. */
type Position =
  | { readonly at: Value; readonly rest: readonly string[]; readonly path: string }
  | { readonly done: Key };

function expand(positions: readonly Position[]): Key[][] {
  const walked = positions.map(walk);
  // The same names so far lead to the same array; equal arrays in two places are two.
  const arrays = new Map(walked.flatMap((position) => ('done' in position ? [] : [[wayTo(position), position.at]])));
  insist(arrays.size <= 1, parallelArrays, 'cannot index parallel arrays');
  const [array] = arrays.values();
  if (!isArray(array)) return [walked.map((position) => ('done' in position ? position.done : missing))];
  if (array.length === 0) {
    return [walked.map((position) => ('done' in position ? position.done : atEnd(position) ? emptyArray : missing))];
  }
  return array.flatMap((element) => expand(walked.map((position) => intoElement(position, array, element))));
}

const wayTo = ({ path, rest }: { path: string; rest: readonly string[] }): string =>
  path
    .split('.')
    .slice(0, -rest.length || undefined)
    .join('.');

const atEnd = (position: Position) => 'rest' in position && position.rest.length === 0;

/** Follows names through documents up to the first array or the end. */
function walk(position: Position): Position {
  if ('done' in position) return position;
  const { at, rest } = position;
  if (isArray(at)) return position;
  const [name, ...further] = rest;
  if (name === undefined) return { done: at };
  const next = isDoc(at) ? at.get(name) : undefined;
  return next === undefined ? { done: missing } : walk({ ...position, at: next, rest: further });
}

function intoElement(position: Position, array: readonly Value[], element: Value): Position {
  if ('done' in position) return position;
  const [name, ...further] = position.rest;
  // An array in the array is a key as it stands.
  if (name === undefined) return { done: element };
  const byPosition = /^(0|[1-9]\d*)$/.test(name) ? array[Number(name)] : undefined;
  if (byPosition === undefined) return isDoc(element) ? walk({ ...position, at: element }) : { done: missing };
  insist(!(isDoc(element) && element.has(name)), ambiguousName, 'a name that is a position as well');
  if (further.length === 0) return { done: isArray(byPosition) && byPosition.length === 0 ? emptyArray : byPosition };
  return walk({ ...position, at: byPosition, rest: further });
}

export function compareKeys(a: Key, b: Key): number {
  const left = a === missing ? null : a;
  const right = b === missing ? null : b;
  if (left !== emptyArray && right !== emptyArray) return compare(left, right);
  if (left === right) return 0;
  if (left === emptyArray) return isMinKey(right) ? 1 : -1;
  return isMinKey(left) ? -1 : 1;
}

const isMinKey = (key: Value | typeof emptyArray): boolean => key !== emptyArray && typeOf(key) === 'minKey';

/** @param directions 1 or -1 for each field; 1 where none is given */
export function compareRows(a: readonly Key[], b: readonly Key[], directions: readonly number[] = []): number {
  for (const [at, key] of a.entries()) {
    const verdict = compareKeys(key, b[at] as Key) * (directions[at] ?? 1);
    if (verdict !== 0) return verdict;
  }
  return 0;
}
