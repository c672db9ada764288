import { type Document, Double, Int32, Timestamp } from 'bson';
import { expect } from 'chai';
import { applyTo, bytes, itRefuses, itUpdates, refusalCode, upserted } from './update-cases.js';

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** name, update, query, the document inserted */
const inserted: [string, Document, Document, Document][] = [
  ['takes equalities of the query', { $set: { b: 2 } }, { _id: 'x', a: 1 }, { _id: 'x', a: 1, b: 2 }],
  ['takes $eq', { $set: { b: 2 } }, { a: { $eq: 1 } }, { _id: 'made', a: 1, b: 2 }],
  [
    'takes $in of one value, not of two',
    { $set: { b: 2 } },
    { a: { $in: [1] }, c: { $in: [1, 2] } },
    { _id: 'made', a: 1, b: 2 },
  ],
  ['takes $all of one value', { $set: { b: 2 } }, { a: { $all: [1] } }, { _id: 'made', a: 1, b: 2 }],
  [
    'takes what is in $and, and in $or of one',
    { $set: { b: 2 } },
    { $and: [{ a: 1 }], $or: [{ c: 1 }] },
    { _id: 'made', a: 1, c: 1, b: 2 },
  ],
  [
    'takes dotted paths as documents',
    { $set: { 'a.z': 2 } },
    { 'a.d': 1, 'a.b.c': 2 },
    { _id: 'made', a: { b: { c: 2 }, d: 1, z: 2 } },
  ],
  ['takes a numeric name as a name', { $set: { b: 1 } }, { 'a.0': 1 }, { _id: 'made', a: { 0: 1 }, b: 1 }],
  [
    'takes arrays, documents and null',
    { $set: { z: 1 } },
    { a: [1], b: { c: 1 }, d: null },
    { _id: 'made', a: [1], b: { c: 1 }, d: null, z: 1 },
  ],
  [
    'takes nothing from other conditions',
    { $set: { b: 2 } },
    {
      a: { $gt: 1 },
      c: { $ne: 1 },
      d: /x/,
      e: { $exists: true },
      $nor: [{ f: 1 }],
      g: { $elemMatch: { $eq: 1 } },
      $or: [{ h: 1 }, { h: 2 }],
    },
    { _id: 'made', b: 2 },
  ],
  [
    'orders the fields of the query by their paths',
    { $set: { a: 1 } },
    { z: 1, m: 1 },
    { _id: 'made', m: 1, z: 1, a: 1 },
  ],
  ['puts _id first', { $set: { b: 1 } }, { a: 1, _id: 5 }, { _id: 5, a: 1, b: 1 }],
  ['takes the _id of the update', { $set: { _id: 7, b: 1 } }, { a: 1 }, { _id: 7, a: 1, b: 1 }],
  ['takes the _id of $setOnInsert', { $setOnInsert: { _id: 7 } }, {}, { _id: 7 }],
  ['takes an _id in both when they are the same', { $set: { _id: 5 } }, { _id: 5 }, { _id: 5 }],
  ['builds an _id from parts', { $set: { a: 1 } }, { '_id.x': 1, '_id.y': 2 }, { _id: { x: 1, y: 2 }, a: 1 }],
  ['$setOnInsert sets what is inserted', { $setOnInsert: { a: 1, 'b.c': 2 } }, {}, { _id: 'made', a: 1, b: { c: 2 } }],
  [
    '$inc and $push work on the fields of the query',
    { $inc: { a: 1 }, $push: { b: 2 } },
    { a: 1, b: [1] },
    { _id: 'made', a: 2, b: [1, 2] },
  ],
  ['$unset takes away a field of the query', { $unset: { a: '' } }, { a: 1 }, { _id: 'made' }],
  ['$rename moves a field of the query', { $rename: { a: 'b' } }, { a: 1 }, { _id: 'made', b: 1 }],
  ['$[] changes an array of the query', { $inc: { 'a.$[]': 1 } }, { a: [1, 2] }, { _id: 'made', a: [2, 3] }],
  ['names with $ at the top are inserted', { $set: { $a: 1 } }, {}, { _id: 'made', $a: 1 }],
  ['a replacement takes only the _id of the query', { b: 1 }, { _id: 5, a: 1 }, { _id: 5, b: 1 }],
  ['a replacement brings its own _id', { b: 1, _id: 5 }, { a: 1 }, { _id: 5, b: 1 }],
  ['a replacement gets a new _id', { b: 1 }, { a: 1 }, { _id: 'made', b: 1 }],
  ['a replacement ignores contradictions elsewhere', {}, { _id: 1, a: 1, 'a.b': 1 }, { _id: 1 }],
];

