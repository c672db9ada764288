import { type BsonValue, bsonType, documentValue, fieldsOf, itemsOf } from '../bson/value.js';
import { toBson, writeFields } from '../bson/write.js';
import { CommandError } from '../errors.js';
import { typeOf } from '../expressions/expression.js';
import { parseFieldPath, readPlainPath } from '../expressions/field-path.js';
import { int64Value, isNullish, isTrue, nullValue, type Value } from '../expressions/values.js';
import type { Path } from '../query/path.js';
import { type Batches, inBatches } from '../query/pipeline.js';
import type { StageParser } from './stage.js';

interface Unwind {
  path: Path;
  indexPath: Path | undefined;
  /** documents without items stay as they are */
  preserve: boolean;
}

/** The document with one path set, or removed by undefined; what is no document on the way becomes one. */
function withPath(document: BsonValue, names: readonly string[], value: Value): BsonValue {
  const [name = '', ...rest] = names;
  const fields = new Map(fieldsOf(document));
  if (rest.length === 0) {
    if (value === undefined) fields.delete(name);
    else fields.set(name, value);
  } else {
    const inner = fields.get(name);
    const below = inner?.type === bsonType.document ? inner : toBson({});
    fields.set(name, withPath(below, rest, value));
  }
  return toBson(writeFields(fields));
}

function* unwound({ path, indexPath, preserve }: Unwind, document: Buffer): Generator<Buffer> {
  const root = documentValue(document);
  const found = readPlainPath(root, path);
  const indexed = (value: BsonValue, index: Value) =>
    (indexPath === undefined ? value : withPath(value, indexPath.names, index)).bytes;
  if (found?.type !== bsonType.array) {
    if (preserve || !isNullish(found)) yield indexed(root, nullValue);
    return;
  }
  let at = 0n;
  for (const item of itemsOf(found)) {
    yield indexed(withPath(root, path.names, item), int64Value(at));
    at++;
  }
  if (at === 0n && preserve) yield indexed(withPath(root, path.names, undefined), nullValue);
}

function* unwoundAll(unwind: Unwind, batch: readonly Buffer[]): Generator<Buffer> {
  for (const document of batch) yield* unwound(unwind, document);
}

async function* unwindBatches(source: Batches, unwind: Unwind): Batches {
  for await (const batch of source) yield* inBatches(unwoundAll(unwind, batch));
}

function unwindPath(value: BsonValue): Path {
  if (value.type !== bsonType.string) {
    throw new CommandError(28808, `expected a string as the path for $unwind, got ${typeOf(value)}`);
  }
  if (value.text === '') throw new CommandError(28812, 'no path specified to $unwind stage');
  if (!value.text.startsWith('$')) {
    throw new CommandError(28818, `path option to $unwind stage should be prefixed with a '$': ${value.text}`);
  }
  return parseFieldPath(value.text.slice(1));
}

function indexName(value: BsonValue): Path {
  if (value.type !== bsonType.string || value.text === '') {
    throw new CommandError(28810, 'expected a non-empty string for the includeArrayIndex option to $unwind stage');
  }
  if (value.text.startsWith('$')) {
    throw new CommandError(28822, `includeArrayIndex of $unwind should not be prefixed with a '$': ${value.text}`);
  }
  return parseFieldPath(value.text);
}

function parseOptions(spec: BsonValue): Unwind {
  let path: Path | undefined;
  let indexPath: Path | undefined;
  let preserve = false;
  for (const [name, value] of fieldsOf(spec)) {
    if (name === 'path') path = unwindPath(value);
    else if (name === 'includeArrayIndex') indexPath = indexName(value);
    else if (name !== 'preserveNullAndEmptyArrays') {
      throw new CommandError(28811, `unrecognized option to $unwind stage: ${name}`);
    } else if (value.type !== bsonType.boolean) {
      throw new CommandError(28809, 'expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage');
    } else preserve = isTrue(value);
  }
  if (path === undefined) throw new CommandError(28812, 'no path specified to $unwind stage');
  return { path, indexPath, preserve };
}

/** `$unwind`: a document for every item of an array. */
export const parseUnwind: StageParser = (spec) => {
  if (spec.type !== bsonType.string && spec.type !== bsonType.document) {
    throw new CommandError(15981, `expected a string or an object as specification for $unwind, got ${typeOf(spec)}`);
  }
  const isShort = spec.type === bsonType.string;
  const unwind = isShort ? { path: unwindPath(spec), indexPath: undefined, preserve: false } : parseOptions(spec);
  return (source) => unwindBatches(source, unwind);
};
