import { type BsonValue, bsonType, fieldsOf } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import type { Expressions } from '../expressions/compile.js';
import { parseFieldPath } from '../expressions/field-path.js';
import { operators } from '../expressions/operators.js';
import { isTrue } from '../expressions/values.js';
import type { Mode } from './apply.js';
import { parseElemMatch, parseSlice } from './find-operators.js';
import { type Branch, emptyBranch, type Node, nodeAt, place } from './tree.js';

interface Parsing {
  expressions: Expressions;
  root: Branch;
  /** `find` has `$slice` and `$elemMatch` of its own */
  forFind: boolean;
  mode: Mode | undefined;
  hasSlice: boolean;
  hasElemMatch: boolean;
  id: 'included' | 'excluded' | undefined;
}

/** Says what the projection is by one of its fields. @throws CommandError with `wrongMode` when another said otherwise */
function become(parsing: Parsing, mode: Mode, wrongMode: number, what: string): void {
  if (parsing.mode !== undefined && parsing.mode !== mode) {
    throw new CommandError(wrongMode, `Cannot ${what} in ${parsing.mode} projection`);
  }
  parsing.mode = mode;
}

function checkPositional(name: string, forFind: boolean): void {
  if (name !== '$' && !name.endsWith('.$') && !name.includes('.$.')) return;
  if (!forFind) throw new CommandError(31324, 'Cannot use positional projection in aggregation projection');
  throw new CommandError(
    code.badValue,
    `the positional projection '${name}' is not supported; $elemMatch, $slice and $filter are`,
  );
}

function parseFlag(isIncluded: boolean, names: string[], parsing: Parsing): void {
  place(parsing.root, names, { kind: isIncluded ? 'keep' : 'drop' });
  const path = names.join('.');
  if (path === '_id') parsing.id = isIncluded ? 'included' : 'excluded';
  else if (isIncluded) become(parsing, 'inclusion', 31253, `do inclusion on field ${path}`);
  else become(parsing, 'exclusion', 31254, `do exclusion on field ${path}`);
}

/** `$slice` of `find` where it fits, or undefined where it can only be the expression. */
function findSlice(operand: BsonValue): Node | undefined {
  try {
    return parseSlice(operand);
  } catch (err) {
    if (operand.type === bsonType.array) return undefined;
    throw err;
  }
}

function parseFindElemMatch(operand: BsonValue, names: string[], parsing: Parsing): void {
  if (!parsing.forFind) throw new CommandError(code.unknownOperator, 'Cannot use $elemMatch in this context');
  const expression = parseElemMatch(names[0] ?? '', operand);
  if (names.length > 1) throw new CommandError(31275, 'Cannot use $elemMatch projection on a nested field.');
  place(parsing.root, names, { kind: 'compute', expression });
  parsing.hasElemMatch = true;
}

/** An operator such as `{ $add: [...] }` at a path; false when the object is none. */
function parseOperator(object: BsonValue, names: string[], parsing: Parsing): boolean {
  const [only, ...more] = fieldsOf(object);
  if (only === undefined || more.length > 0 || !only[0].startsWith('$')) return false;
  const [operator, operand] = only;
  const slice = operator === '$slice' && parsing.forFind ? findSlice(operand) : undefined;
  if (slice !== undefined) {
    place(parsing.root, names, slice);
    parsing.hasSlice = true;
  } else if (operator === '$elemMatch') {
    parseFindElemMatch(operand, names, parsing);
  } else if (Object.hasOwn(operators, operator)) {
    become(parsing, 'inclusion', 31252, 'use an expression');
    place(parsing.root, names, { kind: 'compute', expression: parsing.expressions.compile(object) });
  } else {
    throw new CommandError(31325, `Unknown expression ${operator}; supported are: ${Object.keys(operators).join(' ')}`);
  }
  return true;
}

function parseField(prefix: string[], name: string, value: BsonValue, parsing: Parsing): void {
  checkPositional(name, parsing.forFind);
  const names = [...prefix, ...parseFieldPath(name).names];
  if (value.isNumber || value.type === bsonType.boolean) {
    parseFlag(isTrue(value), names, parsing);
  } else if (value.type !== bsonType.document) {
    become(parsing, 'inclusion', 31310, `use an expression for ${name}`);
    place(parsing.root, names, { kind: 'compute', expression: parsing.expressions.compile(value) });
  } else if (!parseOperator(value, names, parsing)) {
    const fields = fieldsOf(value);
    if (fields.length === 0) {
      throw new CommandError(51270, `An empty sub-projection is not a valid value. Found empty object at path ${name}`);
    }
    for (const [inner, field] of fields) parseField(names, inner, field, parsing);
  }
}

/** What a projection is that no field decides: it names `_id`, `$slice` and `$elemMatch` at most. */
function undecided({ hasSlice, hasElemMatch, id }: Parsing): Mode {
  if (hasSlice) return id === 'included' ? 'inclusion' : 'exclusion';
  return hasElemMatch || id === 'included' ? 'inclusion' : 'exclusion';
}

/**
 * Parses the projection of `find` or of `$project`: inclusions or exclusions, dotted or nested, and computed fields.
 *
 * @throws CommandError 31253, 31254, 31252 or 31310 for a mixture, 31249 or 31250 for colliding paths, 31325 for an
 *   unknown operator, 2 for the positional operator
 */
export function parseProjectionTree(
  projection: BsonValue,
  expressions: Expressions,
  forFind: boolean,
): { mode: Mode; root: Branch } {
  const root = emptyBranch();
  const parsing: Parsing = {
    expressions,
    forFind,
    root,
    mode: undefined,
    hasSlice: false,
    hasElemMatch: false,
    id: undefined,
  };
  for (const [name, value] of fieldsOf(projection)) parseField([], name, value, parsing);
  const mode = parsing.mode ?? undecided(parsing);
  if (mode === 'exclusion' && parsing.hasElemMatch) {
    throw new CommandError(code.badValue, '$elemMatch beside excluded fields is not supported');
  }
  if (mode === 'inclusion' && nodeAt(root, '_id') === undefined) place(root, ['_id'], { kind: 'keep' });
  return { mode, root };
}
