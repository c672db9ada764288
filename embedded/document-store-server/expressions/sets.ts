import { compareValues } from '../bson/key-encoding.js';
import type { BsonValue } from '../bson/value.js';
import { itemsOf } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { binary, lazy, type Operators, typeOf } from './expression.js';
import {
  arrayValue,
  booleanValue,
  distinctItems,
  identityOf,
  isArray,
  isNullish,
  nullValue,
  type Value,
} from './values.js';

const many = Number.POSITIVE_INFINITY;

function setOf(value: Value, wrongType: number, name: string): Map<string, BsonValue> {
  if (isArray(value)) return distinctItems(value);
  throw new CommandError(wrongType, `all operands of ${name} must be arrays, but one is of type ${typeOf(value)}`);
}

/** Sets come out in BSON's order. */
function sorted(items: Iterable<BsonValue>): BsonValue {
  return arrayValue([...items].sort(compareValues));
}

export const setOperators: Operators = {
  $setUnion: lazy(0, many, (parts, frame, name) => {
    const union = new Map<string, BsonValue>();
    for (const part of parts) {
      const value = part.evaluate(frame);
      if (isNullish(value)) return nullValue;
      for (const [identity, item] of setOf(value, 17043, name)) if (!union.has(identity)) union.set(identity, item);
    }
    return sorted(union.values());
  }),
  $setIntersection: lazy(0, many, (parts, frame, name) => {
    let shared: Map<string, BsonValue> | undefined;
    for (const part of parts) {
      const value = part.evaluate(frame);
      if (isNullish(value)) return nullValue;
      const next = setOf(value, 17047, name);
      shared = shared === undefined ? next : new Map([...shared].filter(([identity]) => next.has(identity)));
    }
    return sorted(shared?.values() ?? []);
  }),
  $setDifference: binary((left, right, name) => {
    if (isNullish(left) || isNullish(right)) return nullValue;
    const kept = setOf(left, 17048, name);
    const removed = setOf(right, 17049, name);
    return arrayValue([...kept].filter(([identity]) => !removed.has(identity)).map(([, item]) => item));
  }),
  $setIsSubset: binary((left, right, name) => {
    if (!isArray(left))
      throw new CommandError(17046, `both operands of ${name} must be arrays. First: ${typeOf(left)}`);
    const superset = setOf(right, 17042, name);
    return booleanValue(itemsOf(left).every((item) => superset.has(identityOf(item))));
  }),
};
