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
import { compareNumbers, isNumber } from './model/numbers.js';
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
  same: [0, 1, 2, 3]
    .flatMap((number): Leaf[] => [
      new Int32(number),
      Long.fromNumber(number),
      new Double(number),
      decimal(String(number)),
      decimal(`${number}.00`),
    ])
    .concat(new Double(Number.NaN), decimal('NaN')),
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

/** Of all kinds, or of a few of them, where the same number in several types and other near misses are frequent. */
export function makePool(random: Random): Pool {
  const most = random.chance(0.3) ? kindNames.length : random.between(1, 3);
  const chosen = shuffled(random, kindNames).slice(0, most);
  const count = random.between(4, 14);
  const leaves = Array.from({ length: count }, () => random.pick(kinds[random.pick(chosen)] as Leaf[]));
  return { leaves: [...leaves, null, new Int32(1)] };
}

const kindNames = ['ints', 'longs', 'doubles', 'decimals', 'same', 'same', 'strings', 'strings', 'others', 'rare'];

export function leaf(random: Random, pool: Pool): Leaf {
  if (random.chance(0.1)) return twin(random, random.pick(pool.leaves));
  if (random.chance(0.9)) return random.pick(pool.leaves);
  return random.pick(kinds[random.pick(Object.keys(kinds))] as Leaf[]);
}

/** Of a number the same number in any of the types that can hold it; else the value itself. */
export function twin<T extends Value>(random: Random, value: T): T | Leaf {
  if (!isNumber(value)) return value;
  const number = Number(String(value));
  const others: Leaf[] = [new Double(number), decimal(String(value))];
  if (Number.isSafeInteger(number)) others.push(Long.fromNumber(number));
  if (number === (number | 0)) others.push(new Int32(number | 0));
  return random.pick(others.filter((other) => compareNumbers(other, value) === 0));
}

/** A value of a field: mostly a leaf, else an array or a document, `depth` levels deep at most. */
export function value(random: Random, pool: Pool, depth = 3): Value {
  const kind = random.next();
  if (depth === 0 || kind < 0.5) return leaf(random, pool);
  const several = (make: () => Value) => Array.from({ length: random.between(0, 3) }, make);
  if (kind < 0.65) return several(() => value(random, pool, depth - 1));
  if (kind < 0.75) return several(() => embedded(random, pool, depth - 1));
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