/** name, code, update, query */
const refused: [string, number, Document, Document][] = [
  ['another _id than the query', 66, { $set: { _id: 'y' } }, { _id: 'x' }],
  ['another _id in a replacement', 66, { _id: 2 }, { _id: 1 }],
  ['$unset of the _id of the query', 66, { $unset: { _id: '' } }, { _id: 1 }],
  ['a path that is fixed twice', 54, { $set: { b: 1 } }, { $and: [{ a: 1 }, { a: 1 }] }],
  ['$all of two values', 54, { $set: { b: 1 } }, { a: { $all: [1, 2] } }],
  ['a path and a path within it', 54, { $set: { b: 1 } }, { 'a.b': 1, a: {} }],
  ['a part of _id with a replacement', 111, { b: 1 }, { '_id.x': 1 }],
  ['an array as _id', 53, { $set: { _id: [1] } }, {}],
  ['an array as _id from the query', 53, { $set: { a: 1 } }, { _id: [1] }],
  ['a pattern as _id', 53, { $set: { _id: /x/ } }, {}],
  ['a $ name in _id', 52, { $set: { _id: { $x: 1 } } }, {}],
  ['$set into a scalar of the query', 28, { $set: { 'a.b': 1 } }, { a: 1 }],
  ['$expr in the query', 224, { $set: { a: 1 } }, { $or: [{ b: 1 }, { $expr: true }] }],
  ['$[] without an array in the query', 2, { $set: { 'a.$[]': 1 } }, {}],
  ['$ without a match', 2, { $set: { 'a.$': 1 } }, { a: [1] }],
];

describe('an upsert', () => {
  for (const [name, update, query, document] of inserted) {
    it(name, () => {
      const made = plain(upserted(update, query));
      expect(made).to.deep.equal(document);
      expect(JSON.stringify(made)).to.equal(JSON.stringify(document));
    });
  }

  for (const [name, code, update, query] of refused) {
    it(`is refused: ${name} (${code})`, () => {
      expect(refusalCode(() => upserted(update, query))).to.equal(code);
    });
  }
});

describe('a replacement', () => {
  itUpdates([
    ['keeps the _id', { a: 1 }, { b: 1 }, { a: 1 }],
    ['may be empty', {}, { b: 1 }, {}],
    ['by the same document changes nothing', { a: 1 }, { a: 1 }, undefined],
    ['may name the _id anywhere', { a: 1, _id: 1 }, { b: 1 }, { a: 1 }],
    [
      'may have $ names and dots below the top, and dots there',
      { a: { $b: 1, 'c.d': 1 }, 'e.f': 1 },
      {},
      { a: { $b: 1, 'c.d': 1 }, 'e.f': 1 },
    ],
    ['may be a reference', { a: 1, $ref: 'c', $id: 1 }, {}, { a: 1, $ref: 'c', $id: 1 }],
    [
      'gives an empty timestamp the time, but not below the top',
      { a: new Timestamp(0n), b: { c: new Timestamp(0n) } },
      {},
      { a: new Timestamp({ t: 7, i: 1 }), b: { c: new Timestamp(0n) } },
      { at: 7000 },
    ],
  ]);
  it('leaves an empty timestamp as _id alone', () => {
    const _id = new Timestamp(0n);
    expect(applyTo({ a: 1, _id }, bytes({ _id })).equals(bytes({ _id, a: 1 }))).to.equal(true);
  });
  it('takes over the type of an equal _id', () => {
    const after = applyTo({ _id: new Double(1), a: 1 }, bytes({ _id: 1 }));
    expect(after.equals(bytes({ _id: new Double(1), a: new Int32(1) }))).to.equal(true);
  });
  itRefuses([
    ['of another _id', 66, { _id: 2, a: 1 }, {}],
    ['with a $ name at the top', 52, { a: 1, $b: 1 }, {}],
    ['with $id alone', 55, { a: 1, $id: 1 }, {}],
    ['with an array as _id', 53, { _id: [1] }, {}],
  ]);
});
