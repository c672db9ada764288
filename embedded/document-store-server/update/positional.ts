import { type BsonValue, bsonType, documentValue, getField, itemsOf } from '../bson/value.js';
import { writeFields } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import type { Filter } from '../query/filter.js';
import { matchesFilter } from '../query/match.js';
import { isIndexName } from '../query/path.js';
import type { Update } from './modifiers.js';

type Question = Filter & { kind: 'test' };

function ambiguous(reason: string): CommandError {
  return new CommandError(code.badValue, `the positional operator is not supported here: ${reason}; use arrayFilters`);
}

/** A document with one path of names. */
function nested(names: readonly string[], value: BsonValue | BsonValue[]): BsonValue {
  const [name = '', ...inner] = names;
  return documentValue(writeFields([[name, inner.length === 0 ? value : nested(inner, value)]]));
}

/** The first item of the outermost array on a question's way that answers it. */
function positionOf(question: Question, document: BsonValue): number | undefined {
  const { path, test } = question;
  if (path === undefined) return undefined;
  let value: BsonValue | undefined = document;
  for (const [at, name] of path.bytes.entries()) {
    value = value?.type === bsonType.document ? getField(value, name) : undefined;
    if (value?.type !== bsonType.array) continue;
    const isLast = at === path.names.length - 1;
    const asksWhole = test.kind === 'exists' || test.kind === 'size';
    if (isLast && asksWhole) return undefined;
    if (isIndexName(path.names[at + 1] ?? '')) throw ambiguous(`'${path.text}' names a position in the array itself`);
    const before = path.names.slice(0, at + 1);
    const asksItems = test.kind === 'elemValue' || test.kind === 'elemObject';
    const position = itemsOf(value).findIndex((item) => {
      if (item.type === bsonType.array) throw ambiguous(`'${path.text}' has an array within an array`);
      return matchesFilter(question, nested(before, isLast && asksItems ? [item] : item));
    });
    return position < 0 ? undefined : position;
  }
  return undefined;
}

/** The positions that the questions of a matching filter found; what is negated finds none. */
function collect(filter: Filter, document: BsonValue, positions: Set<number>): void {
  if (filter.kind === 'and') {
    for (const part of filter.parts) collect(part, document, positions);
  } else if (filter.kind === 'or') {
    for (const part of filter.parts) if (matchesFilter(part, document)) collect(part, document, positions);
  } else if (filter.kind === 'test') {
    const position = positionOf(filter, document);
    if (position !== undefined) positions.add(position);
  }
}

/**
 * What the positional `$` stands for in a document: the first array item that the query found.
 *
 * @returns an array index as a name; undefined when the update has no `$`, or the query met no array
 * @throws CommandError 2 where conditions found different items, so that MongoDB's choice hangs on its plan
 */
export function matchedPosition(update: Update, filter: Filter, document: Buffer): string | undefined {
  if (update.kind !== 'modify' || !update.positional) return undefined;
  const positions = new Set<number>();
  collect(filter, documentValue(document), positions);
  if (positions.size > 1) throw ambiguous('several conditions of the query found different array items');
  const [only] = positions;
  return only === undefined ? undefined : String(only);
}
