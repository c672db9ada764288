import { type BsonValue, bsonType, fieldsOf } from '../bson/value.js';
import { CommandError } from '../errors.js';
import type { Expressions } from '../expressions/compile.js';
import { parseFieldPath } from '../expressions/field-path.js';
import { type Branch, emptyBranch, place } from './tree.js';

function placeOnce(root: Branch, names: string[], value: BsonValue, expressions: Expressions): void {
  const node = { kind: 'compute', expression: expressions.compile(value) } as const;
  try {
    place(root, names, node);
  } catch (err) {
    if (!(err instanceof CommandError)) throw err;
    throw new CommandError(40176, `specification contains two conflicting paths: '${names.join('.')}'`);
  }
}

function parseField(root: Branch, names: string[], value: BsonValue, expressions: Expressions): void {
  const fields = value.type === bsonType.document ? fieldsOf(value) : [];
  const operator = fields.find(([name]) => name.startsWith('$'));
  if (operator !== undefined && fields.length > 1) {
    throw new CommandError(40181, `an expression specification must contain exactly one field, not ${fields.length}`);
  }
  if (operator !== undefined || fields.length === 0) {
    placeOnce(root, names, value, expressions);
    return;
  }
  for (const [name, field] of fields) {
    if (name.includes('.')) throw new CommandError(40183, `cannot use dotted field name '${name}' in a sub object`);
    parseField(root, [...names, ...parseFieldPath(name).names], field, expressions);
  }
}

/**
 * Parses what `$addFields` adds: expressions at paths, nested objects standing for paths.
 *
 * @throws CommandError 40176 for conflicting paths, 40181, 40183
 */
export function parseAddFields(spec: BsonValue, expressions: Expressions): Branch {
  const root = emptyBranch();
  for (const [name, value] of fieldsOf(spec)) parseField(root, parseFieldPath(name).names, value, expressions);
  return root;
}
