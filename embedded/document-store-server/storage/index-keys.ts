import { joinKeys, type KeyPart } from '../bson/joined-key.js';
import { storedKey } from '../bson/key-encoding.js';
import { BsonValue, bsonType } from '../bson/value.js';
import { arrayRows } from '../query/array-rows.js';
import { matchesFilter } from '../query/match.js';
import type { Index } from './catalogue.js';

export interface IndexKeys {
  keys: Buffer[];
  multikey: boolean;
}

function distinct(keys: Buffer[]): Buffer[] {
  return [...new Map(keys.map((key) => [key.toString('latin1'), key])).values()];
}

/**
 * The keys under which a document stands in an index, as they are stored, each once: one per array item, paths through
 * the same array kept together. Every document has at least one, except in sparse and partial indexes: a sparse one holds no key of missing
 * fields alone.
 *
 * @throws CommandError 171 for arrays on two indexed paths
 */
export function indexKeys(index: Index, document: BsonValue): IndexKeys {
  if (index.partial !== undefined && !matchesFilter(index.partial.filter, document))
    return { keys: [], multikey: false };
  const { fields } = index;
  const keys: Buffer[] = [];
  const paths = fields.map(({ path }) => path);
  const multikey = arrayRows(document, paths, (cells) => {
    if (index.sparse && cells.every((cell) => cell === undefined)) return;
    keys.push(storedKey(joinKeys(cells, fields)));
  });
  return { keys: multikey ? distinct(keys) : keys, multikey };
}

const nothing = Buffer.alloc(0);

/** A part of a key as MongoDB tells it: what is missing as null, an empty array as undefined. */
function told(part: KeyPart): BsonValue {
  if (part instanceof BsonValue) return part;
  return new BsonValue(part === 'empty' ? bsonType.undefined : bsonType.null, nothing, 0, 0);
}

/**
 * What a document has under one of its keys, by the paths of the index: of an array it is the one item.
 *
 * @param key one of `indexKeys`; the first unless given
 */
export function valuesUnder(index: Index, document: BsonValue, key?: Buffer): [path: string, value: BsonValue][] {
  const { fields } = index;
  const paths = fields.map(({ path }) => path);
  let row: KeyPart[] | undefined;
  arrayRows(document, paths, (cells) => {
    if (row === undefined && (key === undefined || storedKey(joinKeys(cells, fields)).equals(key))) row = cells;
  });
  return paths.map(({ text }, at) => [text, told(row?.[at])]);
}
