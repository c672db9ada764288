import { type BsonValue, documentValue, fieldsOf } from '../bson/value.js';
import type { Expressions } from '../expressions/compile.js';
import type { Frame } from '../expressions/expression.js';
import { applyTree, type Mode } from './apply.js';
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
  frame.root = documentValue(document);
  return applyTree(frame.root, root, mode, frame).bytes;
}
