import {
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
import type { Random } from '../../support/seeded.js';
import { type Doc, isArray, isDoc, type Leaf, type Value } from './model/values.js';

const decimal = (text: string) => Decimal128.fromString(text);
const binary = (bytes: number[], subtype = 0) => new Binary(Buffer.from(bytes), subtype);

/** Values with neighbours: equal numbers of other types, prefixes of strings, the ends of ranges. */
const kinds: Readonly<Record<string, readonly Leaf[]>> = {
  ints: [0, 1, 2, 3, -1, 2147483647, -2147483648].map((number) => new Int32(number)),
  longs: [
    '0',
    '1',
    '2',
    '-1',
    '2147483648',
    '9007199254740992',
    '9007199254740993',
    '9223372036854775807',
    '-9223372036854775808',
  ].map((text) => Long.fromString(text)),
  doubles: [
    0,
    -0,
    1,
    2,
    0.5,
    1.5,
    0.1,
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    2 ** 53,
    2 ** 63,
    1e308,
    5e-324,
  ].map((number) => new Double(number)),
  decimals: [
    '0',
    '-0',
    '1',
    '1.0',
    '2',
    '0.5',
    '0.1',
    '1E+3',
    '9007199254740993',
    '9223372036854775807',
    'NaN',
    'Infinity',
    '-Infinity',
    '1E+400',
    '1E-400',
  ].map(decimal),
  strings: ['', 'a', 'ab', 'abc', 'b', 'A', 'a\n', 'a\nb', 'a\0', 'é', 'e\u0301', '😀', '\uffff', 'null', '1'],
  others: [
    null,
    true,
    false,
    new Date(0),
    new Date(1),
    new Date(-1),
    new Date(1_600_000_000_000),
    new ObjectId('000000000000000000000001'),
    new ObjectId('ffffffffffffffffffffffff'),
  ],
  rare: [
    binary([]),
    binary([1]),
    binary([1], 5),
    binary([0, 255]),
    new Timestamp({ t: 1, i: 2 }),
    new Timestamp({ t: 4294967295, i: 1 }),
    new BSONRegExp('a', ''),
    new BSONRegExp('a', 'i'),
    new MinKey(),
    new MaxKey(),
    new BSONSymbol('a'),
    new Code('a'),
  ],
};

export const names = ['a', 'b', 'c'] as const;
const innerNames = ['a', 'b', 'c', 'b', '0', 'é'] as const;

/** The values of one world: few enough that equal ones meet. */
export interface Pool {
  readonly leaves: readonly Leaf[];
}

export function makePool(random: Random): Pool {
  const weights = [
    'ints',
    'ints',
    'longs',
    'doubles',
    'doubles',
    'decimals',
    'strings',
    'strings',
    'others',
    'others',
    'rare',
  ];
  const leaves = Array.from({ length: random.between(4, 14) }, () =>
    random.pick(kinds[random.pick(weights)] as Leaf[]),
  );
  return { leaves: [...leaves, null, new Int32(1)] };
}

export function leaf(random: Random, pool: Pool): Leaf {
  if (random.chance(0.9)) return random.pick(pool.leaves);
  return random.pick(kinds[random.pick(Object.keys(kinds))] as Leaf[]);
}

/** A value of a field: mostly a leaf, else an array or a document, `depth` levels deep at most. */
export function value(random: Random, pool: Pool, depth = 3): Value {
  const kind = random.next();
  if (depth === 0 || kind < 0.5) return leaf(random, pool);
  if (kind < 0.75) return Array.from({ length: random.between(0, 3) }, () => value(random, pool, depth - 1));
  return embedded(random, pool, depth - 1);
}

export function embedded(random: Random, pool: Pool, depth: number): Doc {
  const fields = Array.from({ length: random.between(0, 3) }, () => random.pick(innerNames));
  return new Map(fields.map((name) => [name, value(random, pool, depth)]));
}

/** A document with the given `_id`, fields of the alphabet in any order. */
export function document(random: Random, pool: Pool, id: Value): Doc {
  const doc = new Map<string, Value>([['_id', id]]);
  for (const name of shuffled(random, names)) if (random.chance(0.75)) doc.set(name, value(random, pool));
  return doc;
}

/** Different ones, of several types; numbers do not meet across types. */
export function identifiers(random: Random, count: number): Value[] {
  const make: readonly ((n: number) => Value)[] = [
    (n) => new Int32(n),
    (n) => new Int32(n),
    (n) => new Int32(n),
    (n) => new Double(n + 0.5),
    (n) => Long.fromNumber(n + 2 ** 40),
    (n) => decimal(`${n}.25`),
    (n) => `id-${n}`,
    (n) => new Map([['n', new Int32(n)]]),
    (n) => new Date(n),
    (n) => new ObjectId(n.toString(16).padStart(24, '0')),
  ];
  return Array.from({ length: count }, (_, n) => random.pick(make)(n));
}

export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(random.between(0, rest.length - 1), 1)[0] as T);
}

/** Something a document holds, however deep, or nothing. */
export function partOf(random: Random, whole: Value): Value {
  const inside = isDoc(whole) ? [...whole.values()] : isArray(whole) ? [...whole] : [];
  return inside.length === 0 || random.chance(0.4) ? whole : partOf(random, random.pick(inside));
}
