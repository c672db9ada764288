import type { KeyPart as Cell } from '../bson/joined-key.js';
import { type BsonValue, bsonType, getField, itemsOf } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { isIndexName, type Path } from './path.js';

/** Where the walk of one path stands: a value to look into, with `at` the next name of the path; `cell` at its end. */
interface Walk {
  path: Path;
  at: number;
  value: BsonValue | undefined;
  done: boolean;
  cell: Cell;
}

const isAtEnd = ({ path, at }: Walk): boolean => at === path.bytes.length;
const isEmpty = ({ start, end }: BsonValue): boolean => end - start === 5;
const finish = (walk: Walk, cell: Cell): Walk => ({ ...walk, value: undefined, done: true, cell });

function advance(walk: Walk): Walk {
  const names = walk.path.bytes;
  let { value, at } = walk;
  while (at < names.length && value?.type === bsonType.document) {
    const name = names[at];
    value = name === undefined ? undefined : getField(value, name);
    at++;
  }
  if (value?.type === bsonType.array) return { ...walk, value, at };
  return finish(walk, at < names.length ? undefined : value);
}

/** One step into an array: into the item when more path follows, else the item is the cell. */
function enter(walk: Walk, items: BsonValue[], item: BsonValue): Walk {
  if (isAtEnd(walk)) return finish(walk, item);
  const byPosition = itemAt(walk, items);
  if (byPosition === undefined) {
    return item.type === bsonType.document ? { ...walk, value: item } : finish(walk, undefined);
  }
  const name = walk.path.bytes[walk.at];
  if (item.type === bsonType.document && name !== undefined && getField(item, name) !== undefined) {
    throw new CommandError(16746, `Ambiguous field name found in array: '${name}' is a position and a field`);
  }
  const next = { ...walk, value: byPosition, at: walk.at + 1 };
  if (!isAtEnd(next)) return next;
  // an array that a position ends on is not taken apart
  return finish(next, byPosition.type === bsonType.array && isEmpty(byPosition) ? 'empty' : byPosition);
}

function itemAt({ path, at }: Walk, items: BsonValue[]): BsonValue | undefined {
  const name = path.names[at] ?? '';
  return isIndexName(name) ? items[Number(name)] : undefined;
}

function expand(walks: Walk[], emit: (cells: Cell[]) => void): boolean {
  const stands = walks.map((walk) => (walk.done ? walk : advance(walk)));
  const open = stands.filter((walk) => !walk.done);
  const array = open[0]?.value;
  if (array === undefined) {
    emit(stands.map((walk) => walk.cell));
    return false;
  }
  if (open.some((walk) => walk.value?.start !== array.start)) {
    const names = open.map((walk) => walk.path.text);
    throw new CommandError(code.parallelArrays, `cannot index parallel arrays [${names.join('] [')}]`);
  }
  const items = itemsOf(array);
  const [only, ...others] = stands;
  if (only !== undefined && others.length === 0 && items.length > 0 && isAtEnd(only)) {
    for (const item of items) emit([item]);
    return true;
  }
  if (items.length === 0) emit(stands.map((walk) => (walk.done ? walk.cell : isAtEnd(walk) ? 'empty' : undefined)));
  for (const item of items) {
    expand(
      stands.map((walk) => (walk.done ? walk : enter(walk, items, item))),
      emit,
    );
  }
  return true;
}

/**
 * Gives the rows of cells that a document has for some paths: one per item of an array, paths through the same array
 * kept together. There is at least one.
 *
 * @returns whether a path runs through an array
 * @throws CommandError 171 where two paths run through different arrays, 16746 for a name that is a position as well
 */
export function arrayRows(document: BsonValue, paths: Path[], emit: (cells: Cell[]) => void): boolean {
  return expand(
    paths.map((path) => ({ path, at: 0, value: document, done: false, cell: undefined })),
    emit,
  );
}
