import { assembleArray } from '../bson/assemble.js';
import { type BsonValue, bsonType, eachField, getField } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { type Path, parsePath } from '../query/path.js';
import type { Value } from './values.js';

const longestPath = 200;

/** @throws CommandError 15998 for an empty name, 16410 for one that starts with `$`, 16412 for one with a dot */
export function checkFieldName(name: string): void {
  if (name === '') throw new CommandError(15998, 'FieldPath field names may not be empty strings.');
  if (name.startsWith('$')) {
    throw new CommandError(16410, `FieldPath field names may not start with '$'. Consider using $getField: '${name}'`);
  }
  if (name.includes('.')) throw new CommandError(16412, `FieldPath field names may not contain '.'. Got '${name}'`);
}

/**
 * A dotted path as stages and expressions write it.
 *
 * @throws CommandError 40352 for an empty one, 40353 for one that ends with a dot, else as checkFieldName
 */
export function parseFieldPath(text: string): Path {
  if (text === '') throw new CommandError(40352, 'FieldPath cannot be constructed with empty string');
  if (text.endsWith('.')) throw new CommandError(40353, `FieldPath must not end with a '.': '${text}'`);
  const path = parsePath(text);
  if (path.names.length > longestPath) {
    throw new CommandError(code.overflow, `FieldPath is longer than ${longestPath} names`);
  }
  path.names.forEach(checkFieldName);
  return path;
}

/** What a path such as `$a.b` means in a value: behind an array stands an array of what its documents have there. */
export function readPath(value: Value, path: Path, from = 0): Value {
  let found = value;
  for (let at = from; at < path.bytes.length; at++) {
    if (found === undefined) return undefined;
    if (found.type === bsonType.array) return readItems(found, path, at);
    const name = path.bytes[at];
    found = found.type === bsonType.document && name !== undefined ? getField(found, name) : undefined;
  }
  return found;
}

function readItems(array: BsonValue, path: Path, from: number): BsonValue {
  const items: BsonValue[] = [];
  eachField(array, (_, item) => {
    const found = item.type === bsonType.document ? readPath(item, path, from) : undefined;
    if (found !== undefined) items.push(found);
    return false;
  });
  return assembleArray(items);
}

/** The value at a path through documents alone; nothing where an array is on the way. */
export function readPlainPath(document: BsonValue, path: Path): Value {
  let found: Value = document;
  for (const name of path.bytes) {
    if (found === undefined || found.type !== bsonType.document) return undefined;
    found = getField(found, name);
  }
  return found;
}
