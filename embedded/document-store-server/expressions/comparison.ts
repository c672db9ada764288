import { binary, lazy, type Operator, type Operators, unary } from './expression.js';
import { booleanValue, compareOrMissing, int32Value, isTrue } from './values.js';

const many = Number.POSITIVE_INFINITY;

function comparing(accept: (difference: number) => boolean): Operator {
  return binary((left, right) => booleanValue(accept(compareOrMissing(left, right))));
}

export const comparisonOperators: Operators = {
  $cmp: binary((left, right) => int32Value(Math.sign(compareOrMissing(left, right)))),
  $eq: comparing((difference) => difference === 0),
  $ne: comparing((difference) => difference !== 0),
  $gt: comparing((difference) => difference > 0),
  $gte: comparing((difference) => difference >= 0),
  $lt: comparing((difference) => difference < 0),
  $lte: comparing((difference) => difference <= 0),
};

export const booleanOperators: Operators = {
  $and: lazy(0, many, (parts, frame) => booleanValue(parts.every((part) => isTrue(part.evaluate(frame))))),
  $or: lazy(0, many, (parts, frame) => booleanValue(parts.some((part) => isTrue(part.evaluate(frame))))),
  $not: unary((value) => booleanValue(!isTrue(value))),
};
