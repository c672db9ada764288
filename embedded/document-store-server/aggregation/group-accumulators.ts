import type { BsonValue } from '../bson/value.js';
import { accumulators, type CreateAccumulator, detached } from '../expressions/accumulators.js';
import { arrayValue, identityOf, nullValue } from '../expressions/values.js';

/** Reckoned for what an entry of a collection costs beside its bytes. */
export const entryOverhead = 100;

function edge(isLast: boolean): CreateAccumulator {
  return (take) => {
    let kept: BsonValue | undefined;
    let isEmpty = true;
    return {
      add(value) {
        if (!isEmpty && !isLast) return;
        const next = value && detached(value);
        take((next?.buffer.length ?? 0) - (kept?.buffer.length ?? 0));
        kept = next;
        isEmpty = false;
      },
      result: () => kept ?? nullValue,
    };
  };
}

const push: CreateAccumulator = (take) => {
  const items: BsonValue[] = [];
  return {
    add(value) {
      if (value === undefined) return;
      const item = detached(value);
      take(item.buffer.length + entryOverhead);
      items.push(item);
    },
    result: () => arrayValue(items),
  };
};

const addToSet: CreateAccumulator = (take) => {
  const items = new Map<string, BsonValue>();
  return {
    add(value) {
      if (value === undefined) return;
      const identity = identityOf(value);
      if (items.has(identity)) return;
      const item = detached(value);
      take(item.buffer.length + identity.length + entryOverhead);
      items.set(identity, item);
    },
    result: () => arrayValue([...items.values()]),
  };
};

/** The accumulators of `$group` by their names; `$count` is the sum of ones. */
export const groupAccumulators: Record<string, CreateAccumulator> = {
  ...accumulators,
  $first: edge(false),
  $last: edge(true),
  $push: push,
  $addToSet: addToSet,
};

/** The accumulators that `$group` and `$bucket` may have. */
export const accumulatorNames = ['$count', ...Object.keys(groupAccumulators)];
