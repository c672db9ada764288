import { assembleArray, joinPieces, type Piece } from '../bson/assemble.js';
import { hasName } from '../bson/same-bytes.js';
import { toText } from '../bson/to-text.js';
import { BsonValue, bsonType, documentValue, itemsOf, valueEnd } from '../bson/value.js';
import { toBson, writeFields } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import { matchesFilter } from '../query/match.js';
import { checkLevels, levelsIn } from './nesting.js';
import { type Branch, type Child, type Items, mergeNodes, somePath, type UpdateNode } from './node.js';
import type { Run } from './operator.js';

const mostPadding = 1_500_000;

function noArray(node: Items): CommandError {
  return new CommandError(
    code.badValue,
    `The path of '${somePath(node)}' must exist in the document in order to apply array updates.`,
  );
}

/** What a node makes where there was nothing; undefined when none of its operators creates anything. */
function create(node: UpdateNode, run: Run): BsonValue | undefined {
  if (node.kind === 'items') throw noArray(node);
  if (node.kind === 'branch') {
    const pieces: Piece[] = [];
    for (const child of childrenFor(node, run)) appendCreated(child, run, pieces);
    return pieces.length === 0 ? undefined : joinPieces(pieces);
  }
  const made = node.operator.create(run);
  if (made !== undefined) checkLevels(node.levels + (run.moved.size > 0 ? levelsIn(made) : node.operator.levels));
  return made;
}

function appendCreated(child: Child, run: Run, pieces: Piece[]): void {
  const made = create(child.node, run);
  if (made !== undefined) pieces.push({ name: child.bytes, value: made });
}

/** The children of a branch, with the one behind `$` at the place that the query found. */
function childrenFor(branch: Branch, run: Run): Child[] {
  if (branch.positional === undefined) return branch.children;
  if (run.matched === undefined) {
    throw new CommandError(code.badValue, 'The positional operator did not find the match needed from the query.');
  }
  const index = Number(run.matched);
  const placed: Branch = {
    kind: 'branch',
    children: [{ name: run.matched, bytes: Buffer.from(run.matched), index, node: branch.positional }],
    positional: undefined,
  };
  const merged = mergeNodes({ ...branch, positional: undefined }, placed);
  return merged.kind === 'branch' ? merged.children : [];
}

/** A path that goes on inside a scalar, or by a name inside an array: an error for what would write there. */
function blocked(node: UpdateNode, name: string, parentName: string, parent: BsonValue, run: Run): void {
  if (node.kind === 'items') throw noArray(node);
  if (node.kind === 'branch') {
    for (const child of childrenFor(node, run)) blocked(child.node, name, parentName, parent, run);
    return;
  }
  const element = `{${parentName}: ${toText(parent)}}`;
  if (node.operator.create(run) !== undefined) {
    throw new CommandError(code.pathNotViable, `Cannot create field '${name}' in element ${element}`);
  }
  if (node.operator.strict) {
    throw new CommandError(
      code.pathNotViable,
      `Cannot use the part (${name}) of (${node.path}) to traverse the element (${element})`,
    );
  }
}

/** @returns the value itself when nothing changes, undefined when it goes away */
function apply(node: UpdateNode, value: BsonValue, name: string, run: Run): BsonValue | undefined {
  if (node.kind === 'leaf') {
    const changed = node.operator.change(value, run);
    if (changed !== undefined && changed !== value) {
      checkLevels(node.levels + (run.moved.size > 0 ? levelsIn(changed) : node.operator.levels));
    }
    return changed;
  }
  if (node.kind === 'items') return applyToItems(node, value, name, run);
  if (value.type === bsonType.document) return applyToDocument(node, value, run);
  if (value.type === bsonType.array) return applyToArray(node, value, name, run);
  for (const child of childrenFor(node, run)) blocked(child.node, child.name, name, value, run);
  return value;
}

/**
 * A document after the changes of a branch, or the document itself when nothing changes. Copies the stretches that
 * nothing changes, and puts the changed and new fields between and behind them.
 */
