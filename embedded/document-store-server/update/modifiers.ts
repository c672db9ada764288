import { toText } from '../bson/to-text.js';
import { type BsonValue, bsonType, fieldsOf, typeName } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { type Filter, parsePullCondition } from '../query/filter.js';
import { isIndexName, parseStrictPath } from '../query/path.js';

export type ModifierName =
  | '$set'
  | '$setOnInsert'
  | '$unset'
  | '$inc'
  | '$mul'
  | '$min'
  | '$max'
  | '$push'
  | '$addToSet'
  | '$pull';

export interface Modifier {
  name: ModifierName;
  path: string;
  names: string[];
  operand: BsonValue;
  /** of `$push` and `$addToSet` */
  each: BsonValue | undefined;
  /** of `$pull` */
  condition: { onFields: boolean; filter: Filter } | undefined;
}

export type Update = { kind: 'replace'; document: BsonValue } | { kind: 'modify'; modifiers: Modifier[] };

const known = new Set<string>([
  '$set',
  '$setOnInsert',
  '$unset',
  '$inc',
  '$mul',
  '$min',
  '$max',
  '$push',
  '$addToSet',
  '$pull',
]);
const outOfScope = new Set(['$rename', '$currentDate', '$bit', '$pop', '$pullAll']);

function eachOf(name: string, operand: BsonValue): BsonValue | undefined {
  if (operand.type !== bsonType.document) return undefined;
  const fields = fieldsOf(operand);
  const each = fields.find(([clause]) => clause === '$each')?.[1];
  const other = fields.find(([clause]) => clause.startsWith('$') && clause !== '$each');
  if (other !== undefined) throw new CommandError(code.badValue, `${name} with ${other[0]} is not supported`);
  if (each === undefined) return undefined;
  if (fields.length > 1) throw new CommandError(code.badValue, `Unrecognized clause in ${name} beside $each`);
  if (each.type !== bsonType.array) {
    throw new CommandError(
      code.typeMismatch,
      `The argument to $each in ${name} must be an array but it was of type ${typeName(each.type)}`,
    );
  }
  return each;
}

function parseModifier(name: ModifierName, path: string, operand: BsonValue): Modifier {
  const { names } = parseStrictPath(path);
  const positional = names.find((part) => part.startsWith('$'));
  if (positional !== undefined) {
    throw new CommandError(code.badValue, `the positional operator '${positional}' in '${path}' is not supported`);
  }
  if ((name === '$inc' || name === '$mul') && !operand.isNumber) {
    const verb = name === '$inc' ? 'increment' : 'multiply';
    throw new CommandError(
      code.typeMismatch,
      `Cannot ${verb} with non-numeric argument: {${path}: ${toText(operand)}}`,
    );
  }
  return {
    name,
    path,
    names,
    operand,
    each: name === '$push' || name === '$addToSet' ? eachOf(name, operand) : undefined,
    condition: name === '$pull' ? parsePullCondition(operand) : undefined,
  };
}

function compareNames(a: string[], b: string[]): number {
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const left = a[at] ?? '';
    const right = b[at] ?? '';
    if (left === right) continue;
    if (isIndexName(left) && isIndexName(right)) return Number(left) - Number(right);
    return left < right ? -1 : 1;
  }
  return a.length - b.length;
}

function checkConflicts(modifiers: Modifier[]): void {
  const taken = new Map<string, boolean>();
  for (const { path, names } of modifiers) {
    names.forEach((_, at) => {
      const part = names.slice(0, at + 1).join('.');
      const isWhole = at === names.length - 1;
      const other = taken.get(part);
      if (other !== undefined && (other || isWhole)) {
        throw new CommandError(
          code.conflictingUpdate,
          `Updating the path '${path}' would create a conflict at '${part}'`,
        );
      }
      taken.set(part, isWhole);
    });
  }
}

/**
 * Parses the `u` of an update: a replacement, or modifiers in the order MongoDB applies them.
 *
 * @throws CommandError 9 for an unknown modifier, 40 for two changes to one path, 2 for what is outside the scope
 */
export function parseUpdate(update: BsonValue): Update {
  if (update.type === bsonType.array) {
    throw new CommandError(code.invalidOptions, 'updates by an aggregation pipeline are not supported');
  }
  if (update.type !== bsonType.document) {
    throw new CommandError(code.failedToParse, 'Update argument must be either an object or an array');
  }
  const fields = fieldsOf(update);
  if (fields[0]?.[0].startsWith('$') !== true) {
    const stray = fields.find(([name]) => name.startsWith('$'));
    if (stray !== undefined) {
      throw new CommandError(
        52,
        `The dollar ($) prefixed field '${stray[0]}' is not allowed in a replacement document.`,
      );
    }
    return { kind: 'replace', document: update };
  }
  const modifiers = fields.flatMap(([name, operand]) => {
    if (outOfScope.has(name)) throw new CommandError(code.badValue, `the update operator ${name} is not supported`);
    if (!known.has(name)) {
      throw new CommandError(code.failedToParse, `Unknown modifier: ${name}. Expected a valid update modifier`);
    }
    if (operand.type !== bsonType.document) {
      throw new CommandError(
        code.failedToParse,
        `Modifiers operate on fields but we found type ${typeName(operand.type)} instead. For example: {$mod: {<field>: ...}} not {${name}: ${toText(operand)}}`,
      );
    }
    return fieldsOf(operand).map(([path, value]) => parseModifier(name as ModifierName, path, value));
  });
  checkConflicts(modifiers);
  modifiers.sort((a, b) => compareNames(a.names, b.names));
  return { kind: 'modify', modifiers };
}
