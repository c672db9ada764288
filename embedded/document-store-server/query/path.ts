import { type BsonValue, bsonType, eachField, getField, itemsOf, someItem } from '../bson/value.js';
import { CommandError, code } from '../errors.js';

/** A dotted path, split once: names for words, bytes for walking. */
export interface Path {
  text: string;
  names: string[];
  bytes: Buffer[];
}

export function parsePath(text: string): Path {
  const names = text.split('.');
  return { text, names, bytes: names.map((name) => Buffer.from(name)) };
}

/** The names of a path, none of them empty. @throws CommandError 56 */
export function strictNames(text: string): string[] {
  const names = text.includes('.') ? text.split('.') : [text];
  if (names.includes('')) {
    throw new CommandError(
      code.emptyFieldName,
      `The path '${text}' contains an empty field name, which is not allowed.`,
    );
  }
  return names;
}

/** Like parsePath, for places where MongoDB refuses empty names (index keys, sort, projection). */
export function parseStrictPath(text: string): Path {
  const names = strictNames(text);
  return { text, names, bytes: names.map((name) => Buffer.from(name)) };
}

export function isIndexName(name: string): boolean {
  return /^(0|[1-9]\d*)$/.test(name);
}

/** The visitor gets undefined where the path leads nowhere; answering true ends the walk. */
type Visit = (value: BsonValue | undefined) => boolean;

function visitItems(array: BsonValue, path: Path, next: number, expandLeaf: boolean, visit: Visit): boolean {
  const name = path.names[next] ?? '';
  const isLast = next === path.names.length - 1;
  const offset = isIndexName(name) ? Number(name) : -1;
  let at = -1;
  for (const item of itemsOf(array)) {
    at++;
    if (item.type === bsonType.document && visitFrom(item, path, next, expandLeaf, visit)) return true;
    if (at !== offset) continue;
    if (isLast) {
      if (visit(item)) return true;
    } else if (item.type === bsonType.document) {
      if (visitFrom(item, path, next + 1, expandLeaf, visit)) return true;
    } else if (item.type === bsonType.array) {
      if (visitItems(item, path, next + 1, expandLeaf, visit)) return true;
    }
  }
  return false;
}

function visitFrom(container: BsonValue, path: Path, from: number, expandLeaf: boolean, visit: Visit): boolean {
  let value: BsonValue | undefined = container;
  let at = from;
  for (; at < path.bytes.length; at++) {
    const name = path.bytes[at];
    if (value === undefined || name === undefined || value.type !== bsonType.document) return visit(undefined);
    value = getField(value, name);
    if (value?.type === bsonType.array && at < path.bytes.length - 1) {
      return visitItems(value, path, at + 1, expandLeaf, visit);
    }
  }
  if (value !== undefined && value.type === bsonType.array && expandLeaf && someItem(value, visit)) return true;
  return visit(value);
}

/**
 * Visits every value that a query path means in a document: arrays on the way are walked through, an array at the end
 * is given item by item and then whole (whole alone without `expandLeaf`). Ends with true as soon as a visit does.
 */
export function visitPath(document: BsonValue, path: Path, expandLeaf: boolean, visit: Visit): boolean {
  return visitFrom(document, path, 0, expandLeaf, visit);
}

/** The name of a document's first field, if it has one. */
export function firstName(document: BsonValue): string | undefined {
  let first: string | undefined;
  eachField(document, (name) => {
    first = name;
    return true;
  });
  return first;
}
