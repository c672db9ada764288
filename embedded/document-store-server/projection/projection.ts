import { assembleDocument } from '../bson/assemble.js';
import { type BsonValue, documentValue, fieldsOf } from '../bson/value.js';
import type { Expressions } from '../expressions/compile.js';
import type { Frame } from '../expressions/expression.js';
import { computeFields, type Mode, pickFields } from './apply.js';
import { parseProjectionTree } from './parse.js';
import type { Branch } from './tree.js';

export interface Projection {
  mode: Mode;
  root: Branch;
  frame: Frame;
}

/**
 * Parses the projection of `find`: inclusion or exclusion, computed fields, `$slice` and `$elemMatch`.
 *
 * @returns undefined for an empty projection
 * @throws CommandError as parseProjectionTree
 */
export function parseProjection(projection: BsonValue, expressions: Expressions): Projection | undefined {
  if (fieldsOf(projection).length === 0) return undefined;
  return { ...parseProjectionTree(projection, expressions, true), frame: expressions.frame() };
}

/** The document with only the projected fields, their bytes unchanged and in their own order; computed ones follow. */
export function project({ mode, root, frame }: Projection, document: Buffer): Buffer {
  const value = documentValue(document);
  const kept = pickFields(value, root, mode);
  if (!root.computes) return assembleDocument(kept).bytes;
  const fields = new Map(kept);
  frame.root = value;
  computeFields(fields, root, frame);
  return assembleDocument(fields).bytes;
}
