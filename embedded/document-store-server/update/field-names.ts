import { type BsonValue, bsonType, fieldsOf, typeName } from '../bson/value.js';
import { CommandError, code } from '../errors.js';

const invalidReference = (message: string) => new CommandError(code.invalidDbRef, message);

/**
 * Refuses a field whose name begins with `$` where an update may not write it: at the top of a document. `$ref`, `$id`
 * and `$db` pass where they make a reference.
 */
function checkDollarName(fields: [string, BsonValue][], at: number): void {
  let current = at;
  let [name, value] = fields[at] ?? [''];
  const stepBack = (expected: string, of: string) => {
    current--;
    [name, value] = fields[current] ?? [''];
    if (name !== expected)
      throw invalidReference(`Found ${of} field without a ${expected} before it, which is invalid.`);
  };
  if (name === '$db') {
    if (value?.type !== bsonType.string) throw invalidReference('The DBRef $db field must be a String');
    stepBack('$id', '$db');
  }
  if (name === '$id') stepBack('$ref', '$id');
  if (name !== '$ref') {
    throw new CommandError(
      code.dollarPrefixedName,
      `The dollar ($) prefixed field '${fields[at]?.[0]}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`,
    );
  }
  if (value?.type !== bsonType.string) {
    throw invalidReference(`The DBRef $ref field must be a String, not a ${value && typeName(value.type)}`);
  }
  if (fields[current + 1]?.[0] !== '$id') {
    throw invalidReference('The DBRef $ref field must be followed by a $id field');
  }
}

/**
 * Checks the names at the top of a document against the rules for updates.
 *
 * @param only the names to look at; all of them without it
 * @throws CommandError 52 DollarPrefixedFieldName, 55 InvalidDBRef
 */
export function checkTopLevelNames(document: BsonValue, only?: ReadonlySet<string>): void {
  const fields = fieldsOf(document);
  fields.forEach(([name], at) => {
    if (name.startsWith('$') && (only === undefined || only.has(name))) checkDollarName(fields, at);
  });
}

/** Every document in a value, itself included. */
function checkDeepNames(value: BsonValue): void {
  if (value.type === bsonType.document) checkTopLevelNames(value);
  if (value.type !== bsonType.document && value.type !== bsonType.array) return;
  for (const [, field] of fieldsOf(value)) checkDeepNames(field);
}

/**
 * @param deep whether the names are looked at on all levels, as for inserts, or at the top alone
 * @throws CommandError 53 for an array, a pattern or undefined as `_id`, 52 and 55 for `$` names
 */
export function checkIdValue(id: BsonValue, deep = false): void {
  if (id.type === bsonType.array || id.type === bsonType.regex || id.type === bsonType.undefined) {
    throw new CommandError(code.invalidId, `The '_id' value cannot be of type ${typeName(id.type)}`);
  }
  if (id.type !== bsonType.document) return;
  if (deep) checkDeepNames(id);
  else checkTopLevelNames(id);
}
