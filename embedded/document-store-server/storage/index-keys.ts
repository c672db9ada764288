import { invert } from '../bson/key-encoding.js';
import type { BsonValue } from '../bson/value.js';
import { arrayRows, cellKey } from '../query/array-rows.js';
import { matchesFilter } from '../query/match.js';
import type { Index } from './catalogue.js';

export interface IndexKeys {
  keys: Buffer[];
  multikey: boolean;
}

/**
 * The keys under which a document stands in an index, each once: one per array item, paths through the same array kept
 * together. Every document has at least one, except in sparse and partial indexes: a sparse one holds no key of missing
 * fields alone.
 *
 * @throws CommandError 171 for arrays on two indexed paths
 */
export function indexKeys(index: Index, document: BsonValue): IndexKeys {
  if (index.partial !== undefined && !matchesFilter(index.partial.filter, document))
    return { keys: [], multikey: false };
  const found = new Map<string, Buffer>();
  const paths = index.fields.map(({ path }) => path);
  const multikey = arrayRows(document, paths, (cells) => {
    if (index.sparse && cells.every((cell) => cell === undefined)) return;
    const key = Buffer.concat(
      cells.map((cell, field) => {
        const plain = cellKey(cell);
        return index.fields[field]?.descending === true ? invert(plain) : plain;
      }),
    );
    found.set(key.toString('latin1'), key);
  });
  return { keys: [...found.values()], multikey };
}
