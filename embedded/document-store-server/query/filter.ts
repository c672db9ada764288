import { encodeKey } from '../bson/key-encoding.js';
import { toDouble, toInteger } from '../bson/numbers.js';
import { toText } from '../bson/to-text.js';
import { BsonValue, bsonType, fieldsOf, itemsOf, typeName, typeOfName } from '../bson/value.js';
import { toBson } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import type { Expressions } from '../expressions/compile.js';
import type { Expression, Frame } from '../expressions/expression.js';
import { isTrue } from '../expressions/values.js';
import { firstName, type Path, parsePath } from './path.js';
import { compileRegex, literalPrefix } from './regex.js';

export type Comparison = 'eq' | 'gt' | 'gte' | 'lt' | 'lte';

export interface RegexTest {
  kind: 'regex';
  regex: RegExp;
  /** the pattern as BSON: a stored expression equals itself */
  value: BsonValue;
  /** what every text that matches begins with, when that is known */
  prefix: Buffer | undefined;
}

/** A question about one value. */
export type Test =
  | { kind: Comparison; operand: BsonValue; key: Buffer }
  | { kind: 'in'; operands: BsonValue[]; keys: Set<string>; matchesNull: boolean; regexes: RegexTest[] }
  | RegexTest
  | { kind: 'exists' }
  | { kind: 'type'; types: Set<number> }
  | { kind: 'size'; size: number }
  | { kind: 'elemValue'; filter: Filter }
  | { kind: 'elemObject'; filter: Filter };

/** A parsed query. `path` is undefined inside `$elemMatch: { $gt: ... }`, where the item itself is asked. */
export type Filter =
  | { kind: 'and' | 'or' | 'nor'; parts: Filter[] }
  | { kind: 'not'; part: Filter }
  | { kind: 'constant'; value: boolean }
  | { kind: 'test'; path: Path | undefined; test: Test }
  | { kind: 'expression'; expression: Expression; frame: Frame };

const bad = (message: string) => new CommandError(code.badValue, message);

function regexTest(source: string, options: string): RegexTest {
  const bytes = Buffer.from(`${source}\0${[...options].sort().join('')}\0`);
  const prefix = literalPrefix(source, options);
  return {
    kind: 'regex',
    regex: compileRegex(source, options),
    value: new BsonValue(bsonType.regex, bytes, 0, bytes.length),
    prefix: prefix === undefined ? undefined : Buffer.from(prefix),
  };
}

function regexOfValue(value: BsonValue): RegexTest {
  const [source = '', options = ''] = value.bytes.toString('utf8').split('\0');
  return regexTest(source, options);
}

function isOperatorDocument(value: BsonValue): boolean {
  if (value.type !== bsonType.document) return false;
  const first = firstName(value);
  return first?.startsWith('$') === true && first !== '$ref' && first !== '$id' && first !== '$db';
}

function compare(kind: Comparison, operand: BsonValue): Test {
  if (operand.type === bsonType.undefined) throw bad('cannot compare to undefined');
  if (operand.type === bsonType.regex && kind !== 'eq') throw bad(`Can't have RegEx as arg to predicate over field`);
  return { kind, operand, key: encodeKey(operand) };
}

function equality(operand: BsonValue): Test {
  return operand.type === bsonType.regex ? regexOfValue(operand) : compare('eq', operand);
}

function inTest(name: string, operand: BsonValue): Test {
  if (operand.type !== bsonType.array) throw bad(`${name} needs an array`);
  const operands: BsonValue[] = [];
  const regexes: RegexTest[] = [];
  const keys = new Set<string>();
  let matchesNull = false;
  for (const item of itemsOf(operand)) {
    if (isOperatorDocument(item)) throw bad(`cannot nest $ under ${name}`);
    if (item.type === bsonType.undefined) throw bad('cannot compare to undefined');
    if (item.type === bsonType.regex) regexes.push(regexOfValue(item));
    else if (item.type === bsonType.null) matchesNull = true;
    const key = encodeKey(item).toString('latin1');
    if (keys.has(key)) continue;
    keys.add(key);
    if (item.type !== bsonType.regex) operands.push(item);
  }
  return { kind: 'in', operands, keys, matchesNull, regexes };
}

