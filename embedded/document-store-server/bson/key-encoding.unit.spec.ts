import { Binary, Decimal128, Int32, Long, MaxKey, MinKey, ObjectId, serialize, Timestamp } from 'bson';
import { expect } from 'chai';
import fc from 'fast-check';
import { compareValues, encodeKey, invert, storedKey, successor } from './key-encoding.js';
import { type BsonValue, documentValue, getField } from './value.js';

function value(js: unknown): BsonValue {
  const found = getField(
    documentValue(Buffer.from(serialize({ v: js }, { ignoreUndefined: false }))),
    Buffer.from('v'),
  );
  if (found === undefined) throw new Error('no value');
  return found;
}

const key = (js: unknown) => encodeKey(value(js));

describe('keys of BSON values', () => {
  it('order as BSON compares types, then values', () => {
    const ascending: unknown[] = [
      new MinKey(),
      null,
      Number.NaN,
      Number.NEGATIVE_INFINITY,
      Decimal128.fromString('-1E400'),
      -1e300,
      Long.fromString('-9007199254740993'),
      Long.fromString('-9007199254740992'),
      -1.5,
      -1,
      Decimal128.fromString('-1E-400'),
      0,
      Decimal128.fromString('1E-400'),
      5e-324,
      0.1,
      Decimal128.fromString('0.11'),
      1,
      Long.fromString('9007199254740992'),
      Long.fromString('9007199254740993'),
      Decimal128.fromString('9007199254740993.5'),
      Long.fromString('9223372036854775806'),
      Long.MAX_VALUE,
      2 ** 63,
      Decimal128.fromString('1E400'),
      Number.POSITIVE_INFINITY,
      '',
      '\0',
      '\0\0',
      '\u0001',
      'a',
      'a\0',
      'ab',
      'b',
      '\uffee',
      '😀',
      {},
      { a: 1 },
      { a: 1, b: 1 },
      { b: 0 },
      { a: 'x' },
      [],
      [1],
      [1, 1],
      [2],
      new Binary(Buffer.from([9])),
      new Binary(Buffer.from([1, 1])),
      new ObjectId('000000000000000000000001'),
      new ObjectId('f00000000000000000000000'),
      false,
      true,
      new Date(-5),
      new Date(0),
      new Date(8.64e15),
      new Timestamp({ t: 1, i: 2 }),
      new Timestamp({ t: 2, i: 1 }),
      /a/,
      /b/,
      new MaxKey(),
    ];
    const keys = ascending.map(key);
    for (let at = 1; at < keys.length; at++) {
      expect(keys[at - 1]?.compare(keys[at] ?? Buffer.alloc(0)), `${at - 1} before ${at}`).to.equal(-1);
    }
  });

  it('are equal for equal numbers of different types', () => {
    const ones = [1, new Int32(1), Long.fromNumber(1), Decimal128.fromString('1.00'), Decimal128.fromString('1')];
    expect(new Set(ones.map((one) => key(one).toString('hex'))).size).to.equal(1);
    expect(key(-0).equals(key(0))).to.equal(true);
    expect(key(0.1).equals(key(Decimal128.fromString('0.1')))).to.equal(false);
    expect(key(0.5).equals(key(Decimal128.fromString('0.5')))).to.equal(true);
  });

  it('order doubles, int64 and text as they are, also joined and inverted', () => {
    const item = fc.oneof(
      fc.double({ noNaN: true }),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => Long.fromBigInt(n)),
      fc.string({ unit: 'binary' }),
    );
    const rank = (js: unknown) => (typeof js === 'string' ? 1 : 0);
    const order = (a: unknown, b: unknown): number => {
      if (rank(a) !== rank(b)) return rank(a) - rank(b);
      if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
      const [x, y] = [a, b].map((n) => (n instanceof Long ? n.toBigInt() : (n as number)));
      return x === undefined || y === undefined ? 0 : x < y ? -1 : x > y ? 1 : 0;
    };
    fc.assert(
      fc.property(item, item, item, item, (a, b, c, d) => {
        const first = order(a, b);
        expect(Math.sign(key(a).compare(key(b)))).to.equal(Math.sign(first));
        expect(Math.sign(compareValues(value(a), value(b)))).to.equal(Math.sign(first));
        expect(Math.sign(invert(key(a)).compare(invert(key(b))))).to.equal(Math.sign(-first) || 0);
        const joined = Buffer.concat([key(a), key(c)]).compare(Buffer.concat([key(b), key(d)]));
        expect(Math.sign(joined)).to.equal(Math.sign(first || order(c, d)));
      }),
      { numRuns: 500 },
    );
  });

  it('longer than LMDB allows are cut, and stay equal only when equal', () => {
    const long = key('x'.repeat(5000));
    const other = key(`${'x'.repeat(4999)}y`);
    expect(storedKey(long)).to.have.length.below(1978);
    expect(storedKey(long).equals(storedKey(other))).to.equal(false);
    expect(storedKey(long).equals(storedKey(key('x'.repeat(5000))))).to.equal(true);
  });

  it('have a successor after all that begins with a prefix', () => {
    expect(successor(Buffer.of(1, 0xff))).to.deep.equal(Buffer.of(2));
    expect(successor(Buffer.of(0xff, 0xff))).to.equal(undefined);
  });
});
