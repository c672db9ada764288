// Query operators: https://www.mongodb.com/docs/v7.0/reference/operator/query/ (one page each, named below where it is
// their rule), and null: https://www.mongodb.com/docs/v7.0/tutorial/query-for-null-fields/
import { BSONRegExp } from 'bson';
import { exact, isNaNValue, isNumber, isWhole, wholeOf } from './numbers.js';
import { bracketOf, compare, equal } from './order.js';
import { type Found, reach } from './paths.js';
import { regexMatches } from './regex.js';
import {
  as,
  type Doc,
  insist,
  isArray,
  isDoc,
  Refusal,
  type TypeName,
  typeNumbers,
  typeOf,
  type Value,
} from './values.js';

const badValue = 2;
const failedToParse = 9;
const logical = new Set(['$and', '$or', '$nor']);

/** @throws Refusal for a filter that MongoDB does not take, whatever the documents are; see `check` */
export function checkFilter(filter: Doc): void {
  for (const [name, operand] of filter) {
    if (logical.has(name)) {
      insist(isArray(operand) && operand.length > 0, badValue, `${name} must be a nonempty array`);
      for (const clause of operand) {
        insist(isDoc(clause), badValue, `${name} takes documents`);
        checkFilter(clause);
      }
    } else if (name === '$comment') continue;
    else if (name.startsWith('$')) throw new Refusal(badValue, `unknown top level operator: ${name}`);
    else if (isOperators(operand)) checkOperators(operand);
  }
}

/** Whether a document passes a filter that `checkFilter` let through. */
export function matches(doc: Doc, filter: Doc): boolean {
  return [...filter].every(([name, operand]) => {
    if (name === '$comment') return true;
    if (!logical.has(name)) return fieldMatches(doc, name, operand);
    const verdicts = as<readonly Doc[]>(operand).map((clause) => matches(doc, clause));
    if (name === '$and') return verdicts.every(Boolean);
    return name === '$or' ? verdicts.some(Boolean) : !verdicts.some(Boolean);
  });
}

/** A document whose first name begins with `$` holds operators; any other one is a value to be equal to. */
export const isOperators = (operand: Value): operand is Doc =>
  isDoc(operand) && ([...operand.keys()][0]?.startsWith('$') ?? false);

function fieldMatches(doc: Doc, path: string, operand: Value): boolean {
  if (isOperators(operand)) return operatorsMatch(operand, (expand) => reach(doc, path, expand));
  const found = reach(doc, path, true);
  if (typeOf(operand) === 'regex') return found.some((value) => isRegexMatch(operand, value));
  return found.some((value) => isEqual(operand, value));
}

/** @param reached what there is to look at, with the elements of an array at the end or without */
function operatorsMatch(operators: Doc, reached: (expand: boolean) => Found[]): boolean {
  return [...operators].every(([name, operand]) => {
    switch (name) {
      case '$ne':
        return !reached(true).some((value) => isEqual(operand, value));
      case '$nin':
        return !reached(true).some((value) => isIn(operand, value));
      case '$not':
        return typeOf(operand) === 'regex'
          ? !reached(true).some((value) => isRegexMatch(operand, value))
          : !operatorsMatch(as<Doc>(operand), reached);
      case '$exists':
        return reached(true).some((value) => value !== undefined) === isTrue(operand);
      case '$all':
        return allMatch(as<readonly Value[]>(operand), reached);
      case '$size':
      case '$elemMatch':
        return reached(false).some((value) => testOne(name, operand, value, operators));
      default:
        return reached(true).some((value) => testOne(name, operand, value, operators));
    }
  });
}

/** What an operator says of one value. */
function testOne(name: string, operand: Value, value: Found, siblings: Doc): boolean {
  switch (name) {
    case '$eq':
      return isEqual(operand, value);
    case '$in':
      return isIn(operand, value);
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return isBeyond(name, operand, value);
    case '$type':
      return value !== undefined && typesOf(operand).has(typeOf(value));
    case '$regex':
      return isRegexMatch(regexOf(operand, siblings), value);
    case '$options':
      return true;
    case '$mod':
      return isRest(as<readonly Value[]>(operand), value);
    case '$size':
      return isArray(value) && BigInt(value.length) === wholeOf(operand);
    case '$elemMatch':
      return isArray(value) && hasElement(as<Doc>(operand), value);
    default:
      throw new RangeError(`the model does not know ${name}`);
  }
}