function typeTest(operand: BsonValue): Test {
  const types = new Set<number>();
  for (const item of operand.type === bsonType.array ? itemsOf(operand) : [operand]) {
    if (item.type === bsonType.string) {
      if (item.text === 'number') [1, 16, 18, 19].forEach((type) => void types.add(type));
      else {
        const type = typeOfName(item.text);
        if (type === undefined) throw bad(`Unknown type name alias: ${item.text}`);
        types.add(type);
      }
    } else if (item.isNumber) {
      const number = toDouble(item);
      const type = number === -1 ? bsonType.minKey : number;
      if (!Number.isInteger(type) || (typeName(type).startsWith('type ') && type !== 0)) {
        throw bad(`Invalid numerical type code: ${toText(item)}`);
      }
      types.add(type);
    } else {
      throw new CommandError(code.typeMismatch, 'type must be represented as a number or a string');
    }
  }
  if (types.size === 0) throw new CommandError(code.failedToParse, '$type must match at least one type');
  return { kind: 'type', types };
}

function sizeTest(operand: BsonValue): Test {
  const size = toInteger(operand);
  if (size === undefined) throw bad(`Failed to parse $size. Expected an integer: ${toText(operand)}`);
  if (size < 0n) throw bad(`Failed to parse $size. Expected a non-negative number: ${toText(operand)}`);
  return { kind: 'size', size: Number(size) };
}

function elemMatch(operand: BsonValue): Test {
  if (operand.type !== bsonType.document) throw bad('$elemMatch needs an Object');
  const first = firstName(operand);
  const isValue = first?.startsWith('$') === true && !['$and', '$or', '$nor', '$where'].includes(first);
  return isValue
    ? { kind: 'elemValue', filter: parseOperators(undefined, operand) }
    : { kind: 'elemObject', filter: parseFilter(operand) };
}

function allTest(path: Path | undefined, operand: BsonValue): Filter {
  if (operand.type !== bsonType.array) throw bad('$all needs an array');
  const parts = itemsOf(operand).map((item): Filter => {
    if (item.type === bsonType.document && firstName(item) === '$elemMatch') return parseOperators(path, item);
    if (isOperatorDocument(item)) throw bad('no $ expressions in $all');
    return { kind: 'test', path, test: equality(item) };
  });
  return parts.length === 0 ? { kind: 'constant', value: false } : { kind: 'and', parts };
}

function notFilter(path: Path | undefined, operand: BsonValue): Filter {
  if (operand.type === bsonType.regex) {
    return { kind: 'not', part: { kind: 'test', path, test: regexOfValue(operand) } };
  }
  if (operand.type !== bsonType.document) throw bad('$not needs a regex or a document');
  if (firstName(operand) === undefined) throw bad('$not cannot be empty');
  return { kind: 'not', part: parseOperators(path, operand) };
}

function regexOperator(operand: BsonValue, options: BsonValue | undefined): Test {
  if (options !== undefined && options.type !== bsonType.string) throw bad('$options has to be a string');
  if (operand.type === bsonType.regex) {
    const [source = '', own = ''] = operand.bytes.toString('utf8').split('\0');
    if (own !== '' && options !== undefined) throw new CommandError(51075, 'options set in both $regex and $options');
    return regexTest(source, options?.text ?? own);
  }
  if (operand.type !== bsonType.string) throw bad('$regex has to be a string');
  return regexTest(operand.text, options?.text ?? '');
}

type ParseTest = (operand: BsonValue, path: Path | undefined, siblings: [string, BsonValue][]) => Filter | undefined;

const on = (path: Path | undefined, test: Test): Filter => ({ kind: 'test', path, test });
const not = (part: Filter): Filter => ({ kind: 'not', part });
const comparison =
  (kind: Comparison): ParseTest =>
  (operand, path) =>
    on(path, compare(kind, operand));

