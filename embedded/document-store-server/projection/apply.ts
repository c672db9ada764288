import { assembleDocument } from '../bson/assemble.js';
import { type BsonValue, bsonType, eachField, fieldsOf, itemsOf } from '../bson/value.js';

import type { Frame } from '../expressions/expression.js';
import { arrayValue, type Value } from '../expressions/values.js';
import type { Branch, Node } from './tree.js';

/** Whether fields nobody named stay. */
export type Mode = 'inclusion' | 'exclusion';

const emptyDocument = assembleDocument([]);

type Field = [string, BsonValue];

function sliced(value: BsonValue, { skip, limit }: Node & { kind: 'slice' }): BsonValue {
  if (value.type !== bsonType.array) return value;
  const items = itemsOf(value);
  if (skip === undefined) return arrayValue(limit < 0 ? items.slice(limit) : items.slice(0, limit));
  const from = skip < 0 ? Math.max(0, items.length + skip) : skip;
  return arrayValue(items.slice(from, from + limit));
}

function pickField(value: BsonValue, node: Node | undefined, mode: Mode): Value {
  if (node === undefined) return mode === 'exclusion' ? value : undefined;
  switch (node.kind) {
    case 'keep':
      return value;
    case 'slice':
      return sliced(value, node);
    case 'branch':
      return pickBelow(value, node, mode);
    default:
      return undefined;
  }
}

function pickBelow(value: BsonValue, branch: Branch, mode: Mode): Value {
  if (value.type === bsonType.document) return assembleDocument(pickFields(value, branch, mode));
  if (value.type === bsonType.array) {
    return arrayValue(
      itemsOf(value).flatMap((item) => {
        const kept = pickBelow(item, branch, mode);
        return kept === undefined ? [] : [kept];
      }),
    );
  }
  if (mode === 'exclusion') return value;
  // what is computed below a value without fields makes an object of it
  return branch.computes ? emptyDocument : undefined;
}

/** The fields that stay, in their own order, their bytes unchanged. */
export function pickFields(document: BsonValue, branch: Branch, mode: Mode): Field[] {
  const kept: Field[] = [];
  eachField(document, (name, value) => {
    const picked = pickField(value, branch.children.get(name), mode);
    if (picked !== undefined) kept.push([name, picked]);
    return false;
  });
  return kept;
}

function computeBelow(value: Value, branch: Branch, frame: Frame): BsonValue {
  if (value?.type === bsonType.array)
    return arrayValue(itemsOf(value).map((item) => computeBelow(item, branch, frame)));
  const fields = new Map(value?.type === bsonType.document ? fieldsOf(value) : []);
  computeFields(fields, branch, frame);
  return assembleDocument(fields);
}

/** Sets the computed fields: in place where there is one of the name, else at the end; a missing result removes it. */
export function computeFields(fields: Map<string, BsonValue>, branch: Branch, frame: Frame): void {
  for (const [name, node] of branch.children) {
    if (node.kind === 'compute') {
      const value = node.expression.evaluate(frame);
      if (value === undefined) fields.delete(name);
      else fields.set(name, value);
    } else if (node.kind === 'branch' && node.computes) {
      fields.set(name, computeBelow(fields.get(name), node, frame));
    }
  }
}