/** query-for-null-fields: null is equal to what is missing. `$eq` of a regular expression is equality, no match. */
function isEqual(operand: Value, value: Found): boolean {
  return value === undefined ? operand === null : equal(operand, value);
}

/** $in: equality with one of them, or a match where one is a regular expression. */
function isIn(operand: Value, value: Found): boolean {
  return as<readonly Value[]>(operand).some((one) =>
    typeOf(one) === 'regex' ? isRegexMatch(one, value) : isEqual(one, value),
  );
}

function isRegexMatch(regex: Value, value: Found): boolean {
  return value !== undefined && regexMatches(as<BSONRegExp>(regex), value);
}

/**
 * bson-type-comparison-order: comparisons stay within the operand's type ("type bracketing"), which MinKey and MaxKey
 * alone leave; NaN is neither below nor above a number; null and missing are equal.
 */
function isBeyond(name: '$gt' | '$gte' | '$lt' | '$lte', operand: Value, value: Found): boolean {
  const type = typeOf(operand);
  const present = value === undefined ? null : value;
  const orEqual = name.endsWith('e');
  if (bracketOf(present) !== bracketOf(operand)) {
    if (type === 'maxKey') return name.startsWith('$lt');
    return type === 'minKey' && name.startsWith('$gt');
  }
  const order = compare(present, operand);
  if (order === 0) return orEqual;
  if (isNaNValue(present) || isNaNValue(operand)) return false;
  return name.startsWith('$gt') ? order > 0 : order < 0;
}

/** elemMatch: one element passes everything; a document as condition looks at elements that have fields. */
function hasElement(condition: Doc, array: readonly Value[]): boolean {
  if (isValueCondition(condition)) {
    return array.some((element) => operatorsMatch(condition, () => [element]));
  }
  return array.some((element) => {
    if (isDoc(element)) return matches(element, condition);
    return isArray(element) && matches(new Map(element.map((value, at) => [String(at), value])), condition);
  });
}

/** `$elemMatch: { $gt: 1 }`, not `$elemMatch: { a: 1 }` and not `$elemMatch: { $or: [...] }`. */
function isValueCondition(condition: Doc): boolean {
  return isOperators(condition) && !logical.has([...condition.keys()][0] ?? '');
}

/** all: as `$and` of equalities (or of `$elemMatch`); an empty list matches nothing. */
function allMatch(operand: readonly Value[], reached: (expand: boolean) => Found[]): boolean {
  if (operand.length === 0) return false;
  return operand.every((one) => {
    if (isOperators(one)) return operatorsMatch(one, reached);
    return reached(true).some((value) => (typeOf(one) === 'regex' ? isRegexMatch(one, value) : isEqual(one, value)));
  });
}

/** mod: fractions are cut off, and the rest has the sign of what is divided. */
function isRest([divisor, rest]: readonly Value[], value: Found): boolean {
  if (value === undefined || !isNumber(value)) return false;
  const whole = wholeOf(value);
  return whole !== undefined && whole % (wholeOf(divisor as Value) ?? 1n) === wholeOf(rest as Value);
}

/** exists: everything but false, null and zero asks for the field to be there. */
export function isTrue(value: Value): boolean {
  if (value === null || value === false) return false;
  if (!isNumber(value)) return true;
  const number = exact(value);
  return typeof number === 'string' || number.over !== 0n;
}

/** type: names or numbers, `number` for all of the four; an array's elements count as well as itself. */
function typesOf(operand: Value): ReadonlySet<TypeName> {
  return new Set((isArray(operand) ? operand : [operand]).flatMap(typesNamed));
}

