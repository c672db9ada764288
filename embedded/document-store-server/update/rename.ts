import { toText } from '../bson/to-text.js';
import { type BsonValue, bsonType, getField, itemsOf } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { strictNames } from '../query/path.js';
import { isItemsName } from './node.js';
import type { Operator, Run } from './operator.js';

/** One field's way to its new place. Its two operators sit at the two paths. */
export interface Rename {
  path: string;
  names: string[];
  targetPath: string;
  targetNames: string[];
  source: Operator;
  target: Operator;
}

const refuse = (message: string) => new CommandError(code.badValue, message);
const isDynamic = (names: string[]) => names.some((name) => name === '$' || isItemsName(name));
const isPrefix = (a: string[], b: string[]) => a.length < b.length && a.every((name, at) => name === b[at]);

/** @throws CommandError 2 for a target that is no path, the same path, or on the source's own path */
export function parseRename(operand: BsonValue, path: string): Rename {
  if (operand.type !== bsonType.string) {
    throw refuse(`The 'to' field for $rename must be a string: ${path}: ${toText(operand)}`);
  }
  const targetPath = operand.text;
  if (targetPath.includes('\0')) throw refuse(`The 'to' field for $rename cannot contain an embedded null byte`);
  const names = strictNames(path);
  const targetNames = strictNames(targetPath);
  if (path === targetPath) throw refuse(`The source and target field for $rename must differ: ${path}`);
  if (isPrefix(names, targetNames) || isPrefix(targetNames, names)) {
    throw refuse(`The source and target field for $rename must not be on the same path: ${path}: ${targetPath}`);
  }
  if (isDynamic(names)) throw refuse(`The source field for $rename may not be dynamic: ${path}`);
  if (isDynamic(targetNames)) throw refuse(`The destination field for $rename may not be dynamic: ${targetPath}`);
  const source: Operator = {
    change: (current, run) => (run.moved.has(source) ? undefined : current),
    create: () => undefined,
    strict: false,
    levels: 0,
  };
  const target: Operator = {
    // the source's own value and type, even where the target's is equal
    change: (current, run) => run.moved.get(source) ?? current,
    create: (run) => run.moved.get(source),
    strict: false,
    levels: 0,
  };
  return { path, names, targetPath, targetNames, source, target };
}

function arrayOnTheWay(end: 'source' | 'destination', path: string, name: string): CommandError {
  return refuse(
    `The ${end} field cannot be an array element, '${path}': the document has an array field called '${name}'`,
  );
}

/** What a path names in a document, missing or not. @throws CommandError 28 through a scalar, 2 through an array */
function findSource(document: BsonValue, { path, names }: Rename): BsonValue | undefined {
  let value: BsonValue = document;
  let array: string | undefined;
  for (const [at, name] of names.entries()) {
    let next: BsonValue | undefined;
    if (value.type === bsonType.document) next = getField(value, Buffer.from(name));
    else if (value.type === bsonType.array && /^\d+$/.test(name)) {
      array ??= names[at - 1] ?? '';
      next = itemsOf(value)[Number(name)];
    } else {
      throw new CommandError(
        code.pathNotViable,
        `cannot use the part (${name} of ${path}) to traverse the element (${toText(value)})`,
      );
    }
    if (next === undefined) return undefined;
    value = next;
  }
  if (array !== undefined) throw arrayOnTheWay('source', path, array);
  return value;
}

function checkTarget(document: BsonValue, { targetPath, targetNames }: Rename): void {
  let value: BsonValue | undefined = document;
  for (const [at, name] of targetNames.entries()) {
    if (value?.type === bsonType.array) throw arrayOnTheWay('destination', targetPath, targetNames[at - 1] ?? '');
    if (value?.type !== bsonType.document) return;
    value = getField(value, Buffer.from(name));
  }
}

/** Looks up what each `$rename` moves. No other operator can touch it, as that would be a conflict. */
export function resolveRenames(renames: Rename[], run: Run): void {
  for (const rename of renames) {
    const value = findSource(run.document, rename);
    if (value === undefined) continue;
    checkTarget(run.document, rename);
    run.moved.set(rename.source, value);
  }
}
