import { type BsonValue, bsonType, fieldsOf, itemsOf, typeName } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { type Filter, parseFilter } from '../query/filter.js';

const refuse = (message: string) => new CommandError(code.failedToParse, `Error parsing array filter :: ${message}`);

/** The one name that all conditions of an array filter begin with. */
function identifierOf(filter: BsonValue): string | undefined {
  let identifier: string | undefined;
  for (const [name, value] of fieldsOf(filter)) {
    let found: string | undefined;
    if (name === '$and' || name === '$or' || name === '$nor') {
      if (value.type !== bsonType.array) continue;
      for (const part of itemsOf(value)) {
        const inner = part.type === bsonType.document ? identifierOf(part) : undefined;
        if (found !== undefined && inner !== undefined && inner !== found) throw severalNames(found, inner);
        found ??= inner;
      }
    } else if (name !== '$comment') {
      if (name.startsWith('$')) throw refuse(`${name} is not supported in an array filter`);
      found = name.split('.')[0];
    }
    if (found === undefined) continue;
    if (identifier !== undefined && identifier !== found) throw severalNames(identifier, found);
    identifier = found;
  }
  return identifier;
}

function severalNames(one: string, other: string): CommandError {
  return refuse(`Expected a single top-level field name, found '${one}' and '${other}'`);
}

/**
 * Parses the `arrayFilters` of an update: the condition of each `$[identifier]`.
 *
 * @throws CommandError 14 for what is no array of documents, 9 and 2 for filters without one valid name each
 */
export function parseArrayFilters(value: BsonValue | undefined): Map<string, Filter> {
  const filters = new Map<string, Filter>();
  if (value === undefined) return filters;
  if (value.type !== bsonType.array) {
    throw new CommandError(code.typeMismatch, `arrayFilters must be an array, not ${typeName(value.type)}`);
  }
  for (const item of itemsOf(value)) {
    if (item.type !== bsonType.document) {
      throw new CommandError(code.typeMismatch, `an array filter must be an object, not ${typeName(item.type)}`);
    }
    const filter = parseFilter(item);
    const identifier = identifierOf(item);
    if (identifier === undefined) {
      throw new CommandError(
        code.failedToParse,
        'Cannot use an expression without a top-level field name in arrayFilters',
      );
    }
    if (!/^[a-z][a-zA-Z0-9]*$/.test(identifier)) {
      throw new CommandError(
        code.badValue,
        `Error parsing array filter :: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '${identifier}'`,
      );
    }
    if (filters.has(identifier)) {
      throw new CommandError(
        code.failedToParse,
        `Found multiple array filters with the same top-level field name ${identifier}`,
      );
    }
    filters.set(identifier, filter);
  }
  return filters;
}