function typesNamed(name: Value): TypeName[] {
  if (name === 'number') return ['int', 'long', 'double', 'decimal'];
  const names = Object.keys(typeNumbers) as TypeName[];
  const found = names.filter((known) =>
    typeof name === 'string' ? known === name : isNumber(name) && wholeOf(name) === BigInt(typeNumbers[known]),
  );
  insist(found.length > 0, badValue, `unknown type ${String(name)}`);
  return found;
}

function regexOf(operand: Value, siblings: Doc): Value {
  const options = siblings.get('$options');
  if (typeof operand === 'string') return new BSONRegExp(operand, typeof options === 'string' ? options : '');
  const { pattern, options: own } = as<BSONRegExp>(operand);
  return new BSONRegExp(pattern, typeof options === 'string' ? options : own);
}

function checkOperators(operators: Doc): void {
  for (const [name, operand] of operators) {
    const check = checks[name];
    if (check === undefined) throw new Refusal(badValue, `unknown operator: ${name}`);
    check(operand, operators);
  }
}

const isRegex = (value: Value): boolean => typeOf(value) === 'regex';

function noRegex(operand: Value): void {
  insist(!isRegex(operand), badValue, 'comparisons other than $eq take no regular expression');
}

type Check = (operand: Value, siblings: Doc) => void;

const checks: Readonly<Record<string, Check>> = {
  $eq() {},
  $exists() {},
  $ne: noRegex,
  $gt: noRegex,
  $gte: noRegex,
  $lt: noRegex,
  $lte: noRegex,
  $in: checkList,
  $nin: checkList,
  $all: checkAll,
  $not(operand) {
    if (isRegex(operand)) return;
    insist(isOperators(operand), badValue, '$not needs a regular expression or operators');
    checkOperators(operand);
  },
  $elemMatch(operand) {
    insist(isDoc(operand), badValue, '$elemMatch needs a document');
    if (isValueCondition(operand)) checkOperators(operand);
    else checkFilter(operand);
  },
  $size(operand) {
    insist(isNumber(operand) && isWhole(operand), badValue, '$size needs a whole number');
    insist((wholeOf(operand) ?? -1n) >= 0n, badValue, '$size needs a number that is not negative');
  },
  $type(operand) {
    insist(!isArray(operand) || operand.length > 0, failedToParse, '$type needs a type');
    typesOf(operand);
  },
  $regex(operand) {
    insist(isRegex(operand) || typeof operand === 'string', badValue, '$regex has to be a string');
  },
  $options(operand, siblings) {
    insist(typeof operand === 'string', badValue, '$options has to be a string');
    const pattern = siblings.get('$regex');
    insist(pattern !== undefined, badValue, '$options needs a $regex');
    if (!isRegex(pattern) || as<BSONRegExp>(pattern).options === '') return;
    // The second of the two is complained about, whichever it is.
    const names = [...siblings.keys()];
    const last = names.indexOf('$regex') < names.indexOf('$options');
    insist(!last, 51075, 'options set in both $regex and $options');
    insist(operand === '', 51074, 'options set in both $options and $regex');
  },
  $mod(operand) {
    insist(isArray(operand) && operand.length === 2, badValue, '$mod needs two numbers');
    insist(operand.every(isNumber), badValue, '$mod needs numbers');
    insist((wholeOf(operand[0] as Value) ?? 0n) !== 0n, badValue, '$mod needs a divisor');
  },
};

function checkList(operand: Value): void {
  insist(isArray(operand), badValue, '$in and $nin need an array');
  insist(!operand.some(isOperators), badValue, 'cannot nest $ under $in');
}

/** all: either values or, all of them, `$elemMatch`. */
function checkAll(operand: Value): void {
  insist(isArray(operand), badValue, '$all needs an array');
  const isElemMatch = (one: Value) => isOperators(one) && one.has('$elemMatch') && one.size === 1;
  const first = operand[0];
  if (first !== undefined && isElemMatch(first)) {
    insist(operand.every(isElemMatch), badValue, '$all with $elemMatch takes nothing else');
    for (const one of operand) checkOperators(as<Doc>(one));
  } else insist(!operand.some(isOperators), badValue, 'no $ expressions in $all');
}
