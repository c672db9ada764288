import { compareValues } from '../bson/key-encoding.js';
import { toText } from '../bson/to-text.js';
import { type BsonValue, bsonType, documentValue, eachField, fieldsOf, getField } from '../bson/value.js';
import { writeFields } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import type { Clock } from './clock.js';
import { checkIdValue, checkTopLevelNames } from './field-names.js';
import { checkLevels, levelsIn } from './nesting.js';

const idName = Buffer.from('_id');

/** @throws CommandError 52 and 55 for names, 53 for the `_id`, 15 beyond 180 levels */
export function checkReplacement(document: BsonValue): void {
  checkTopLevelNames(document);
  const id = getField(document, idName);
  if (id !== undefined) checkIdValue(id);
  checkLevels(levelsIn(document));
}

/** The document with `_id` at its front; the same bytes where it is there already. */
export function withIdFirst(document: Buffer, newId: () => BsonValue): Buffer {
  const fields = fieldsOf(documentValue(document));
  const rest = fields.filter(([name]) => name !== '_id');
  if (fields.length - rest.length > 1) {
    throw new CommandError(code.badValue, "can't have multiple _id fields in one document");
  }
  if (fields[0]?.[0] === '_id') return document;
  return writeFields([['_id', fields.find(([name]) => name === '_id')?.[1] ?? newId()], ...rest]);
}

/** Empty timestamps at the top of a document become the time, as MongoDB has it; that of `_id` stays. */
export function stampTimestamps(document: Buffer, clock: Clock): Buffer {
  let stamped: Buffer | undefined;
  eachField(documentValue(document), (name, value) => {
    if (value.type === bsonType.timestamp && name !== '_id' && document.readBigUInt64LE(value.start) === 0n) {
      stamped ??= Buffer.from(document);
      stamped.writeBigUInt64LE(clock.tick(), value.start);
    }
    return false;
  });
  return stamped ?? document;
}

/**
 * A replacement as it is stored instead of a document with the given `_id`, which it takes over when it has none.
 *
 * @throws CommandError 66 when it has another `_id`
 */
export function replacementFor(document: BsonValue, id: BsonValue, clock: Clock): Buffer {
  const given = getField(document, idName);
  if (given !== undefined && compareValues(given, id) !== 0) {
    throw new CommandError(
      code.immutableField,
      `After applying the update, the (immutable) field '_id' was found to have been altered to _id: ${toText(given)}`,
    );
  }
  return stampTimestamps(
    withIdFirst(document.bytes, () => id),
    clock,
  );
}
