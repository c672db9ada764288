// Where updates write: https://www.mongodb.com/docs/v7.0/reference/operator/update/set/ ("creates embedded documents"),
// .../unset/ ("replaces an array element with null"), .../core/document/#dot-notation
import { type Doc, isArray, isDoc, Refusal, type Value } from './values.js';

export const pathNotViable = 28;

export interface Manner {
  /** Missing documents on the way are made. */
  readonly creates: boolean;
  /** A path through a value that has no such field is refused, instead of leading nowhere. */
  readonly strict: boolean;
}

/** What becomes of a value, or of none: another one, the same, or none. */
export type Change = (old: Value | undefined) => Value | undefined;

const position = /^(0|[1-9]\d*)$/;

/**
 * A copy with the value at the path changed; the same document where nothing changes.
 *
 * @throws Refusal 28 where the path runs through something that has no fields
 */
export const edit = (doc: Doc, path: string, manner: Manner, change: Change): Doc =>
  editIn(doc, path.split('.'), manner, change) as Doc;

function editIn(container: Value, [name = '', ...rest]: readonly string[], manner: Manner, change: Change): Value {
  const viable = isDoc(container) || (isArray(container) && position.test(name));
  if (!viable) {
    if (manner.strict) throw new Refusal(pathNotViable, `cannot create field '${name}'`);
    return container;
  }
  const old = isDoc(container) ? container.get(name) : container[Number(name)];
  if (old === undefined && !manner.creates) return container;
  const next = rest.length === 0 ? change(old) : editIn(old === undefined ? new Map() : old, rest, manner, change);
  if (next === old) return container;
  return isDoc(container) ? withField(container, name, next) : withElement(container, Number(name), next);
}

function withField(doc: Doc, name: string, value: Value | undefined): Doc {
  const copy = new Map(doc);
  if (value === undefined) copy.delete(name);
  else copy.set(name, value);
  return copy;
}

/** What is taken out leaves null behind; what is put behind the end has nulls before it. */
function withElement(array: readonly Value[], at: number, value: Value | undefined): Value[] {
  return Array.from({ length: Math.max(array.length, at + 1) }, (_, n) =>
    n === at ? (value ?? null) : (array[n] ?? null),
  );
}
