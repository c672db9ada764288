import { toDouble } from '../bson/numbers.js';
import { BsonValue, bsonType, documentValue, eachField, fieldsOf } from '../bson/value.js';
import { toBson, writeFields } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import { parseStrictPath } from './path.js';

interface Node {
  /** undefined where the path ends */
  children: Map<string, Node> | undefined;
}

export interface Projection {
  include: boolean;
  fields: Map<string, Node>;
}

function flag(name: string, value: BsonValue): boolean {
  if (value.type === bsonType.boolean) return value.buffer[value.start] === 1;
  if (value.isNumber) return toDouble(value) !== 0;
  const operator = value.type === bsonType.document ? fieldsOf(value)[0]?.[0] : undefined;
  throw new CommandError(code.badValue, `projection of '${name}' by ${operator ?? 'an expression'} is not supported`);
}

function addPath(fields: Map<string, Node>, text: string): void {
  const { names } = parseStrictPath(text);
  let level = fields;
  names.forEach((name, at) => {
    if (name.startsWith('$')) {
      throw new CommandError(code.badValue, `the positional operator in projection '${text}' is not supported`);
    }
    const isLast = at === names.length - 1;
    const node = level.get(name);
    if (node !== undefined && (isLast || node.children === undefined)) {
      throw new CommandError(31249, `Path collision at ${text}`);
    }
    const next: Node = node ?? { children: isLast ? undefined : new Map() };
    level.set(name, next);
    if (next.children !== undefined) level = next.children;
  });
}

/**
 * Parses inclusion or exclusion, with dotted paths.
 *
 * @returns undefined for an empty projection
 * @throws CommandError 31253 / 31254 for a mixture, 2 for operators and expressions
 */
export function parseProjection(projection: BsonValue): Projection | undefined {
  const fields = fieldsOf(projection);
  if (fields.length === 0) return undefined;
  const id = fields.find(([name]) => name === '_id')?.[1];
  const others = fields.filter(([name]) => name !== '_id').map(([name, value]) => ({ name, on: flag(name, value) }));
  const include = others[0]?.on ?? (id !== undefined && flag('_id', id));
  const stray = others.find(({ on }) => on !== include);
  if (stray !== undefined) {
    throw include
      ? new CommandError(31254, `Cannot do exclusion on field ${stray.name} in inclusion projection`)
      : new CommandError(31253, `Cannot do inclusion on field ${stray.name} in exclusion projection`);
  }
  const tree = new Map<string, Node>();
  for (const { name } of others) addPath(tree, name);
  const wantsId = id === undefined ? include : flag('_id', id);
  const touchesId = tree.has('_id');
  if (!touchesId && wantsId === include && (include || id !== undefined)) tree.set('_id', { children: undefined });
  return { include, fields: tree };
}

function projectItem(item: BsonValue, node: Node, include: boolean): BsonValue | undefined {
  if (item.type === bsonType.document) return documentValue(projectFields(item, node.children ?? new Map(), include));
  if (item.type === bsonType.array) return projectArray(item, node, include);
  return include ? undefined : item;
}

function projectArray(array: BsonValue, node: Node, include: boolean): BsonValue {
  const items: BsonValue[] = [];
  eachField(array, (_, item) => {
    const kept = projectItem(item, node, include);
    if (kept !== undefined) items.push(kept);
    return false;
  });
  const written = toBson(items);
  return new BsonValue(bsonType.array, written.buffer, written.start, written.end);
}

function projectFields(document: BsonValue, fields: Map<string, Node>, include: boolean): Buffer {
  const kept: [string, BsonValue][] = [];
  eachField(document, (name, value) => {
    const node = fields.get(name);
    if (node === undefined) {
      if (!include) kept.push([name, value]);
    } else if (node.children === undefined) {
      if (include) kept.push([name, value]);
    } else {
      const part = projectItem(value, node, include);
      if (part !== undefined) kept.push([name, part]);
    }
    return false;
  });
  return writeFields(kept);
}

/** The document with only the projected fields, their bytes unchanged and in their own order. */
export function project(projection: Projection, document: Buffer): Buffer {
  return projectFields(documentValue(document), projection.fields, projection.include);
}
