import { compareValues } from '../bson/key-encoding.js';
import { hasName } from '../bson/same-bytes.js';
import { toText } from '../bson/to-text.js';
import { type BsonValue, bsonType, documentValue, eachField, fieldsOf, getField, valueEnd } from '../bson/value.js';
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

/** In one walk: how often a document has an `_id`, whether first, and whether a timestamp beside it is empty. */
function survey(document: Buffer): { ids: number; idIsFirst: boolean; hasEmptyTimestamp: boolean } {
  const found = { ids: 0, idIsFirst: false, hasEmptyTimestamp: false };
  for (let at = 4; at < document.length - 1; ) {
    const type = document[at] ?? 0;
    let nameEnd = at + 1;
    while (document[nameEnd] !== 0) nameEnd++;
    if (hasName(idName, document, at + 1, nameEnd)) {
      found.ids++;
      found.idIsFirst ||= at === 4;
    } else if (type === bsonType.timestamp && document.readBigUInt64LE(nameEnd + 1) === 0n) {
      found.hasEmptyTimestamp = true;
    }
    at = valueEnd(type, document, nameEnd + 1);
  }
  return found;
}

/** The document with `_id` at its front; the same bytes where it is there already. @throws CommandError 2 for two of them */
export function withIdFirst(document: Buffer, newId: () => BsonValue): Buffer {
  const { ids, idIsFirst } = survey(document);
  if (ids > 1) throw new CommandError(code.badValue, "can't have multiple _id fields in one document");
  if (idIsFirst) return document;
  const fields = fieldsOf(documentValue(document));
  const rest = fields.filter(([name]) => name !== '_id');
  return writeFields([['_id', fields.find(([name]) => name === '_id')?.[1] ?? newId()], ...rest]);
}

/** Empty timestamps at the top of a document become the time, as MongoDB has it; that of `_id` stays. */
export function stampTimestamps(document: Buffer, clock: Clock): Buffer {
  if (!survey(document).hasEmptyTimestamp) return document;
  const stamped = Buffer.from(document);
  eachField(documentValue(document), (name, { type, start }) => {
    if (type === bsonType.timestamp && name !== '_id' && document.readBigUInt64LE(start) === 0n) {
      stamped.writeBigUInt64LE(clock.tick(), start);
    }
    return false;
  });
  return stamped;
}

/** A document that takes the place of one with this `_id`, and has it first. @throws CommandError 66 for another `_id` */
export function keepId(document: BsonValue, id: BsonValue): Buffer {
  const given = getField(document, idName);
  if (given !== undefined && compareValues(given, id) !== 0) {
    throw new CommandError(
      code.immutableField,
      `After applying the update, the (immutable) field '_id' was found to have been altered to _id: ${toText(given)}`,
    );
  }
  return withIdFirst(document.bytes, () => id);
}

/** A replacement as it is stored instead of a document with this `_id`. @throws CommandError 66 when it has another */
export function replacementFor(document: BsonValue, id: BsonValue, clock: Clock): Buffer {
  return stampTimestamps(keepId(document, id), clock);
}
