import { assembleArray } from '../bson/assemble.js';
import { encodeKey, invert, missingKey } from '../bson/key-encoding.js';
import { toDouble, toInteger } from '../bson/numbers.js';
import { sameBytes } from '../bson/same-bytes.js';
import { type BsonValue, bsonType, fieldsOf, getField, itemsOf, typeName } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { isIndexName } from '../query/path.js';
import { mostLevelsIn } from './nesting.js';
import type { ParseOperator } from './operator.js';
import { idText } from './value-operators.js';

interface Clauses {
  each: BsonValue[];
  position: bigint | undefined;
  slice: bigint | undefined;
  /** the key an item is sorted by */
  sortKey: ((item: BsonValue) => Buffer) | undefined;
}

const refuse = (message: string) => new CommandError(code.badValue, message);
const eachName = Buffer.from('$each');
/** What `$push` may have beside its values. */
export const pushClauses = new Set(['$each', '$slice', '$sort', '$position']);

function wholeClause(name: string, value: BsonValue): bigint {
  const number = toInteger(value);
  if (number === undefined) {
    throw refuse(`The value for ${name} must be an integer value but was given type: ${typeName(value.type)}`);
  }
  return number;
}

function isDescending(direction: BsonValue): boolean {
  const sign = direction.isNumber ? toDouble(direction) : 0;
  if (sign !== 1 && sign !== -1) throw refuse('The $sort element value must be either 1 or -1');
  return sign < 0;
}

/** A field of a document by names, or of an array by positions; arrays are not walked through. */
function fieldAt(value: BsonValue, names: string[]): BsonValue | undefined {
  let current: BsonValue | undefined = value;
  for (const name of names) {
    if (current?.type === bsonType.document) current = getField(current, Buffer.from(name));
    else if (current?.type === bsonType.array && isIndexName(name)) current = itemsOf(current)[Number(name)];
    else return undefined;
  }
  return current;
}

function parseSortClause(clause: BsonValue): (item: BsonValue) => Buffer {
  if (clause.isNumber) {
    const descending = isDescending(clause);
    return (item) => encodeKey(item, descending);
  }
  if (clause.type !== bsonType.document) {
    throw refuse('The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields');
  }
  const fields = fieldsOf(clause).map(([path, direction]) => {
    const descending = isDescending(direction);
    const names = path.split('.');
    if (names.includes('')) throw refuse(`The $sort field is a dotted field but has an empty part: ${path}`);
    return { names, descending };
  });
  if (fields.length === 0) throw refuse('The $sort pattern is empty when it should be a set of fields.');
  return (item) =>
    Buffer.concat(
      fields.map(({ names, descending }) => {
        const value = item.type === bsonType.document ? fieldAt(item, names) : undefined;
        if (value !== undefined) return encodeKey(value, descending);
        return descending ? invert(missingKey) : missingKey;
      }),
    );
}

function parseClauses(operand: BsonValue): Clauses {
  if (operand.type !== bsonType.document || getField(operand, eachName) === undefined) {
    return { each: [operand], position: undefined, slice: undefined, sortKey: undefined };
  }
  const clauses = new Map<string, BsonValue>();
  for (const [name, value] of fieldsOf(operand)) {
    if (!pushClauses.has(name)) throw refuse(`Unrecognized clause in $push: ${name}`);
    if (clauses.has(name)) throw refuse(`Only one ${name} is supported.`);
    clauses.set(name, value);
  }
  const each = clauses.get('$each') ?? operand;
  if (each.type !== bsonType.array) {
    throw refuse(`The argument to $each in $push must be an array but it was of type: ${typeName(each.type)}`);
  }
  const slice = clauses.get('$slice');
  const sort = clauses.get('$sort');
  const position = clauses.get('$position');
  return {
    each: itemsOf(each),
    position: position && wholeClause('$position', position),
    slice: slice && wholeClause('$slice', slice),
    sortKey: sort && parseSortClause(sort),
  };
}

/** Where new items go: a negative position counts from the end. */
function insertionPoint(position: bigint | undefined, length: number): number {
  if (position === undefined || position >= BigInt(length)) return length;
  return position >= 0n ? Number(position) : Math.max(0, length + Number(position));
}

function sliced(items: BsonValue[], slice: bigint): BsonValue[] {
  if (slice >= 0n) return slice < BigInt(items.length) ? items.slice(0, Number(slice)) : items;
  return -slice < BigInt(items.length) ? items.slice(Number(slice)) : items;
}

/** Inserts at the position, then sorts, then slices, in whatever order the clauses are written. */
function pushed(items: BsonValue[], { each, position, slice, sortKey }: Clauses): BsonValue[] {
  const point = insertionPoint(position, items.length);
  let result = [...items.slice(0, point), ...each, ...items.slice(point)];
  if (sortKey !== undefined) {
    const keyed = result.map((item) => ({ item, key: sortKey(item) }));
    result = keyed.sort((a, b) => a.key.compare(b.key)).map(({ item }) => item);
  }
  return slice === undefined ? result : sliced(result, slice);
}

export const parsePush: ParseOperator = (operand, path) => {
  const clauses = parseClauses(operand);
  return {
    change(current, run) {
      if (current.type !== bsonType.array) {
        throw refuse(
          `The field '${path}' must be an array but is of type ${typeName(current.type)} in document ${idText(run)}`,
        );
      }
      const result = assembleArray(pushed(itemsOf(current), clauses));
      return sameBytes(current, result) ? current : result;
    },
    create: () => assembleArray(pushed([], clauses)),
    strict: false,
    levels: 1 + mostLevelsIn(clauses.each),
  };
};
