// https://www.mongodb.com/docs/v7.0/reference/operator/update/push/ and its modifiers .../each/ .../position/ .../slice/
// .../sort/: the elements are put in their place, then the array is sorted, then cut.
import { isNumber, isWhole, wholeOf } from './numbers.js';
import { compare } from './order.js';
import type { Operator } from './update-operators.js';
import { type Doc, insist, isArray, isDoc, type Value } from './values.js';

const badValue = 2;
const clauses = ['$each', '$position', '$slice', '$sort'];

const isModified = (argument: Value): argument is Doc => isDoc(argument) && argument.has('$each');

export const push: Operator = {
  manner: { creates: true, strict: true },
  check(argument) {
    if (!isModified(argument)) return;
    insist(isArray(argument.get('$each')), badValue, '$each needs an array');
    insist(
      [...argument.keys()].every((name) => clauses.includes(name)),
      badValue,
      'unrecognized clause in $push',
    );
    for (const name of ['$position', '$slice']) {
      const number = argument.get(name);
      insist(number === undefined || (isNumber(number) && isWhole(number)), badValue, `${name} needs a whole number`);
    }
    const sort = argument.get('$sort');
    if (sort !== undefined) checkSort(sort);
  },
  apply(old, argument) {
    insist(old === undefined || isArray(old), badValue, '$push needs an array');
    const before = old ?? [];
    if (!isModified(argument)) return [...before, argument];
    const each = argument.get('$each') as readonly Value[];
    const placed = before.toSpliced(place(before.length, argument.get('$position')), 0, ...each);
    const sort = argument.get('$sort');
    const sorted = sort === undefined ? placed : placed.toSorted((a, b) => compareBy(sort, a, b));
    const next = cut(sorted, argument.get('$slice'));
    const isSame = old?.length === next.length && next.every((value, at) => value === old[at]);
    return isSame ? old : next;
  },
};

/** sort: 1 or -1 for whole elements, or fields and directions. */
function checkSort(sort: Value): void {
  if (isDoc(sort)) {
    insist(sort.size > 0 && [...sort.values()].every(isDirection), badValue, "$sort's fields need 1 or -1");
  } else insist(isDirection(sort), badValue, '$sort needs 1, -1 or fields');
}

const isDirection = (value: Value) => isNumber(value) && [1n, -1n].includes(wholeOf(value) ?? 0n) && isWhole(value);

/** position: from the end where negative; the end where there is no such place. */
function place(length: number, position: Value | undefined): number {
  if (position === undefined) return length;
  const at = Number(wholeOf(position));
  return at < 0 ? Math.max(length + at, 0) : Math.min(at, length);
}

/** slice: so many from the front, from the back where negative. */
function cut(array: Value[], slice: Value | undefined): Value[] {
  if (slice === undefined) return array;
  const most = Number(wholeOf(slice));
  return most >= 0 ? array.slice(0, most) : array.slice(most);
}

function compareBy(sort: Value, a: Value, b: Value): number {
  if (!isDoc(sort)) return compare(a, b) * Number(wholeOf(sort));
  for (const [path, direction] of sort) {
    const verdict = compare(fieldOf(a, path), fieldOf(b, path)) * Number(wholeOf(direction));
    if (verdict !== 0) return verdict;
  }
  return 0;
}

/** What an element that is a document is sorted by; what has no such field counts as null. */
function fieldOf(element: Value, path: string): Value {
  if (!isDoc(element)) return null;
  let at: Value = element;
  for (const name of path.split('.')) {
    const next: Value | undefined = isDoc(at)
      ? at.get(name)
      : isArray(at) && /^\d+$/.test(name)
        ? at[Number(name)]
        : undefined;
    if (next === undefined) return null;
    at = next;
  }
  return at;
}
