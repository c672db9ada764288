import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson';
import type { Document, IndexDescription } from 'mongodb';

/** What the golden data directories hold (`format.int.spec.ts`). The directories are never written again. */

const oid = (n: number) => new ObjectId(n.toString(16).padStart(24, '0'));
const day = (n: number) => new Date(Date.UTC(2026, 10, n));

/** A value of every type that BSON has and the driver can send. */
const values: unknown[] = [
  new MinKey(),
  null,
  new Double(-0),
  new Double(0.1),
  new Double(Number.NaN),
  new Double(Number.NEGATIVE_INFINITY),
  new Int32(-7),
  Long.fromString('9007199254740993'),
  Long.MIN_VALUE,
  Decimal128.fromString('0.1'),
  Decimal128.fromString('9.999999999999999999999999999999999E+6144'),
  Decimal128.fromString('-Infinity'),
  '',
  'Delft',
  'a\u0000b\u0001c',
  '流れ 🚲',
  new BSONSymbol('symbol'),
  {},
  { b: 1, a: { c: ['deep', { d: null }] } },
  [],
  [[], [1, 2], null],
  [3, 'three', { three: 3 }],
  new Binary(Buffer.from([0, 255, 1])),
  new Binary(Buffer.alloc(16, 7), 4),
  oid(42),
  false,
  true,
  day(21),
  new Date(-1),
  new Timestamp({ t: 7, i: 8 }),
  new BSONRegExp('^a.*b', 'i'),
  new DBRef('others', oid(1)),
  new Code('return 1'),
  new Code('return x', { x: 1 }),
  new MaxKey(),
];

const ids: unknown[] = [
  ...[
    1,
    -1,
    2.5,
    Long.fromString('9007199254740993'),
    'one',
    'x'.repeat(3_000),
    oid(7),
    day(1),
    true,
    new Timestamp({ t: 1, i: 2 }),
  ],
  { a: 1, b: ['x'] },
  new Binary(Buffer.from('id')),
  Decimal128.fromString('1.50'),
  new MinKey(),
  new MaxKey(),
];

export const goldenCollections: Record<string, { indexes: IndexDescription[]; documents: Document[] }> = {
  values: {
    indexes: [
      { key: { v: 1 }, name: 'v_1' },
      { key: { v: -1, n: 1 }, name: 'v_-1_n_1' },
      { key: { 'v.a.c': 1 }, name: 'deep' },
      { key: { n: 1 }, name: 'unique', unique: true },
    ],
    documents: values.map((v, n) => ({ _id: oid(100 + n), n, v })),
  },
  ids: {
    indexes: [{ key: { kind: 1, _id: -1 }, name: 'kind_1__id_-1' }],
    documents: ids.map((_id, n) => ({ _id, kind: n % 3 })),
  },
  orders: {
    indexes: [
      { key: { terms: 1 }, name: 'terms_1' },
      { key: { 'items.sku': 1, 'items.count': -1 }, name: 'items' },
      { key: { status: 1, at: -1, _id: 1 }, name: 'list' },
      { key: { email: 1 }, name: 'email', unique: true, sparse: true },
      { key: { note: 1 }, name: 'sparse', sparse: true },
      { key: { total: 1 }, name: 'large', partialFilterExpression: { status: 'open', total: { $gt: 500 } } },
      { key: { text: 1 }, name: 'long' },
    ],
    documents: Array.from({ length: 60 }, (_, n) => ({
      _id: `order-${n}`,
      status: ['open', 'paid', 'sent'][n % 3],
      at: day(1 + (n % 28)),
      total: 20 * n,
      terms: [`t${n % 5}`, 'all', ...(n % 7 === 0 ? ['seven'] : [])],
      items: Array.from({ length: n % 4 }, (__, i) => ({ sku: `s${(n + i) % 9}`, count: i })),
      text: n % 10 === 0 ? `${'long '.repeat(500)}${n}` : `short ${n}`,
      ...(n % 2 === 0 ? { email: `e${n}@shop.test` } : {}),
      ...(n % 4 === 0 ? { note: n % 8 === 0 ? null : 'kept' } : {}),
    })),
  },
  /** since format 2 */
  sessions: {
    indexes: [
      { key: { at: 1 }, name: 'at_1', expireAfterSeconds: 3_600 },
      { key: { seen: -1 }, name: 'guests', partialFilterExpression: { kind: 'guest' }, expireAfterSeconds: 0 },
      { key: { at: 1 }, name: 'unique', unique: true, sparse: true },
    ],
    documents: Array.from({ length: 12 }, (_, n) => ({
      _id: n,
      kind: n % 2 === 0 ? 'guest' : 'member',
      seen: n % 5 === 0 ? [day(20), day(1 + n)] : day(1 + n),
      ...(n % 3 === 0 ? { at: day(1 + n) } : {}),
    })),
  },
  empty: { indexes: [{ key: { a: 1 }, name: 'a_1' }], documents: [] },
};
