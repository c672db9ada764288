import { type BsonValue, documentValue, getField } from '../bson/value.js';
import { writeFields } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import type { Filter } from '../query/filter.js';
import { applyModifiers, transformed } from './apply.js';
import type { Clock } from './clock.js';
import { checkIdValue } from './field-names.js';
import type { Update } from './modifiers.js';
import { checkLevels, levelsIn } from './nesting.js';
import { replacementFor, withIdFirst } from './replacement.js';

const idName = Buffer.from('_id');
const empty = writeFields([]);

/** Path and value of each equality that every matching document must meet. */
function collectEqualities(filter: Filter, into: [string, BsonValue][]): void {
  if (filter.kind === 'and' || (filter.kind === 'or' && filter.parts.length === 1)) {
    for (const part of filter.parts) collectEqualities(part, into);
  } else if (filter.kind === 'test' && filter.path !== undefined) {
    const { test } = filter;
    if (test.kind === 'eq') into.push([filter.path.text, test.operand]);
    else if (test.kind === 'in' && test.operands.length === 1 && test.regexes.length === 0) {
      const [only] = test.operands;
      if (only !== undefined) into.push([filter.path.text, only]);
    }
  }
}

function hasExpression(filter: Filter): boolean {
  if (filter.kind === 'and' || filter.kind === 'or' || filter.kind === 'nor') return filter.parts.some(hasExpression);
  return filter.kind === 'expression' || (filter.kind === 'not' && hasExpression(filter.part));
}

function matchedTwice(path: string, other: string): CommandError {
  const what = path === other ? `path '${path}' is matched twice` : `both paths '${path}' and '${other}' are matched`;
  return new CommandError(code.notSingleValue, `cannot infer query fields to set, ${what}`);
}

/**
 * The fields that a query fixes by equality, in the order of their paths.
 *
 * @throws CommandError 54 when a path is fixed twice, or beside a path within it
 */
function equalitiesOf(filter: Filter, isWanted: (path: string) => boolean = () => true): [string, BsonValue][] {
  const all: [string, BsonValue][] = [];
  collectEqualities(filter, all);
  const found = all.filter(([path]) => isWanted(path));
  if (found.length < 2) return found;
  found.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const paths = new Set<string>();
  for (const [path] of found) {
    for (let dot = path.length; dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
      const prefix = path.slice(0, dot);
      if (paths.has(prefix)) throw matchedTwice(path, prefix);
    }
    paths.add(path);
  }
  return found;
}

type Tree = Map<string, BsonValue | Tree>;

function writeTree(tree: Tree): Buffer {
  return writeFields(
    [...tree].map(([name, value]) => [name, value instanceof Map ? writeTree(value) : value] as const),
  );
}

function documentFrom(equalities: [string, BsonValue][]): Buffer {
  if (equalities.length === 0) return empty;
  const root: Tree = new Map();
  for (const [path, value] of equalities) {
    const names = path.split('.');
    const last = names.pop() ?? '';
    let level = root;
    for (const name of names) {
      const next = level.get(name);
      const inner: Tree = next instanceof Map ? next : new Map();
      level.set(name, inner);
      level = inner;
    }
    level.set(last, value);
  }
  return writeTree(root);
}

/** The `_id` that a query fixes: all that a replacement takes over from it. */
function queryId(filter: Filter): BsonValue | undefined {
  const [first] = equalitiesOf(filter, (path) => {
    if (!path.startsWith('_id.')) return path === '_id';
    throw new CommandError(
      code.notExactValue,
      `field at '_id' must be exactly specified, field at sub-path '${path}' found`,
    );
  });
  return first?.[1];
}

/**
 * The document an upsert inserts when nothing matched.
 *
 * @param newId makes an `_id` when neither the query nor the update has one
 * @throws CommandError 54, 111 and 66 where query and update contradict each other, 224 for `$expr` in the query, or as
 *   the update's operators do
 */
export function upsertDocument(update: Update, filter: Filter, newId: () => BsonValue, clock: Clock): Buffer {
  if (hasExpression(filter)) {
    throw new CommandError(code.queryFeatureNotAllowed, '$expr is not allowed in the query predicate for an upsert');
  }
  let document: Buffer;
  if (update.kind === 'replace') {
    const id = queryId(filter) ?? getField(update.document, idName) ?? newId();
    document = replacementFor(update.document, id, clock);
  } else {
    const start = documentFrom(equalitiesOf(filter));
    document =
      update.kind === 'modify'
        ? applyModifiers(update, start, { inserting: true, clock })
        : transformed(update, start, getField(documentValue(start), idName));
  }
  document = withIdFirst(document, newId);
  const value = documentValue(document);
  const id = getField(value, idName);
  if (id !== undefined) checkIdValue(id);
  checkLevels(levelsIn(value));
  return document;
}
