import { toDouble } from '../bson/numbers.js';
import { type BsonValue, bsonType, documentValue, getField, itemsOf, typeName } from '../bson/value.js';
import { writeDocument } from '../bson/write.js';
import { CommandError } from '../errors.js';
import type { Expression } from '../expressions/expression.js';
import { arrayValue } from '../expressions/values.js';
import { parseFilter } from '../query/filter.js';
import { matchesFilter } from '../query/match.js';
import type { Node } from './tree.js';

/** The operators that projections have in `find` alone. */
export const findOperators = ['$slice', '$elemMatch'];

const clamped = (value: BsonValue) => Math.trunc(Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, toDouble(value))));

/**
 * `$slice` as `find` has it: a number of items from the start or, negative, from the end; or `[skip, limit]`.
 *
 * @throws CommandError 31272, 31257, 31258, 31259 or 31273
 */
export function parseSlice(operand: BsonValue): Node {
  if (operand.isNumber) return { kind: 'slice', skip: undefined, limit: clamped(operand) };
  if (operand.type !== bsonType.array) {
    throw new CommandError(31273, '$slice only supports numbers and [skip, limit] arrays');
  }
  const [skip, limit, ...more] = itemsOf(operand);
  if (skip === undefined || limit === undefined || more.length > 0) {
    throw new CommandError(31272, '$slice array argument should be of form [skip, limit]');
  }
  if (!skip.isNumber)
    throw new CommandError(31257, `$slice expects the skip argument to be a number, got ${typeName(skip.type)}`);
  if (!limit.isNumber)
    throw new CommandError(31258, `$slice expects the limit argument to be a number, got ${typeName(limit.type)}`);
  const count = clamped(limit);
  if (count <= 0) throw new CommandError(31259, `$slice limit must be positive, got ${count}`);
  return { kind: 'slice', skip: clamped(skip), limit: count };
}

/** The first item of an array field that matches, as an array of one; missing where none does. */
export function parseElemMatch(name: string, operand: BsonValue): Expression {
  if (operand.type !== bsonType.document) {
    throw new CommandError(31274, `elemMatch: Invalid argument, object required, but got ${typeName(operand.type)}`);
  }
  const field = Buffer.from(name);
  const filter = parseFilter(documentValue(writeDocument({ item: { $elemMatch: operand } })));
  return {
    constant: false,
    evaluate({ root }) {
      const array = getField(root, field);
      if (array?.type !== bsonType.array) return undefined;
      const first = itemsOf(array).find((item) =>
        matchesFilter(filter, documentValue(writeDocument({ item: [item] }))),
      );
      return first && arrayValue([first]);
    },
  };
}
