// Dotted paths through documents and arrays, by name and by position:
// https://www.mongodb.com/docs/v7.0/core/document/#dot-notation
// https://www.mongodb.com/docs/v7.0/tutorial/query-array-of-documents/
// https://www.mongodb.com/docs/v7.0/tutorial/query-for-null-fields/
// What the manual leaves open (a nested array is entered only by position; an array ended on by position is not taken
// apart; scalars in an array have no fields, not even missing ones) follows the cases of MongoDB's own path tests.
import { type Doc, isArray, isDoc, type Value } from './values.js';

/** A value that a path leads to; undefined where a document lacks the field. */
export type Found = Value | undefined;

/**
 * Everything a path leads to. An array at its end counts as itself, and with `expand` as each of its elements too.
 * An array on the way leads on through its documents, and through the element that the path numbers.
 */
export function reach(doc: Doc, path: string, expand: boolean): Found[] {
  return fromDoc(doc, path.split('.'), expand);
}

function fromDoc(doc: Doc, [name = '', ...rest]: readonly string[], expand: boolean): Found[] {
  const value = doc.get(name);
  if (isArray(value)) return fromArray(value, rest, expand);
  if (rest.length === 0) return [value];
  return isDoc(value) ? fromDoc(value, rest, expand) : [undefined];
}

function fromArray(array: readonly Value[], rest: readonly string[], expand: boolean): Found[] {
  if (rest.length === 0) return expand ? [...array, array] : [array];
  const [first, ...further] = rest;
  return array.flatMap((element, at) => {
    const byName = isDoc(element) ? fromDoc(element, rest, expand) : [];
    if (first !== String(at)) return byName;
    if (further.length === 0) return [...byName, element];
    if (isDoc(element)) return [...byName, ...fromDoc(element, further, expand)];
    return isArray(element) ? fromArray(element, further, expand) : [];
  });
}
