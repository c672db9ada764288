import { toDouble, toInteger } from '../bson/numbers.js';
import { toText } from '../bson/to-text.js';
import { type BsonValue, bsonType, documentValue, fieldsOf, itemsOf } from '../bson/value.js';
import { writeDocument } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import { type Filter, parseFilter } from '../query/filter.js';
import { isIndexName, parseStrictPath } from '../query/path.js';
import { oneBatch } from '../query/pipeline.js';
import { type Collection, type Index, type IndexField, indexFields } from '../storage/catalogue.js';
import { buildIndex } from '../storage/records.js';
import { Arguments } from './arguments.js';
import { type Context, cursorReply, findCollection, findOrCreate, type Reply, write } from './context.js';

const mostIndexes = 64;
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
    for (const part of parseStrictPath(name).names) {
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

function parseIndex(spec: Buffer): Omit<Index, 'id'> {
  const args = new Arguments('indexes', documentValue(spec));
  const refused = ['collation', 'hidden', 'weights', 'wildcardProjection', 'storageEngine', 'clustered'];
  args.refuse(...refused, 'default_language', 'language_override', 'bits', 'min', 'max', 'prepareUnique');
  args.allow('v', 'ns', 'background', 'dropDups');
  const pattern = args.required('key', args.document('key'));
  checkPattern(pattern);
  const name = args.required('name', args.text('name'));
  const partial = args.document('partialFilterExpression');
  const unique = args.flag('unique');
  const sparse = args.flag('sparse');
  const expiry = args.value('expireAfterSeconds');
  args.finish(code.indexSpecification);
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

function sameDirections(a: Omit<Index, 'id'>, b: Omit<Index, 'id'>): boolean {
  const text = (index: Omit<Index, 'id'>) =>
    JSON.stringify(index.fields.map((field) => [field.path.text, field.descending]));
  return text(a) === text(b);
}

const partialText = (index: Omit<Index, 'id'>) => index.partial?.source.toString('base64') ?? '';

/** What tells indexes apart beside their names: two that differ here stand side by side. */
function isAlike(a: Omit<Index, 'id'>, b: Omit<Index, 'id'>): boolean {
  return sameDirections(a, b) && a.unique === b.unique && a.sparse === b.sparse && partialText(a) === partialText(b);
}

/** Whether the index exists already. @throws CommandError 85 or 86 when another one stands in its way */
function exists(indexes: Index[], wanted: Omit<Index, 'id'>): boolean {
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

export function createIndexes(context: Context): Promise<Reply> {
  const { args, server } = context;
  const { store } = server;
  const name = args.collection();
  const wanted = args.documents('indexes').map(parseIndex);
  args.refuse('commitQuorum');
  args.finish();
  if (wanted.length === 0) throw new CommandError(code.badValue, 'Must specify at least one index to create');
  return write(context, () => {
    const createdCollectionAutomatically = findCollection(context, name) === undefined;
    const collection = findOrCreate(context, name);
    const before = collection.indexes.length;
    const built: Index[] = [];
    try {
      for (const spec of wanted) {
        if (exists(collection.indexes, spec)) continue;
        if (collection.indexes.length >= mostIndexes)
          throw new CommandError(code.cannotCreateIndex, `more than ${mostIndexes} indexes`);
        const index: Index = { ...spec, id: store.catalogue.newId() };
        built.push(index);
        buildIndex(store, collection, index);
        collection.indexes.push(index);
      }
    } catch (err) {
      collection.indexes = collection.indexes.slice(0, before);
      for (const index of built) store.catalogue.discard(index.id);
      throw err;
    }
    store.catalogue.touch(collection);
    return {
      numIndexesBefore: before,
      numIndexesAfter: collection.indexes.length,
      createdCollectionAutomatically,
      ...(built.length === 0 ? { note: 'all indexes already exist' } : {}),
    };
  });
}

function missing(context: Context, name: string): CommandError {
  return new CommandError(code.namespaceNotFound, `ns does not exist: ${context.database}.${name}`);
}

export async function listIndexes(context: Context): Promise<Reply> {
  const { args, database, server } = context;
  const name = args.collection();
  const cursor = new Arguments('cursor', args.documentOrEmpty('cursor'));
  const size = cursor.count('batchSize') ?? Number.POSITIVE_INFINITY;
  cursor.finish();
  args.finish();
  const collection = findCollection(context, name);
  if (collection === undefined) throw missing(context, name);
  const documents = collection.indexes.map((index) =>
    writeDocument({
      v: 2,
      key: index.pattern,
      name: index.name,
      unique: index.unique && !index.isIdIndex ? true : undefined,
      sparse: index.sparse ? true : undefined,
      partialFilterExpression: index.partial?.source,
      expireAfterSeconds: index.expireAfterSeconds,
    }),
  );
  const namespace = `${database}.${name}`;
  const batch = await server.cursors.start(namespace, oneBatch(documents), size, { single: false, keep: false });
  return cursorReply(batch, namespace);
}

function named(collection: Collection, value: BsonValue): Index[] {
  if (value.type === bsonType.array) return itemsOf(value).flatMap((item) => named(collection, item));
  if (value.type === bsonType.string && value.text === '*')
    return collection.indexes.filter((index) => !index.isIdIndex);
  const shown = value.type === bsonType.string ? value.text : toText(value);
  const [index, ...others] = collection.indexes.filter((candidate) =>
    value.type === bsonType.string ? candidate.name === value.text : candidate.pattern.equals(value.bytes),
  );
  if (others.length > 0) throw new CommandError(code.ambiguousIndex, `${others.length + 1} indexes match ${shown}`);
  if (index === undefined) throw new CommandError(code.indexNotFound, `index not found with name [${shown}]`);
  if (index.isIdIndex) throw new CommandError(code.invalidOptions, 'cannot drop _id index');
  return [index];
}

export function dropIndexes(context: Context): Promise<Reply> {
  const { args, server } = context;
  const name = args.collection();
  const wanted = args.required('index', args.value('index'));
  args.finish();
  return write(context, () => {
    const collection = findCollection(context, name);
    if (collection === undefined) throw missing(context, name);
    const nIndexesWas = collection.indexes.length;
    const dropped = new Set(named(collection, wanted));
    collection.indexes = collection.indexes.filter((index) => !dropped.has(index));
    for (const index of dropped) server.store.catalogue.discard(index.id);
    server.store.catalogue.touch(collection);
    return { nIndexesWas };
  });
}
