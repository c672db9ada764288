import { type BsonValue, documentValue, getField } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import type { Clock } from './clock.js';
import { checkIdValue, checkTopLevelNames } from './field-names.js';
import type { ModifierUpdate, Update } from './modifiers.js';
import { checkLevels, levelsIn } from './nesting.js';
import { childOf } from './node.js';
import type { Run } from './operator.js';
import type { PipelineUpdate } from './pipeline.js';
import { resolveRenames } from './rename.js';
import { keepId, replacementFor } from './replacement.js';
import { applyToDocument } from './walk.js';

const idName = Buffer.from('_id');

function checkId(before: BsonValue, after: BsonValue): void {
  const id = getField(before, idName);
  if (id === undefined) return;
  const newId = getField(after, idName);
  if (newId === undefined || newId.type !== id.type || !newId.bytes.equals(id.bytes)) {
    throw new CommandError(
      code.immutableField,
      `Performing an update on the path '_id' would modify the immutable field '_id'`,
    );
  }
}

/** Applies modifiers to a document, or to the beginnings of one when `inserting`. */
export function applyModifiers(
  { root, renames, filters }: ModifierUpdate,
  document: Buffer,
  context: { inserting: boolean; clock: Clock; matched?: string | undefined },
): Buffer {
  const before = documentValue(document);
  const run: Run = {
    inserting: context.inserting,
    clock: context.clock,
    matched: context.matched,
    filters,
    moved: new Map(),
    document: before,
  };
  if (renames.length > 0) resolveRenames(renames, run);
  const after = applyToDocument(root, before, run);
  if (after === before) return document;
  if (childOf(root, '_id') !== undefined) checkId(before, after);
  if (!context.inserting && root.children.some(({ name }) => name.startsWith('$'))) {
    checkTopLevelNames(after, new Set(root.children.map(({ name }) => name)));
  }
  return after.buffer;
}

/** What a pipeline makes of a document; without an `_id` of its own it keeps the one it had. */
export function transformed(update: PipelineUpdate, document: Buffer, id: BsonValue | undefined): Buffer {
  const after = documentValue(update.transform(document));
  const newId = getField(after, idName);
  if (newId !== undefined) checkIdValue(newId);
  checkLevels(levelsIn(after));
  return id === undefined ? after.bytes : keepId(after, id);
}

/**
 * Applies an update to a stored document.
 *
 * @param matched what the positional `$` stands for: the array index that the query found
 * @returns the new bytes; the same Buffer when nothing changed
 * @throws CommandError 28, 14, 2, 40, 52 or 66 as MongoDB does; the document is then unchanged
 */
export function applyUpdate(update: Update, document: Buffer, clock: Clock, matched?: string): Buffer {
  if (update.kind === 'modify') return applyModifiers(update, document, { inserting: false, clock, matched });
  const id = getField(documentValue(document), idName);
  if (id === undefined) throw new CommandError(code.internal, 'a stored document has no _id');
  const after =
    update.kind === 'replace' ? replacementFor(update.document, id, clock) : transformed(update, document, id);
  return after.equals(document) ? document : after;
}
