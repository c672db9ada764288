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
} from 'mongodb';
import { describeTargets } from './document-store-targets.js';
import { finds, refuses } from './filter-cases.js';

const ofType = {
  double: { a: new Double(1) },
  string: { a: 'x' },
  object: { a: { b: 1 } },
  array: { a: [] },
  ofInts: { a: [new Int32(1), 'x'] },
  nested: { a: [[true]] },
  binData: { a: new Binary(Buffer.from([1])) },
  objectId: { a: new ObjectId() },
  bool: { a: false },
  date: { a: new Date(0) },
  null: { a: null },
  regex: { a: new BSONRegExp('x') },
  javascript: { a: new Code('x') },
  symbol: { a: new BSONSymbol('x') },
  javascriptWithScope: { a: new Code('x', { y: 1 }) },
  int: { a: new Int32(1) },
  timestamp: { a: new Timestamp({ t: 1, i: 1 }) },
  long: { a: Long.fromNumber(1) },
  decimal: { a: new Decimal128('1') },
  minKey: { a: new MinKey() },
  maxKey: { a: new MaxKey() },
  missing: {},
};

describeTargets('filters by elements and arrays', (target) => {
  describe('$type', () => {
    finds(target, ofType, [
      [{ a: { $type: 'double' } }, 'double'],
      [{ a: { $type: 1 } }, 'double'],
      [{ a: { $type: 'string' } }, 'string ofInts'],
      [{ a: { $type: 2 } }, 'string ofInts'],
      [{ a: { $type: 'object' } }, 'object'],
      [{ a: { $type: 3 } }, 'object'],
      [{ a: { $type: 'array' } }, 'array ofInts nested'],
      [{ a: { $type: 4 } }, 'array ofInts nested'],
      [{ a: { $type: 'binData' } }, 'binData'],
      [{ a: { $type: 5 } }, 'binData'],
      [{ a: { $type: 'objectId' } }, 'objectId'],
      [{ a: { $type: 7 } }, 'objectId'],
      [{ a: { $type: 'bool' } }, 'bool'],
      [{ a: { $type: 8 } }, 'bool'],
      [{ a: { $type: 'date' } }, 'date'],
      [{ a: { $type: 9 } }, 'date'],
      [{ a: { $type: 'null' } }, 'null'],
      [{ a: { $type: 10 } }, 'null'],
      [{ a: { $type: 'regex' } }, 'regex'],
      [{ a: { $type: 11 } }, 'regex'],
      [{ a: { $type: 'javascript' } }, 'javascript'],
      [{ a: { $type: 13 } }, 'javascript'],
      [{ a: { $type: 'symbol' } }, 'symbol'],
      [{ a: { $type: 14 } }, 'symbol'],
      [{ a: { $type: 'javascriptWithScope' } }, 'javascriptWithScope'],
      [{ a: { $type: 15 } }, 'javascriptWithScope'],
      [{ a: { $type: 'int' } }, 'int ofInts'],
      [{ a: { $type: 16 } }, 'int ofInts'],
      [{ a: { $type: 'timestamp' } }, 'timestamp'],
      [{ a: { $type: 17 } }, 'timestamp'],
      [{ a: { $type: 'long' } }, 'long'],
      [{ a: { $type: 18 } }, 'long'],
      [{ a: { $type: 'decimal' } }, 'decimal'],
      [{ a: { $type: 19 } }, 'decimal'],
      [{ a: { $type: 'minKey' } }, 'minKey'],
      [{ a: { $type: -1 } }, 'minKey'],
      [{ a: { $type: 'maxKey' } }, 'maxKey'],
      [{ a: { $type: 127 } }, 'maxKey'],
      [{ a: { $type: 'number' } }, 'double int long decimal ofInts'],
      [{ a: { $type: ['bool', 'null', 9] } }, 'bool null date'],
      [{ a: { $not: { $type: 'number' }, $type: 'array' } }, 'array nested'],
    ]);
    refuses(target, [
      [{ a: { $type: 'no such type' } }, 2],
      [{ a: { $type: ['int', 'no such type'] } }, 2],
    ]);
  });

  describe('$exists', () =>
    finds(
      target,
      {
        null: { a: null },
        value: { a: 0 },
        none: { a: [] },
        empty: { a: {} },
        field: { a: { b: null } },
        items: { a: [{ c: 1 }, { b: 1 }] },
        missing: { c: 1 },
      },
      [
        [{ a: { $exists: true } }, 'null value none empty field items'],
        [{ a: { $exists: false } }, 'missing'],
        [{ a: { $exists: 1 } }, 'null value none empty field items'],
        [{ a: { $exists: 0 } }, 'missing'],
        [{ 'a.b': { $exists: true } }, 'field items'],
        [{ 'a.b': { $exists: false } }, 'null value none empty missing'],
        [{ a: { $exists: true, $nin: [0, null] } }, 'none empty field items'],
      ],
    ));

  describe('$size', () =>
    finds(
      target,
      {
        none: { a: [] },
        one: { a: [1] },
        two: { a: [1, 2] },
        nested: { a: [[1, 2]] },
        scalar: { a: 1 },
        inside: { a: { b: [1, 2] } },
        objects: { a: [{ b: [1] }, { b: [1, 2] }] },
        missing: {},
      },
      [
        [{ a: { $size: 0 } }, 'none'],
        [{ a: { $size: 1 } }, 'one nested'],
        [{ a: { $size: Long.fromNumber(2) } }, 'two objects'],
        [{ a: { $size: new Double(3) } }, ''],
        [{ 'a.b': { $size: 2 } }, 'inside objects'],
        [{ a: { $not: { $size: 0 } } }, 'one two nested scalar inside objects missing'],
      ],
    ));

  describe('$all', () =>
    finds(
      target,
      {
        both: { a: ['x', 'y', 'z'] },
        one: { a: ['x'] },
        scalar: { a: 'x' },
        nested: { a: [['x', 'y']] },
        none: { a: [] },
        numbers: { a: [1, 2.5] },
        objects: {
          a: [
            { k: 1, v: 1 },
            { k: 2, v: 5 },
          ],
        },
        missing: {},
      },
      [
        [{ a: { $all: ['x', 'y'] } }, 'both'],
        [{ a: { $all: ['y', 'x', 'x'] } }, 'both'],
        [{ a: { $all: ['x'] } }, 'both one scalar'],
        [{ a: { $all: [['x', 'y']] } }, 'nested'],
        [{ a: { $all: [['x']] } }, 'one'],
        [{ a: { $all: [] } }, ''],
        [{ a: { $all: [Long.fromNumber(1), new Decimal128('2.5')] } }, 'numbers'],
        [{ a: { $all: [/^x/, 'z'] } }, 'both'],
        [{ a: { $all: ['x'], $size: 1 } }, 'one'],
        [{ a: { $not: { $all: ['x'] } } }, 'nested none numbers objects missing'],
        [{ a: { $all: [{ $elemMatch: { k: 1, v: 1 } }, { $elemMatch: { k: 2, v: { $gt: 4 } } }] } }, 'objects'],
        [{ a: { $all: [{ $elemMatch: { k: 1, v: 5 } }] } }, ''],
        [{ 'a.k': { $all: [1, 2] } }, 'objects'],
      ],
    ));

  describe('$elemMatch', () => {
    finds(
      target,
      {
        apart: { a: [80, 90] },
        within: { a: [70, 85] },
        scalar: { a: 85 },
        nested: { a: [[85]] },
        pairs: {
          a: [
            { p: 'x', s: 3 },
            { p: 'y', s: 9 },
          ],
        },
        match: { a: [{ p: 'x', s: 9 }] },
        deep: { a: [{ p: { q: [1, { r: 2 }] } }] },
        object: { a: { p: 'x', s: 9 } },
        none: { a: [] },
        missing: {},
      },
      [
        [{ a: { $elemMatch: { $gt: 80, $lt: 90 } } }, 'within'],
        [{ a: { $elemMatch: { $gte: 80, $lte: 90 } } }, 'apart within'],
        [{ a: { $elemMatch: { $in: [70, 90] } } }, 'apart within'],
        [{ a: { $elemMatch: { $not: { $lt: 85 } } } }, 'apart within nested pairs match deep'],
        [{ a: { $elemMatch: { $ne: 80 } } }, 'apart within nested pairs match deep'],
        [{ a: { $elemMatch: { p: 'x', s: { $gt: 5 } } } }, 'match'],
        [{ 'a.p': 'x', 'a.s': { $gt: 5 } }, 'pairs match object'],
        [{ a: { $elemMatch: { p: 'x' } } }, 'pairs match'],
        [{ a: { $elemMatch: { $or: [{ p: 'y' }, { s: 3 }] } } }, 'pairs'],
        [{ a: { $elemMatch: { $nor: [{ p: 'x' }, { p: 'y' }] } } }, 'nested deep'],
        [{ a: { $elemMatch: { 'p.q.r': 2 } } }, 'deep'],
        [{ a: { $elemMatch: { $elemMatch: { $gt: 80 } } } }, 'nested'],
        [{ a: { $not: { $elemMatch: { p: 'x' } } } }, 'apart within scalar nested deep object none missing'],
      ],
    );
    refuses(target, [[{ a: { $elemMatch: 1 } }, 2]]);
  });

  describe('dotted paths', () =>
    finds(
      target,
      {
        plain: { a: { b: { c: 1 } } },
        items: { a: [{ b: { c: 1 } }, { b: { c: 2 } }] },
        lists: { a: { b: [{ c: 2 }, { c: 3 }] } },
        both: { a: [{ b: [{ c: 4 }] }, { b: 7 }, 'x'] },
        scalars: { a: { b: [1, 2] } },
        positions: { a: ['zero', 'one', { b: 'two' }] },
        nested: { a: [[{ b: 9 }]] },
        numbered: { a: { '0': 'zero', '1': { b: 'x' } } },
        scalar: { a: 1 },
        missing: {},
      },
      [
        [{ 'a.b.c': 1 }, 'plain items'],
        [{ 'a.b.c': { $in: [2, 4] } }, 'items lists both'],
        [{ 'a.b.c': { $gt: 2 } }, 'lists both'],
        [{ 'a.b': { c: 1 } }, 'plain items'],
        [{ 'a.b': 7 }, 'both'],
        [{ 'a.b': 2 }, 'scalars'],
        [{ 'a.b': [1, 2] }, 'scalars'],
        [{ 'a.b.1': 2 }, 'scalars'],
        [{ 'a.0': 'zero' }, 'positions numbered'],
        [{ 'a.1': 'one' }, 'positions'],
        [{ 'a.2.b': 'two' }, 'positions'],
        [{ 'a.1.b': { $exists: true } }, 'items both numbered'],
        [{ 'a.0.b.c': 1 }, 'items'],
        [{ 'a.0.0.b': 9 }, 'nested'],
        [{ 'a.b': 9 }, ''],
        [{ 'a.b.c': { $exists: true } }, 'plain items lists both'],
        [{ 'a.z': 1 }, ''],
      ],
    ));
});
