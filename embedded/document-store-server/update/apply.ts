import { compareValues, encodeKey } from '../bson/key-encoding.js';
import { addExactly, multiplyExactly } from '../bson/numbers.js';
import { toText } from '../bson/to-text.js';
import { BsonValue, bsonType, documentValue, fieldsOf, getField, itemsOf } from '../bson/value.js';
import { toBson, writeFields } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import { matchesFilter, matchesItem } from '../query/match.js';
import {
  closeDocument,
  closeNode,
  type EditableDocument,
  openArray,
  openDocument,
  type Slot,
  slotAt,
  typeNameOf,
} from './editable.js';
import type { Modifier, Update } from './modifiers.js';

const idName = Buffer.from('_id');

function idText(root: EditableDocument): string {
  const id = root.fields.find(([name]) => name === '_id')?.[1];
  return id === undefined ? '{}' : `{_id: ${toText(closeNode(id))}}`;
}

function arithmetic(root: EditableDocument, slot: Slot, { name, path, names, operand }: Modifier): void {
  const current = slot.get();
  if (current === undefined) {
    slot.set(name === '$inc' ? operand : (multiplyExactly(operand, toBson(0)) ?? operand));
    return;
  }
  if (!(current instanceof BsonValue) || !current.isNumber) {
    throw new CommandError(
      code.typeMismatch,
      `Cannot apply ${name} to a value of non-numeric type. ${idText(root)} has the field '${names.at(-1)}' of non-numeric type ${typeNameOf(current)}`,
    );
  }
  const result = name === '$inc' ? addExactly(current, operand) : multiplyExactly(current, operand);
  if (result === undefined) {
    throw new CommandError(
      code.badValue,
      `Failed to apply ${name} operations to current value of '${path}': int64 overflow`,
    );
  }
  slot.set(result);
}

function arrayOf(slot: Slot, refuse: (type: string) => CommandError) {
  const current = slot.get();
  if (current === undefined) return { kind: 'array' as const, items: [] };
  if (current instanceof BsonValue) {
    if (current.type !== bsonType.array) throw refuse(typeNameOf(current));
    return openArray(current);
  }
  if (current.kind !== 'array') throw refuse('object');
  return current;
}

function push(root: EditableDocument, slot: Slot, { path, operand, each }: Modifier): void {
  const refuse = (type: string) =>
    new CommandError(
      code.badValue,
      `The field '${path}' must be an array but is of type ${type} in document ${idText(root)}`,
    );
  const array = arrayOf(slot, refuse);
  array.items.push(...(each === undefined ? [operand] : itemsOf(each)));
  slot.set(array);
}

function addToSet(slot: Slot, { names, operand, each }: Modifier): void {
  const refuse = (type: string) =>
    new CommandError(
      code.badValue,
      `Cannot apply $addToSet to non-array field. Field named '${names.at(-1)}' has non-array type ${type}`,
    );
  const array = arrayOf(slot, refuse);
  const present = new Set(array.items.map((item) => encodeKey(closeNode(item)).toString('latin1')));
  for (const item of each === undefined ? [operand] : itemsOf(each)) {
    const key = encodeKey(item).toString('latin1');
    if (present.has(key)) continue;
    present.add(key);
    array.items.push(item);
  }
  slot.set(array);
}

function pull(slot: Slot, { condition }: Modifier): void {
  if (slot.get() === undefined || condition === undefined) return;
  const array = arrayOf(slot, () => new CommandError(code.badValue, 'Cannot apply $pull to a non-array value'));
  array.items = array.items.filter((node) => {
    const item = closeNode(node);
    if (!condition.onFields) return !matchesItem(condition.filter, item);
    return item.type !== bsonType.document || !matchesFilter(condition.filter, item);
  });
  slot.set(array);
}

function applyModifier(root: EditableDocument, modifier: Modifier, inserting: boolean): void {
  const { name, names, operand } = modifier;
  if (name === '$setOnInsert' && !inserting) return;
  const slot = slotAt(root, names, name !== '$unset' && name !== '$pull');
  if (slot === undefined) return;
  switch (name) {
    case '$set':
    case '$setOnInsert':
      slot.set(operand);
      return;
    case '$unset':
      slot.clear();
      return;
    case '$inc':
    case '$mul':
      arithmetic(root, slot, modifier);
      return;
    case '$min':
    case '$max': {
      const current = slot.get();
      const difference = current === undefined ? 0 : compareValues(operand, closeNode(current));
      if (current === undefined || (name === '$min' ? difference < 0 : difference > 0)) slot.set(operand);
      return;
    }
    case '$push':
      push(root, slot, modifier);
      return;
    case '$addToSet':
      addToSet(slot, modifier);
      return;
    case '$pull':
      pull(slot, modifier);
  }
}

function replacement(document: BsonValue, id: BsonValue): Buffer {
  const given = getField(document, idName);
  if (given !== undefined && encodeKey(given).compare(encodeKey(id)) !== 0) {
    throw new CommandError(
      code.immutableField,
      `After applying the update, the (immutable) field '_id' was found to have been altered to _id: ${toText(given)}`,
    );
  }
  const rest = fieldsOf(document).filter(([name]) => name !== '_id');
  return writeFields([['_id', id], ...rest]);
}

/**
 * Applies an update to a stored document.
 *
 * @returns the new bytes; equal bytes mean that nothing changed
 * @throws CommandError 28, 14, 2 or 66 as MongoDB does; the document is then unchanged
 */
export function applyUpdate(update: Update, document: Buffer): Buffer {
  const before = documentValue(document);
  const id = getField(before, idName);
  if (id === undefined) throw new CommandError(code.internal, 'a stored document has no _id');
  if (update.kind === 'replace') return replacement(update.document, id);
  const root = openDocument(before);
  for (const modifier of update.modifiers) applyModifier(root, modifier, false);
  const after = closeDocument(root);
  const newId = getField(documentValue(after), idName);
  if (newId === undefined || !newId.bytes.equals(id.bytes)) {
    throw new CommandError(
      code.immutableField,
      `Performing an update on the path '_id' would modify the immutable field '_id'`,
    );
  }
  return after;
}

/**
 * The document an upsert inserts when nothing matched.
 *
 * @param equalities the fields that the query fixes by equality, by path
 * @param newId makes an `_id` when neither the query nor the update has one
 */
export function upsertDocument(update: Update, equalities: [string, BsonValue][], newId: () => BsonValue): Buffer {
  const root: EditableDocument = { kind: 'document', fields: [] };
  const queryId = equalities.find(([path]) => path === '_id')?.[1];
  if (update.kind === 'replace') {
    const id = queryId ?? getField(update.document, idName) ?? newId();
    return replacement(update.document, id);
  }
  for (const [path, value] of equalities) slotAt(root, path.split('.'), true)?.set(value);
  for (const modifier of update.modifiers) applyModifier(root, modifier, true);
  const document = documentValue(closeDocument(root));
  const id = getField(document, idName);
  if (queryId !== undefined && (id === undefined || encodeKey(id).compare(encodeKey(queryId)) !== 0)) {
    throw new CommandError(
      code.immutableField,
      `Performing an update on the path '_id' would modify the immutable field '_id'`,
    );
  }
  const rest = fieldsOf(document).filter(([name]) => name !== '_id');
  return writeFields([['_id', id ?? newId()], ...rest]);
}
