import { toDouble, toInteger } from '../bson/numbers.js';
import { toText } from '../bson/to-text.js';
import { type BsonValue, bsonType, documentValue, fieldsOf } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { type Filter, parseFilter } from '../query/filter.js';
import { isIndexName } from '../query/path.js';
import { type Index, type IndexField, indexFields } from '../storage/catalogue.js';
import { Arguments } from './arguments.js';

/** An index as it is wanted; it has no id before it is made. */
export type IndexSpec = Omit<Index, 'id'>;

const longestExpiry = 2_147_483_647n;

function checkPattern(pattern: BsonValue): void {
  const fields = fieldsOf(pattern);
  if (fields.length === 0) throw new CommandError(code.cannotCreateIndex, 'Index keys cannot be an empty object');
  if (fields.length > 32) throw new CommandError(13103, 'too many compound keys');
  const seen = new Set<string>();
  for (const [name, direction] of fields) {
    if (direction.type === bsonType.string) {
      throw new CommandError(code.cannotCreateIndex, `indexes of type '${direction.text}' are not supported`);
    }
    const number = direction.isNumber ? toDouble(direction) : 0;
    if (Number.isNaN(number) || number === 0) {
      throw new CommandError(code.cannotCreateIndex, `Values in the index key pattern cannot be ${toText(direction)}`);
    }
    if (seen.has(name))
      throw new CommandError(code.cannotCreateIndex, `the field '${name}' appears twice in the index key pattern`);
    seen.add(name);
    for (const part of name.split('.')) {
      if (part === '')
        throw new CommandError(code.cannotCreateIndex, `Index keys cannot contain an empty field: '${name}'`);
      if (part.startsWith('$'))
        throw new CommandError(code.cannotCreateIndex, `Index key contains an illegal field name: ${name}`);
      if (isIndexName(part)) {
        throw new CommandError(code.cannotCreateIndex, `an index on an array position ('${name}') is not supported`);
      }
    }
  }
}

/** Seconds, as MongoDB takes them: a whole number that an int32 holds. @param refusal the code it is refused with */
export function parseExpiry(value: BsonValue, refusal: number): number {
  const seconds = value.isNumber ? toInteger(value) : undefined;
  if (seconds === undefined || seconds < 0n || seconds > longestExpiry) {
    throw new CommandError(
      refusal,
      `TTL index 'expireAfterSeconds' option must be a whole number from 0 to ${longestExpiry}, not ${toText(value)}`,
    );
  }
  return Number(seconds);
}

function checkIdIndex(pattern: BsonValue, args: Arguments): void {
  for (const option of ['unique', 'sparse', 'partialFilterExpression', 'expireAfterSeconds']) {
    if (args.value(option) === undefined) continue;
    throw new CommandError(
      code.indexSpecification,
      `The field '${option}' is not valid for an _id index specification`,
    );
  }
  if (fieldsOf(pattern).some(([, direction]) => toDouble(direction) !== 1)) {
    throw new CommandError(code.badValue, "The field 'key' for an _id index must be {_id: 1}");
  }
}

/** @throws CommandError 67, 197, 2, 72, 40415 and others for what is not a description of an index */
export function parseIndex(spec: Buffer): IndexSpec {
  const args = new Arguments('indexes', documentValue(spec));
  const refused = ['collation', 'hidden', 'weights', 'wildcardProjection', 'storageEngine', 'clustered'];
  args.refuse(...refused, 'default_language', 'language_override', 'bits', 'min', 'max', 'prepareUnique');
  args.allow('ns', 'dropDups');
  args.flags('background');
  const version = args.value('v');
  const pattern = args.required('key', args.document('key'));
  checkPattern(pattern);
  const name = args.required('name', args.text('name'));
  const partial = args.document('partialFilterExpression');
  const unique = args.flag('unique');
  const sparse = args.flag('sparse');
  const expiry = args.value('expireAfterSeconds');
  args.finish(code.indexSpecification);
  if (version !== undefined && toInteger(version) !== 2n) {
    throw new CommandError(
      code.cannotCreateIndex,
      `index version v: ${toText(version)} is not supported; supported: 2`,
    );
  }
  if (name === '') throw new CommandError(code.cannotCreateIndex, 'index name cannot be empty');
  if (name === '*') throw new CommandError(code.badValue, "The index name '*' is not valid.");
  const fields = indexFields(Buffer.from(pattern.bytes));
  if (isIdPattern(fields)) checkIdIndex(pattern, args);
  const expireAfterSeconds = expiry && parseExpiry(expiry, code.cannotCreateIndex);
  if (expiry !== undefined && fields.length > 1) throw compoundExpiry(code.cannotCreateIndex);
  if (partial !== undefined && sparse) {
    throw new CommandError(code.cannotCreateIndex, 'cannot mix "partialFilterExpression" and "sparse" options');
  }
  const filter = partial && parseFilter(partial);
  if (partial !== undefined && filter !== undefined && !isPartialFilter(filter)) {
    throw new CommandError(
      code.cannotCreateIndex,
      `unsupported expression in partial index: ${toText(partial)}; supported are equality, $gt, $gte, $lt, $lte, $in, $exists: true, $type, $and, $or`,
    );
  }
  const key = Buffer.from(pattern.bytes);
  return {
    name,
    pattern: key,
    fields,
    isIdIndex: false,
    unique,
    sparse,
    partial: partial && filter && { source: Buffer.from(partial.bytes), filter },
    expireAfterSeconds,
    multikey: false,
    inexact: false,
  };
}

const partialTests = new Set(['eq', 'gt', 'gte', 'lt', 'lte', 'exists', 'type']);

function isPartialFilter(filter: Filter): boolean {
  if (filter.kind === 'and' || filter.kind === 'or') return filter.parts.every(isPartialFilter);
  if (filter.kind !== 'test') return false;
  const { test } = filter;
  return partialTests.has(test.kind) || (test.kind === 'in' && test.regexes.length === 0);
}

const isIdPattern = (fields: IndexField[]) => fields.length === 1 && fields[0]?.path.text === '_id';

export function compoundExpiry(refusal: number): CommandError {
  return new CommandError(refusal, 'TTL indexes are single-field indexes, compound indexes do not support TTL');
}

function sameDirections(a: IndexSpec, b: IndexSpec): boolean {
  const text = (index: IndexSpec) => JSON.stringify(index.fields.map((field) => [field.path.text, field.descending]));
  return text(a) === text(b);
}

const partialText = (index: IndexSpec) => index.partial?.source.toString('base64') ?? '';

/** What tells indexes apart beside their names: two that differ here stand side by side. */
function isAlike(a: IndexSpec, b: IndexSpec): boolean {
  return sameDirections(a, b) && a.unique === b.unique && a.sparse === b.sparse && partialText(a) === partialText(b);
}

/** Whether the index exists already. @throws CommandError 85 or 86 when another one stands in its way */
export function exists(indexes: readonly IndexSpec[], wanted: IndexSpec): boolean {
  if (isIdPattern(wanted.fields)) return true;
  const namesake = indexes.find((index) => index.name === wanted.name);
  if (namesake !== undefined && !isAlike(namesake, wanted)) {
    throw new CommandError(
      code.indexKeyConflict,
      `An existing index has the same name as the requested index: ${wanted.name}`,
    );
  }
  const alike = namesake ?? indexes.find((index) => isAlike(index, wanted));
  if (alike === undefined) return false;
  if (alike === namesake && alike.expireAfterSeconds === wanted.expireAfterSeconds) return true;
  throw new CommandError(
    code.indexOptionsConflict,
    `Index already exists with a different name or options: ${alike.name}`,
  );
}
