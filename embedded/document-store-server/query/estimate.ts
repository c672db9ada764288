import { readRecord, type Store } from '../storage/store.js';
import { isOfWholeKeys, type Plan } from './planner.js';

/** Keys are counted up to this many; above it an estimate is one. */
export const countedKeys = 101;

export const unknownKeys = Number.MAX_SAFE_INTEGER;

/**
 * How many keys a plan meets: counted when they are few. The entries of one whole key stand in the order of their
 * records, so that of many, the first ones and the last one tell how dense they are; of other ranges nothing is known.
 */
export function estimateKeys(store: Store, plan: Plan): number {
  const { index, intervals } = plan;
  if (index === undefined) return unknownKeys;
  if (index.isIdIndex && intervals.length >= countedKeys) return intervals.length;
  const table = index.isIdIndex ? store.ids : store.index;
  let count = 0;
  let first: Buffer | undefined;
  let last: Buffer | undefined;
  for (const { start, end } of intervals) {
    for (const key of table.getKeys({ start, end, limit: countedKeys - count })) {
      count++;
      first ??= key;
      last = key;
    }
    if (count >= countedKeys) break;
  }
  const [only, ...more] = intervals;
  if (count < countedKeys || first === undefined || last === undefined) return count;
  if (index.isIdIndex || !isOfWholeKeys(plan) || only === undefined || more.length > 0) return unknownKeys;
  const recordOf = (key: Buffer) => readRecord(key, key.length - 8);
  const [end = last] = table.getKeys({
    start: only.end,
    end: only.start,
    reverse: true,
    exclusiveStart: true,
    limit: 1,
  });
  const from = recordOf(first);
  return Math.round((count * (recordOf(end) - from + 1)) / (recordOf(last) - from + 1));
}
