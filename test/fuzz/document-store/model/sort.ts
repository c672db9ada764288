// sort(): https://www.mongodb.com/docs/v7.0/reference/method/cursor.sort/
// "With arrays, an ascending sort compares the smallest element of the array, a descending sort the largest":
// https://www.mongodb.com/docs/v7.0/reference/bson-type-comparison-order/#arrays
import { compareRows, type Key, keyRows } from './index-keys.js';
import { type Doc, Refusal } from './values.js';

/** Paths and 1 or -1, the first one counts first. */
export type Sort = readonly (readonly [path: string, direction: 1 | -1])[];

/** What a document is sorted by: of the rows that arrays give, the one that comes first in the order asked for. */
export function sortRow(doc: Doc, sort: Sort): readonly Key[] {
  const directions = sort.map(([, direction]) => direction);
  const paths = sort.map(([path]) => path);
  const rows = parallelAsBadValue(() => keyRows(doc, paths));
  return rows.reduce((first, row) => (compareRows(row, first, directions) < 0 ? row : first));
}

/** Whether the documents may stand in this order; equal ones may stand either way. */
export function isSorted(rows: readonly (readonly Key[])[], sort: Sort): boolean {
  const directions = sort.map(([, direction]) => direction);
  return rows.every((row, at) => at === 0 || compareRows(rows[at - 1] as readonly Key[], row, directions) <= 0);
}

/** A sort by two arrays is refused as a bad value, an index over them with a code of its own. */
function parallelAsBadValue<T>(work: () => T): T {
  try {
    return work();
  } catch (err) {
    if (err instanceof Refusal && err.code === 171)
      throw new Refusal(2, 'cannot sort with keys that are parallel arrays');
    throw err;
  }
}