export function applyToDocument(branch: Branch, document: BsonValue, run: Run): BsonValue {
  const { buffer, end } = document;
  const children = childrenFor(branch, run);
  const found: boolean[] = [];
  const pieces: Piece[] = [];
  const keep = (from: number, to: number) => {
    if (to > from) pieces.push({ name: undefined, value: new BsonValue(bsonType.document, buffer, from, to) });
  };
  let missing = children.length;
  let changed = false;
  let copied = document.start + 4;
  for (let at = copied; at < end - 1 && missing > 0; ) {
    const type = buffer[at] ?? 0;
    let nameEnd = at + 1;
    while (buffer[nameEnd] !== 0) nameEnd++;
    const next = valueEnd(type, buffer, nameEnd + 1);
    for (let which = 0; which < children.length; which++) {
      const child = children[which];
      if (child === undefined || found[which] === true || !hasName(child.bytes, buffer, at + 1, nameEnd)) continue;
      found[which] = true;
      missing--;
      const before = new BsonValue(type, buffer, nameEnd + 1, next);
      const after = apply(child.node, before, child.name, run);
      if (after === before) break;
      changed = true;
      keep(copied, at);
      if (after !== undefined) pieces.push({ name: child.bytes, value: after });
      copied = next;
      break;
    }
    at = next;
  }
  keep(copied, end - 1);
  const kept = pieces.length;
  for (let which = 0; missing > 0 && which < children.length; which++) {
    const child = children[which];
    if (child !== undefined && found[which] !== true) appendCreated(child, run, pieces);
  }
  return changed || pieces.length > kept ? joinPieces(pieces) : document;
}

const nothing = toBson(null);

/** An item of an array after its changes: what goes away leaves null. */
function applyToItem(node: UpdateNode, item: BsonValue, name: string, run: Run): BsonValue {
  const after = apply(node, item, name, run);
  if (after !== undefined) return after;
  return item.type === bsonType.null ? item : nothing;
}

function applyToArray(branch: Branch, array: BsonValue, name: string, run: Run): BsonValue {
  const items = itemsOf(array);
  let changed = false;
  for (const child of childrenFor(branch, run)) {
    const { index, node } = child;
    const before = items[index];
    if (index < 0) {
      blocked(node, child.name, name, array, run);
    } else if (before !== undefined) {
      const after = applyToItem(node, before, child.name, run);
      changed ||= after !== before;
      items[index] = after;
    } else {
      const made = create(node, run);
      if (made === undefined) continue;
      if (index - items.length > mostPadding) {
        throw new CommandError(code.cannotBackfillArray, `can't backfill more than ${mostPadding} elements`);
      }
      while (items.length < index) items.push(nothing);
      items.push(made);
      changed = true;
    }
  }
  return changed ? assembleArray(items) : array;
}

/** The changes meant for an item: those of `$[]` and of every identifier whose condition it meets. */
function nodeForItem(node: Items, item: BsonValue, run: Run): UpdateNode | undefined {
  const identifiers = [...node.children.keys()].filter((identifier) => {
    const filter = run.filters.get(identifier);
    return filter === undefined || matchesFilter(filter, documentValue(writeFields([[identifier, item]])));
  });
  const [first, ...others] = identifiers;
  if (first === undefined) return undefined;
  if (others.length === 0) return node.children.get(first);
  const key = identifiers.join();
  let merged = node.merged.get(key);
  if (merged === undefined) {
    merged = identifiers.flatMap((identifier) => node.children.get(identifier) ?? []).reduce(mergeNodes);
    node.merged.set(key, merged);
  }
  return merged;
}

function applyToItems(node: Items, value: BsonValue, name: string, run: Run): BsonValue {
  if (value.type !== bsonType.array) {
    throw new CommandError(code.badValue, `Cannot apply array updates to non-array element ${name}: ${toText(value)}`);
  }
  let changed = false;
  const items = itemsOf(value).map((before, at) => {
    const change = nodeForItem(node, before, run);
    if (change === undefined) return before;
    const after = applyToItem(change, before, String(at), run);
    changed ||= after !== before;
    return after;
  });
  return changed ? assembleArray(items) : value;
}
