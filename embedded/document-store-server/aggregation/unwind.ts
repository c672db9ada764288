import { assembleDocument } from '../bson/assemble.js';
import { type BsonValue, bsonType, documentValue, fieldsOf, getField, itemsOf } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { typeOf } from '../expressions/expression.js';
import { parseFieldPath } from '../expressions/field-path.js';
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

/** The document with one path set; what is no document on the way becomes one. */
function withPath(document: BsonValue, names: readonly string[], value: BsonValue): BsonValue {
  const [name = '', ...rest] = names;
  const fields = new Map(fieldsOf(document));
  const inner = fields.get(name);
  const below = inner?.type === bsonType.document ? inner : assembleDocument([]);
  fields.set(name, rest.length === 0 ? value : withPath(below, rest, value));
  return assembleDocument(fields);
}

/** Where a field stands in a document: its bytes from its type on, and where the documents around it begin. */
interface Place {
  element: number;
  value: BsonValue;
  parents: number[];
}

function placeOf(document: BsonValue, path: Path): Place | undefined {
  let value: Value = document;
  let element = 0;
  const parents: number[] = [];
  for (const name of path.bytes) {
    if (value === undefined || value.type !== bsonType.document) return undefined;
    parents.push(value.start);
    value = getField(value, name);
    if (value !== undefined) element = value.start - name.length - 2;
  }
  return value && { element, value, parents };
}

/** The document with another value at the place, or without the field; all else keeps its bytes. */
function splice(document: Buffer, { element, value, parents }: Place, item: BsonValue | undefined): Buffer {
  const head = item === undefined ? element : value.start;
  const added = item === undefined ? element - value.end : item.end - item.start - (value.end - value.start);
  const bytes = Buffer.allocUnsafe(document.length + added);
  let to = document.copy(bytes, 0, 0, head);
  if (item !== undefined) {
    bytes[element] = item.type;
    to += item.buffer.copy(bytes, to, item.start, item.end);
  }
  document.copy(bytes, to, value.end);
  for (const parent of parents) bytes.writeInt32LE(bytes.readInt32LE(parent) + added, parent);
  return bytes;
}

function* unwound({ path, indexPath, preserve }: Unwind, document: Buffer): Generator<Buffer> {
  const root = documentValue(document);
  const place = placeOf(root, path);
  const indexed = (bytes: Buffer, index: BsonValue) =>
    indexPath === undefined ? bytes : withPath(documentValue(bytes), indexPath.names, index).bytes;
  if (place?.value.type !== bsonType.array) {
    if (preserve || !isNullish(place?.value)) yield indexed(document, nullValue);
    return;
  }
  let at = 0n;
  for (const item of itemsOf(place.value)) {
    yield indexed(splice(document, place, item), int64Value(at));
    at++;
  }
  if (at === 0n && preserve) yield indexed(splice(document, place, undefined), nullValue);
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
