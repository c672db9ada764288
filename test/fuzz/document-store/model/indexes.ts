// Unique, sparse and partial indexes:
// https://www.mongodb.com/docs/v7.0/core/index-unique/ https://www.mongodb.com/docs/v7.0/core/index-sparse/
// https://www.mongodb.com/docs/v7.0/core/index-partial/
import { matches } from './filter.js';
import { compareRows, type Key, keyRows, missing } from './index-keys.js';
import type { Sort } from './sort.js';
import type { Doc } from './values.js';

export interface Index {
  readonly key: Sort;
  readonly unique: boolean;
  readonly sparse: boolean;
  readonly partial: Doc | undefined;
}

export const indexName = ({ key }: Index): string => key.map(([path, direction]) => `${path}_${direction}`).join('_');

/**
 * What an index holds of a document; nothing where a partial filter or missing fields leave it out.
 *
 * @throws Refusal 171 where it runs through two arrays
 */
export function rowsIn({ key, sparse, partial }: Index, doc: Doc): Key[][] {
  if (partial !== undefined && !matches(doc, partial)) return [];
  const paths = key.map(([path]) => path);
  const rows = keyRows(doc, paths);
  return sparse ? rows.filter((row) => row.some((cell) => cell !== missing)) : rows;
}

/** A sparse index leaves out what has none of its fields, a partial one what its filter does not find. */
export const isIndexed = (index: Index, doc: Doc): boolean => rowsIn(index, doc).length > 0;

/** Whether a unique index refuses the document beside the others. A document may hold a key twice. */
export function isDuplicate(index: Index, doc: Doc, others: readonly Doc[]): boolean {
  if (!index.unique) return false;
  const rows = rowsIn(index, doc);
  return others.some((other) => rowsIn(index, other).some((row) => rows.some((own) => compareRows(own, row) === 0)));
}
