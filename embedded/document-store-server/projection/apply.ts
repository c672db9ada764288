import { assembleArray, assembleDocument, joinPieces, type Piece } from '../bson/assemble.js';
import { hasName } from '../bson/same-bytes.js';
import { BsonValue, bsonType, itemsOf, valueEnd } from '../bson/value.js';
import type { Frame } from '../expressions/expression.js';
import type { Value } from '../expressions/values.js';
import type { Branch, Child, Node } from './tree.js';

/** What happens to fields that nobody named: left out, or kept; an addition replaces computed fields in their place. */
export type Mode = 'inclusion' | 'exclusion' | 'addition';

const emptyDocument = assembleDocument([]);

function sliced(value: BsonValue, { skip, limit }: Node & { kind: 'slice' }): BsonValue {
  if (value.type !== bsonType.array) return value;
  const items = itemsOf(value);
  if (skip === undefined) return assembleArray(limit < 0 ? items.slice(limit) : items.slice(0, limit));
  const from = skip < 0 ? Math.max(0, items.length + skip) : skip;
  return assembleArray(items.slice(from, from + limit));
}

function applyBelow(value: BsonValue, branch: Branch, mode: Mode, frame: Frame): Value {
  if (value.type === bsonType.document) return applyTree(value, branch, mode, frame);
  if (value.type === bsonType.array) {
    const items: BsonValue[] = [];
    for (const item of itemsOf(value)) {
      const kept = applyBelow(item, branch, mode, frame);
      if (kept !== undefined) items.push(kept);
    }
    return assembleArray(items);
  }
  // what is computed below a value without fields makes an object of it
  if (branch.computes) return applyTree(emptyDocument, branch, mode, frame);
  return mode === 'inclusion' ? undefined : value;
}

/** What becomes of a field that is there. */
function applyNode(value: BsonValue, node: Node, mode: Mode, frame: Frame): Value {
  switch (node.kind) {
    case 'keep':
      return value;
    case 'drop':
      return undefined;
    case 'slice':
      return sliced(value, node);
    case 'compute':
      return mode === 'addition' ? node.expression.evaluate(frame) : undefined;
    case 'branch':
      return applyBelow(value, node, mode, frame);
  }
}

/** A computed field that has no place yet. */
function create({ node }: Child, mode: Mode, frame: Frame): Value {
  if (node.kind === 'compute') return node.expression.evaluate(frame);
  return node.kind === 'branch' && node.computes ? applyTree(emptyDocument, node, mode, frame) : undefined;
}

function indexOfName(children: readonly Child[], buffer: Buffer, start: number, end: number): number {
  for (let which = 0; which < children.length; which++) {
    if (hasName((children[which] as Child).bytes, buffer, start, end)) return which;
  }
  return -1;
}

/**
 * The document as a projection shows it: fields that stay keep their order and bytes; computed ones follow in the order
 * they were named, but for additions, which replace a field where it is. A missing result leaves a field out.
 */
export function applyTree(document: BsonValue, branch: Branch, mode: Mode, frame: Frame): BsonValue {
  const { buffer, end } = document;
  const { children } = branch;
  const pieces: Piece[] = [];
  const placed: boolean[] = [];
  let kept = document.start + 4;
  /** ends the stretch of fields that are kept as they are, and goes on behind a field */
  const cut = (to: number, next: number) => {
    if (to > kept) pieces.push({ name: undefined, value: new BsonValue(bsonType.document, buffer, kept, to) });
    kept = next;
  };
  for (let at = kept; at < end - 1; ) {
    const type = buffer[at] ?? 0;
    let nameEnd = at + 1;
    while (buffer[nameEnd] !== 0) nameEnd++;
    const next = valueEnd(type, buffer, nameEnd + 1);
    const which = indexOfName(children, buffer, at + 1, nameEnd);
    const child = children[which];
    if (child === undefined) {
      if (mode === 'inclusion') cut(at, next);
    } else if (child.node.kind !== 'keep') {
      const value = new BsonValue(type, buffer, nameEnd + 1, next);
      const after = applyNode(value, child.node, mode, frame);
      placed[which] = child.node.kind === 'branch' || mode === 'addition';
      if (after !== value) {
        cut(at, next);
        if (after !== undefined) pieces.push({ name: child.bytes, value: after });
      }
    }
    at = next;
  }
  cut(end - 1, end);
  if (branch.computes) {
    children.forEach((child, which) => {
      const made = placed[which] === true ? undefined : create(child, mode, frame);
      if (made !== undefined) pieces.push({ name: child.bytes, value: made });
    });
  }
  return joinPieces(pieces);
}