const tests = new Map<string, ParseTest>([
  ['$eq', comparison('eq')],
  ['$gt', comparison('gt')],
  ['$gte', comparison('gte')],
  ['$lt', comparison('lt')],
  ['$lte', comparison('lte')],
  [
    '$ne',
    (operand, path) => {
      if (operand.type === bsonType.regex) throw bad(`Can't have regex as arg to $ne.`);
      return not(on(path, compare('eq', operand)));
    },
  ],
  ['$in', (operand, path) => on(path, inTest('$in', operand))],
  ['$nin', (operand, path) => not(on(path, inTest('$nin', operand)))],
  ['$exists', (operand, path) => (isTrue(operand) ? on(path, { kind: 'exists' }) : not(on(path, { kind: 'exists' })))],
  ['$type', (operand, path) => on(path, typeTest(operand))],
  ['$size', (operand, path) => on(path, sizeTest(operand))],
  [
    '$regex',
    (operand, path, siblings) =>
      on(path, regexOperator(operand, siblings.find(([other]) => other === '$options')?.[1])),
  ],
  [
    '$options',
    (_operand, _path, siblings) => {
      if (!siblings.some(([other]) => other === '$regex')) throw bad('$options needs a $regex');
      return undefined;
    },
  ],
  ['$all', (operand, path) => allTest(path, operand)],
  ['$elemMatch', (operand, path) => on(path, elemMatch(operand))],
  ['$not', (operand, path) => notFilter(path, operand)],
]);

const aroundTests = ['$and', '$or', '$nor', '$expr', '$comment'];

/** The operators that filters may have: those of fields, and those around them. */
export const filterOperators = [...tests.keys(), ...aroundTests];

function parseOperators(path: Path | undefined, operators: BsonValue): Filter {
  const fields = fieldsOf(operators);
  const parts = fields.flatMap(([name, operand]): Filter[] => {
    const parse = tests.get(name);
    if (parse === undefined) {
      const where = name.startsWith('$') ? '' : ' beside $ operators';
      throw bad(`unknown operator: ${name}${where}; supported are ${[...tests.keys()].join(' ')}`);
    }
    const part = parse(operand, path, fields);
    return part === undefined ? [] : [part];
  });
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { kind: 'and', parts };
}

function parseLogical(kind: 'and' | 'or' | 'nor', operand: BsonValue, expressions: Expressions | undefined): Filter {
  if (operand.type !== bsonType.array) throw bad(`$${kind} must be an array`);
  const items = itemsOf(operand);
  if (items.length === 0) throw bad('$and/$or/$nor must be a nonempty array');
  const parts = items.map((item) => {
    if (item.type !== bsonType.document) throw bad('$or/$and/$nor entries need to be full objects');
    return parseFilter(item, expressions);
  });
  return { kind, parts };
}

function parseExpr(operand: BsonValue, expressions: Expressions | undefined): Filter {
  if (expressions === undefined) throw bad('$expr can only be applied to the top-level document, and not here');
  return { kind: 'expression', expression: expressions.compile(operand), frame: expressions.frame() };
}

/**
 * Parses a query document.
 *
 * @param expressions compiles what stands behind `$expr`; without it `$expr` is refused
 * @throws CommandError 2 BadValue naming an operator that is unknown or outside this server's scope
 */
export function parseFilter(query: BsonValue, expressions?: Expressions): Filter {
  const parts = fieldsOf(query).flatMap(([name, value]): Filter[] => {
    if (name === '$and' || name === '$or' || name === '$nor') {
      return [parseLogical(name.slice(1) as 'and' | 'or' | 'nor', value, expressions)];
    }
    if (name === '$expr') return [parseExpr(value, expressions)];
    if (name === '$comment') return [];
    if (name.startsWith('$')) {
      throw bad(`unknown top level operator: ${name}; supported are ${aroundTests.join(' ')}`);
    }
    const path = parsePath(name);
    if (isOperatorDocument(value)) return [parseOperators(path, value)];
    return [{ kind: 'test', path, test: equality(value) }];
  });
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { kind: 'and', parts };
}

/** The items `$pull` removes by operators, a pattern or equality; a plain document is a filter on the item's fields. */
export function parsePullCondition(condition: BsonValue): { onFields: boolean; filter: Filter } {
  if (isOperatorDocument(condition)) return { onFields: false, filter: parseOperators(undefined, condition) };
  if (condition.type === bsonType.document) return { onFields: true, filter: parseFilter(condition) };
  return { onFields: false, filter: { kind: 'test', path: undefined, test: equality(condition) } };
}

export const matchAll: Filter = { kind: 'and', parts: [] };

/** The filter `{ _id: value }`. */
export function idFilter(id: BsonValue): Filter {
  return { kind: 'test', path: parsePath('_id'), test: compare('eq', toBson(id)) };
}
