// BSON types and their numbers: https://www.mongodb.com/docs/v7.0/reference/bson-types/
import type {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson';

/** Fields in the order in which they are stored. A plain object would put `"0"` before `"a"`. */
export type Doc = ReadonlyMap<string, Value>;

/** A BSON value; numbers are always of a class, so that their type is known. */
export type Value = Leaf | Doc | readonly Value[];

type Classes =
  | Double
  | Int32
  | Long
  | Decimal128
  | ObjectId
  | Binary
  | BSONRegExp
  | BSONSymbol
  | Code
  | Timestamp
  | MinKey
  | MaxKey;
export type Leaf = null | boolean | string | Date | Classes;

/** The names that `$type` knows; the types that MongoDB calls deprecated and no driver writes any more are left out. */
export const typeNumbers = {
  double: 1,
  string: 2,
  object: 3,
  array: 4,
  binData: 5,
  objectId: 7,
  bool: 8,
  date: 9,
  null: 10,
  regex: 11,
  javascript: 13,
  symbol: 14,
  int: 16,
  timestamp: 17,
  long: 18,
  decimal: 19,
  minKey: -1,
  maxKey: 127,
} as const;

export type TypeName = keyof typeof typeNumbers;

const classNames: Readonly<Record<string, TypeName>> = {
  Double: 'double',
  Int32: 'int',
  Long: 'long',
  Decimal128: 'decimal',
  ObjectId: 'objectId',
  Binary: 'binData',
  BSONRegExp: 'regex',
  BSONSymbol: 'symbol',
  Code: 'javascript',
  Timestamp: 'timestamp',
  MinKey: 'minKey',
  MaxKey: 'maxKey',
};

export const isDoc = (value: Value | undefined): value is Doc => value instanceof Map;
export const isArray = (value: Value | undefined): value is readonly Value[] => Array.isArray(value);

/** @throws RangeError for what is no value of the model, such as a plain object or a bare number */
export function typeOf(value: Value): TypeName {
  if (value === null) return 'null';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (isArray(value)) return 'array';
  if (isDoc(value)) return 'object';
  if (value instanceof Date) return 'date';
  const name = classNames[(value as { _bsontype?: string })._bsontype ?? ''];
  if (name === undefined) throw new RangeError(`${String(value)} is no value of the model`);
  return name;
}

/** The value as what its type says. */
export const as = <T extends Value>(value: Value): T => value as T;

/** What MongoDB would refuse, and with which code. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly code: number,
    why: string,
  ) {
    super(why);
  }
}

/** @throws Refusal unless the condition holds */
export function insist(condition: boolean, code: number, why: string): asserts condition {
  if (!condition) throw new Refusal(code, why);
}
