import { expect } from 'chai';
import {
  Binary,
  BSONRegExp,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  type Sort,
  Timestamp,
} from 'mongodb';
import { failure } from '../../../embedded/document-store-server/test-server.js';
import { type Doc, describeTargets } from './document-store-targets.js';
import { titleOf } from './exact-documents.js';

/** Values in MongoDB's order of comparison; those of one row are equal. */
const ascending: unknown[][] = [
  [new MinKey()],
  [null],
  [new Double(Number.NaN), new Decimal128('NaN')],
  [new Double(Number.NEGATIVE_INFINITY), new Decimal128('-Infinity')],
  [new Decimal128('-1E+400')],
  [Long.fromString('-9223372036854775808'), new Double(-(2 ** 63))],
  [new Double(-1.5), new Decimal128('-1.50')],
  [new Int32(0), new Double(-0), new Decimal128('-0')],
  [new Double(5e-324)],
  [new Decimal128('0.1')],
  [new Double(0.1)],
  [new Int32(1), Long.fromNumber(1), new Double(1), new Decimal128('1.0')],
  [new Double(2 ** 53)],
  [Long.fromString('9007199254740993')],
  [Long.fromString('9223372036854775807')],
  [new Double(2 ** 63)],
  [new Decimal128('1E+400')],
  [new Double(Number.POSITIVE_INFINITY)],
  [''],
  ['A'],
  ['B'],
  ['a'],
  ['a\0'],
  ['a\0b'],
  ['ab'],
  ['b'],
  ['é'],
  ['流'],
  ['🛒'],
  [{}],
  [{ a: null }],
  [{ a: 1 }, { a: 1.0 }],
  [{ a: 1, b: 1 }],
  [{ b: 0 }],
  [{ a: 'x' }],
  [{ a: {} }],
  [new Binary(Buffer.from([]))],
  [new Binary(Buffer.from([9]))],
  [new Binary(Buffer.from([1]), 5)],
  [new Binary(Buffer.from([0, 1]))],
  [new ObjectId('000000000000000000000001')],
  [new ObjectId('ff0000000000000000000000')],
  [false],
  [true],
  [new Date(-1)],
  [new Date(0)],
  [new Date(1)],
  [new Timestamp({ t: 0, i: 9 })],
  [new Timestamp({ t: 4000000000, i: 1 })],
  [new BSONRegExp('a', '')],
  [new BSONRegExp('a', 'i')],
  [new BSONRegExp('b', '')],
  [new MaxKey()],
];

