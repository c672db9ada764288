import { emptyArrayKey, encodeKey, invert, missingKey } from '../bson/key-encoding.js';
import { type BsonValue, bsonType, getField, itemsOf } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { matchesFilter } from '../query/match.js';
import type { Index } from './catalogue.js';

export interface IndexKeys {
  keys: Buffer[];
  multikey: boolean;
}

/** Where the walk of one indexed path stands: a value to look into, with `at` the next name of the path. */
interface Walk {
  value: BsonValue | undefined;
  at: number;
  done: boolean;
}

function advance(walk: Walk, names: Buffer[]): Walk {
  let { value, at } = walk;
  while (at < names.length && value?.type === bsonType.document) {
    const name = names[at];
    value = name === undefined ? undefined : getField(value, name);
    at++;
  }
  if (value?.type === bsonType.array) return { value, at, done: false };
  return { value: at < names.length ? undefined : value, at, done: true };
}

/** One step into an array: into the item when more path follows, else the item is the key. */
function enter(walk: Walk, item: BsonValue, names: Buffer[]): Walk {
  if (walk.at === names.length) return { value: item, at: walk.at, done: true };
  return {
    value: item.type === bsonType.document ? item : undefined,
    at: walk.at,
    done: item.type !== bsonType.document,
  };
}

function expand(index: Index, walks: Walk[], emit: (values: (BsonValue | undefined | 'empty')[]) => void): boolean {
  const stands = walks.map((walk, field) => (walk.done ? walk : advance(walk, index.fields[field]?.path.bytes ?? [])));
  const open = stands.filter((walk) => !walk.done);
  const array = open[0]?.value;
  if (array === undefined) {
    emit(stands.map((walk) => walk.value));
    return false;
  }
  if (open.some((walk) => walk.value?.start !== array.start)) {
    const names = index.fields.filter((_, field) => stands[field]?.done === false).map((field) => field.path.text);
    throw new CommandError(code.parallelArrays, `cannot index parallel arrays [${names.join('] [')}]`);
  }
  const items = itemsOf(array);
  if (items.length === 0) {
    const isLeaf = (field: number) => stands[field]?.at === index.fields[field]?.path.bytes.length;
    emit(stands.map((walk, field) => (walk.done ? walk.value : isLeaf(field) ? 'empty' : undefined)));
  }
  for (const item of items) {
    const next = stands.map((walk, field) =>
      walk.done ? walk : enter(walk, item, index.fields[field]?.path.bytes ?? []),
    );
    expand(index, next, emit);
  }
  return true;
}

/**
 * The keys under which a document stands in an index, each once: one per array item, paths through the same array kept
 * together. Every document has at least one, except in sparse and partial indexes.
 *
 * @throws CommandError 171 for arrays on two indexed paths
 */
export function indexKeys(index: Index, document: BsonValue): IndexKeys {
  if (index.partial !== undefined && !matchesFilter(index.partial.filter, document))
    return { keys: [], multikey: false };
  const found = new Map<string, Buffer>();
  let present = false;
  const multikey = expand(
    index,
    index.fields.map(() => ({ value: document, at: 0, done: false })),
    (values) => {
      if (values.some((value) => value !== undefined)) present = true;
      const key = Buffer.concat(
        values.map((value, field) => {
          const plain = value === undefined ? missingKey : value === 'empty' ? emptyArrayKey : encodeKey(value);
          return index.fields[field]?.descending === true ? invert(plain) : plain;
        }),
      );
      found.set(key.toString('latin1'), key);
    },
  );
  if (index.sparse && !present) return { keys: [], multikey };
  return { keys: [...found.values()], multikey };
}
