// https://www.mongodb.com/docs/v7.0/reference/operator/update/addToSet/ .../pop/ .../pull/ .../pullAll/
import { checkFilter, isOperators, matches } from './filter.js';
import { isNumber, isWhole, wholeOf } from './numbers.js';
import { equal } from './order.js';
import type { Operator } from './update-operators.js';
import { type Doc, insist, isArray, isDoc, typeOf, type Value } from './values.js';

const badValue = 2;
const failedToParse = 9;
const typeMismatch = 14;

/** addToSet: values that the array lacks, numbers of any type being equal; `$each` for several. */
export const addToSet: Operator = {
  manner: { creates: true, strict: true },
  check(argument) {
    const each = eachOf(argument);
    if (each === undefined) return;
    insist(isArray(each), typeMismatch, '$each needs an array');
    insist((argument as Doc).size === 1, badValue, 'there are fields besides $each');
  },
  apply(old, argument) {
    insist(old === undefined || isArray(old), badValue, '$addToSet needs an array');
    const each = eachOf(argument);
    const next = [...(old ?? [])];
    for (const value of isArray(each) ? each : [argument]) if (!next.some((one) => equal(one, value))) next.push(value);
    return old?.length === next.length ? old : next;
  },
};

const eachOf = (argument: Value): Value | undefined =>
  isDoc(argument) && [...argument.keys()][0] === '$each' ? argument.get('$each') : undefined;

/** pop: 1 takes the last element, -1 the first. */
export const pop: Operator = {
  manner: { creates: false, strict: true },
  check(argument) {
    const isOne = isNumber(argument) && isWhole(argument) && [1n, -1n].includes(wholeOf(argument) ?? 0n);
    insist(isOne, failedToParse, '$pop expects 1 or -1');
  },
  apply(old, argument) {
    insist(isArray(old), typeMismatch, '$pop needs an array');
    if (old.length === 0) return old;
    return wholeOf(argument) === 1n ? old.slice(0, -1) : old.slice(1);
  },
};

/** Of all operators $unset alone leaves a path alone that runs through a scalar. */
const culling = { creates: false, strict: true };

/** pull: elements equal to the value; with operators, those that pass; with a document, documents it finds. */
export const pull: Operator = {
  manner: culling,
  check(argument) {
    if (isOperators(argument) && !isLogical(argument)) checkFilter(new Map([['', argument]]));
    else if (isDoc(argument)) checkFilter(argument);
  },
  apply: (old, argument) => without(old, (element) => isPulled(element, argument)),
};

export const pullAll: Operator = {
  manner: culling,
  check: (argument) => insist(isArray(argument), badValue, '$pullAll needs an array'),
  apply: (old, argument) =>
    without(old, (element) => (argument as readonly Value[]).some((one) => equal(one, element))),
};

function isPulled(element: Value, argument: Value): boolean {
  if ((isOperators(argument) && !isLogical(argument)) || typeOf(argument) === 'regex') {
    return matches(new Map([['', element]]), new Map([['', argument]]));
  }
  if (isDoc(argument)) return isDoc(element) && matches(element, argument);
  return equal(element, argument);
}

const isLogical = (argument: Doc) => ['$and', '$or', '$nor'].includes([...argument.keys()][0] ?? '');

function without(old: Value | undefined, isGone: (element: Value) => boolean): Value {
  insist(isArray(old), badValue, '$pull needs an array');
  const next = old.filter((element) => !isGone(element));
  return next.length === old.length ? old : next;
}