describeTargets('sorts', (target) => {
  describe('in the order of comparison', () => {
    const documents = ascending.flatMap((row, rank) => row.map((a, at) => ({ _id: `${rank}.${at}`, rank, a })));
    // a fixed mixture: neither order is the one they are stored in
    const mixed = documents.map((_, at) => documents[(at * 29 + 7) % documents.length]) as Doc[];
    for (const [kind, direction] of [
      ['scanned', 1],
      ['scanned', -1],
      ['indexed', 1],
      ['indexed', -1],
    ] as const) {
      it(`of all types, ${direction === 1 ? 'upwards' : 'downwards'}, ${kind}`, async () => {
        expect(new Set(mixed.map(({ _id }) => _id)).size).to.equal(documents.length);
        const collection = target().collection('order');
        await collection.insertMany(mixed);
        if (kind === 'indexed') await collection.createIndex({ a: 1 });
        const cursor = collection.find().sort({ a: direction });
        if (kind === 'indexed') cursor.hint({ a: 1 });
        const ranks = (await cursor.project({ rank: 1 }).toArray()).map(({ rank }) => rank);
        const expected = documents.map(({ rank }) => rank);
        expect(ranks).to.deep.equal(direction === 1 ? expected : expected.reverse());
      });
    }

    it('for _id as well', async () => {
      const collection = target().collection('order');
      // an expression is no _id, and the driver makes one instead of null
      const ids = ascending.flatMap(([id]) => (id === null || id instanceof BSONRegExp ? [] : [id]));
      await collection.insertMany(ids.map((_id, rank) => ({ _id, rank }) as unknown as Doc).reverse());
      const ranks = (await collection.find().sort({ _id: 1 }).toArray()).map(({ rank }) => rank);
      expect(ranks).to.deep.equal(ids.map((_, rank) => rank));
    });
  });

  const lists = [
    { _id: 'scalar', a: 4 },
    { _id: 'wide', a: [1, 9] },
    { _id: 'narrow', a: [5, 3] },
    { _id: 'empty', a: [] },
    { _id: 'null', a: null, b: 1 },
    { _id: 'text', a: ['x', 0] },
    { _id: 'nested', a: [[2]] },
  ];
  const people = [
    { _id: 1, name: 'b', age: 30, at: { city: 'x' } },
    { _id: 2, name: 'a', age: 30, at: { city: 'y' } },
    { _id: 3, name: 'a', age: 20 },
    { _id: 4, name: 'c', age: null, at: { city: 'w' } },
    { _id: 5, name: 'c', at: [{ city: 'z' }, { city: 'v' }] },
  ];
  const cases: [documents: Doc[], sort: Document, ids: (string | number)[]][] = [
    // an array counts by its least item upwards and by its greatest downwards; an empty one comes before null
    [lists.slice(0, 5), { a: 1 }, ['empty', 'null', 'wide', 'narrow', 'scalar']],
    [lists.slice(0, 5), { a: -1 }, ['wide', 'narrow', 'scalar', 'null', 'empty']],
    [lists.slice(0, 6), { a: 1 }, ['empty', 'null', 'text', 'wide', 'narrow', 'scalar']],
    [lists.slice(0, 6), { a: -1 }, ['text', 'wide', 'narrow', 'scalar', 'null', 'empty']],
    [[...lists.slice(0, 1), ...lists.slice(5)], { a: 1 }, ['text', 'scalar', 'nested']],
    [people, { age: 1, name: 1, _id: 1 }, [4, 5, 3, 2, 1]],
    [people, { age: -1, name: 1, _id: 1 }, [2, 1, 3, 4, 5]],
    [people, { name: 1, age: -1, _id: -1 }, [2, 3, 1, 5, 4]],
    [people, { 'at.city': 1, _id: 1 }, [3, 5, 4, 1, 2]],
    [people, { 'at.city': -1, _id: 1 }, [5, 2, 1, 4, 3]],
    [people, { _id: -1, name: 1 }, [5, 4, 3, 2, 1]],
  ];
  describe('by fields', () => {
    for (const [documents, sort, ids] of cases) {
      it(`${titleOf(sort)} gives ${ids.join(' ')}`, async () => {
        const collection = target().collection('sorted');
        await collection.insertMany(documents);
        const found = () => collection.find().sort(sort as Sort);
        expect((await found().toArray()).map(({ _id }) => _id)).to.deep.equal(ids);
        const piped = await collection.aggregate([{ $sort: sort }]).toArray();
        expect(piped.map(({ _id }) => _id)).to.deep.equal(ids);
        const page = await found().skip(1).limit(2).toArray();
        expect(page.map(({ _id }) => _id)).to.deep.equal(ids.slice(1, 3));
        await collection.createIndex(sort as Record<string, 1 | -1>);
        expect(
          (await found().toArray()).map(({ _id }) => _id),
          'with the index',
        ).to.deep.equal(ids);
      });
    }
  });

  it('by anything but 1 and -1 are refused', async () => {
    const collection = target().collection('sorted');
    await collection.insertOne({ _id: 1 });
    for (const direction of [0, 2, 'up']) {
      const err = await failure(target().db.command({ find: collection.collectionName, sort: { a: direction } }));
      expect(err.code).to.be.a('number');
    }
  });
});
