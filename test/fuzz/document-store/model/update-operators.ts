// https://www.mongodb.com/docs/v7.0/reference/operator/update/ (each operator's own page)
import { Int32, type Timestamp } from 'bson';
import { bitwise, calculate, insistNumber } from './arithmetic.js';
import { addToSet, pop, pull, pullAll } from './array-operators.js';
import type { Manner } from './edit.js';
import { isNumber } from './numbers.js';
import { compare, identical } from './order.js';
import { push } from './push.js';
import { type Doc, insist, isDoc, typeOf, type Value } from './values.js';

/** What an update knows besides the document. */
export interface Context {
  /** Whether the document is about to be inserted by an upsert. */
  readonly inserts: boolean;
  /** What `$currentDate` writes. */
  readonly date: Date;
  readonly timestamp: Timestamp;
}

export interface Operator {
  readonly manner: Manner;
  /** @throws Refusal for an argument that MongoDB does not take */
  check(argument: Value): void;
  /** @returns what becomes of a value; undefined stands for none, before and after */
  apply(old: Value | undefined, argument: Value, context: Context): Value | undefined;
}

const badValue = 2;
const creating: Manner = { creates: true, strict: true };
const anything = () => {};

const set: Operator = {
  manner: creating,
  check: anything,
  apply: (old, argument) => (old !== undefined && identical(old, argument) ? old : argument),
};

/** $min and $max: the field is left alone unless the argument comes before or behind it in BSON's order. */
const extreme = (sign: 1 | -1): Operator => ({
  manner: creating,
  check: anything,
  apply: (old, argument) => (old === undefined || compare(argument, old) * sign > 0 ? argument : old),
});

function unlessIdentical(old: Value, next: Value): Value {
  return identical(old, next) ? old : next;
}

export const operators: Readonly<Record<string, Operator>> = {
  $set: set,
  $setOnInsert: set,
  $unset: { manner: { creates: false, strict: false }, check: anything, apply: () => undefined },
  $inc: {
    manner: creating,
    check: insistNumber,
    apply: (old, argument) => (old === undefined ? argument : unlessIdentical(old, calculate('add', old, argument))),
  },
  $mul: {
    manner: creating,
    check: insistNumber,
    apply: (old, argument) =>
      old === undefined
        ? calculate('multiply', argument, new Int32(0))
        : unlessIdentical(old, calculate('multiply', old, argument)),
  },
  $min: extreme(-1),
  $max: extreme(1),
  $currentDate: {
    manner: creating,
    check(argument) {
      if (typeof argument === 'boolean') return;
      const type = isDoc(argument) && argument.size === 1 ? argument.get('$type') : undefined;
      insist(type === 'date' || type === 'timestamp', badValue, '$currentDate takes a boolean or a $type');
    },
    apply: (_, argument, { date, timestamp }) =>
      isDoc(argument) && argument.get('$type') === 'timestamp' ? timestamp : date,
  },
  $bit: {
    manner: creating,
    check(argument) {
      insist(isDoc(argument) && argument.size > 0, badValue, '$bit takes operations');
      for (const [name, operand] of argument) {
        insist(['and', 'or', 'xor'].includes(name), badValue, '$bit knows and, or and xor');
        insist(isInteger(operand), badValue, '$bit takes whole numbers');
      }
    },
    apply(old, argument) {
      insist(old === undefined || isInteger(old), badValue, '$bit changes whole numbers');
      const next = [...(argument as Doc)].reduce<Value>(
        (bits, [name, operand]) => bitwise(name, bits, operand),
        old ?? new Int32(0),
      );
      return old === undefined ? next : unlessIdentical(old, next);
    },
  },
  $push: push,
  $addToSet: addToSet,
  $pop: pop,
  $pull: pull,
  $pullAll: pullAll,
};

const isInteger = (value: Value): boolean => isNumber(value) && ['int', 'long'].includes(typeOf(value));
