import { expect } from 'chai';
import { Decimal128, type Document, Double, Int32, Long, Timestamp } from 'mongodb';
import { failure } from '../../../embedded/document-store-server/test-server.js';
import { describeTargets } from './document-store-targets.js';
import { updates } from './update-cases.js';

const decimal = (text: string) => new Decimal128(text);
const long = (text: string) => Long.fromString(text);
const date = (ms: number) => new Date(ms);

describeTargets('updates of fields', (target) => {
  describe('$set', () =>
    updates(target, [
      [{ a: 1 }, { $set: { a: 2 } }, { a: 2 }],
      [{ a: 1 }, { $set: { a: 1 } }, { a: 1 }],
      [{ a: new Int32(1) }, { $set: { a: new Double(1) } }, { a: new Double(1) }],
      [{ a: 1 }, { $set: { a: null } }, { a: null }],
      [{ z: 1, a: 1 }, { $set: { a: 'x' } }, { z: 1, a: 'x' }],
      [{}, { $set: { b: 1, a: 2 } }, { a: 2, b: 1 }],
      [{ z: 1 }, { $set: { 'b.c': 1, a: { y: 1, x: 2 } } }, { z: 1, a: { y: 1, x: 2 }, b: { c: 1 } }],
      [{}, { $set: { 'a.b.c': 1 } }, { a: { b: { c: 1 } } }],
      [{ a: { x: 1 } }, { $set: { 'a.b': 2 } }, { a: { x: 1, b: 2 } }],
      [{ a: { x: 1 } }, { $set: { a: {} } }, { a: {} }],
      [{ a: [1, 2, 3] }, { $set: { 'a.1': 'x' } }, { a: [1, 'x', 3] }],
      [{ a: [1] }, { $set: { 'a.3': 'x' } }, { a: [1, null, null, 'x'] }],
      [{ a: [1] }, { $set: { 'a.10': 10, 'a.2': 2 } }, { a: [1, null, 2, ...Array(7).fill(null), 10] }],
      [{ a: [{ b: 1 }, { b: 2 }] }, { $set: { 'a.1.b': 3, 'a.0.c': 4 } }, { a: [{ b: 1, c: 4 }, { b: 3 }] }],
      [{}, { $set: { 'a.0': 1 } }, { a: { '0': 1 } }],
      [{ a: 1 }, { $set: {} }, { a: 1 }],
      [{ a: 1 }, { $set: { _id: 1, b: 1 } }, { a: 1, b: 1 }],
      [{ 'ключ 🗝': 1 }, { $set: { 'ключ 🗝': 2 } }, { 'ключ 🗝': 2 }],
      [{ a: 1 }, { $set: { 'a.b': 1 } }, 28],
      [{ a: null }, { $set: { 'a.b': 1 } }, 28],
      [{ a: 'text' }, { $set: { 'a.b.c': 1 } }, 28],
      [{ a: [1] }, { $set: { 'a.x': 1 } }, 28],
      [{ a: [1] }, { $set: { 'a.0.b': 1 } }, 28],
      [{ a: 1 }, { $set: { _id: 'other' } }, 66],
      [{ a: 1 }, { $set: 1 }, 9],
      [{ a: 1 }, { $set: { '': 1 } }, 56],
      [{ a: { b: 1 } }, { $set: { 'a.': 1 } }, 56],
      [{ a: { b: 1 } }, { $set: { 'a..b': 1 } }, 56],
    ]));

  describe('$unset', () =>
    updates(target, [
      [{ a: 1, b: 2, c: 3 }, { $unset: { b: '' } }, { a: 1, c: 3 }],
      [{ a: 1 }, { $unset: { b: '' } }, { a: 1 }],
      [{ a: { b: 1, c: 2 } }, { $unset: { 'a.b': true } }, { a: { c: 2 } }],
      [{ a: { b: 1 } }, { $unset: { 'a.b': 1 } }, { a: {} }],
      [{ a: [1, 2, 3] }, { $unset: { 'a.1': '' } }, { a: [1, null, 3] }],
      [{ a: [{ b: 1, c: 2 }] }, { $unset: { 'a.0.b': '' } }, { a: [{ c: 2 }] }],
      [{ a: 1 }, { $unset: { 'a.b': '' } }, { a: 1 }],
      [{ a: 1 }, { $unset: { 'x.y.z': '' } }, { a: 1 }],
      [{ a: 1 }, { $unset: { _id: '' } }, 66],
    ]));

  describe('$setOnInsert', () =>
    updates(target, [
      [{ a: 1 }, { $setOnInsert: { a: 2, b: 3 } }, { a: 1 }],
      [{ a: 1 }, { $setOnInsert: { b: 3 }, $set: { a: 2 } }, { a: 2 }],
    ]));

  describe('$inc', () =>
    updates(target, [
      [{ a: 1 }, { $inc: { a: 2 } }, { a: 3 }],
      [{ a: 1 }, { $inc: { a: -2 } }, { a: -1 }],
      [{ a: 1 }, { $inc: { a: 0 } }, { a: 1 }],
      [{}, { $inc: { a: 2 } }, { a: 2 }],
      [{}, { $inc: { 'a.b': long('2') } }, { a: { b: long('2') } }],
      [{ a: [1, 2] }, { $inc: { 'a.1': 5 } }, { a: [1, 7] }],
      [{ a: 1 }, { $inc: { a: 0.5 } }, { a: 1.5 }],
      [{ a: new Double(1.5) }, { $inc: { a: 1 } }, { a: 2.5 }],
      [{ a: 1 }, { $inc: { a: long('1') } }, { a: long('2') }],
      [{ a: long('9007199254740993') }, { $inc: { a: 1 } }, { a: long('9007199254740994') }],
      [{ a: 2147483647 }, { $inc: { a: 1 } }, { a: long('2147483648') }],
      [{ a: decimal('1.10') }, { $inc: { a: decimal('0.20') } }, { a: decimal('1.30') }],
      [{ a: 1 }, { $inc: { a: decimal('0.5') } }, { a: decimal('1.5') }],
      [{ a: long('9223372036854775807') }, { $inc: { a: 1 } }, 2],
      [{ a: 'text' }, { $inc: { a: 1 } }, 14],
      [{ a: null }, { $inc: { a: 1 } }, 14],
      [{ a: [1] }, { $inc: { a: 1 } }, 14],
      [{ a: 1 }, { $inc: { a: '1' } }, 14],
      [{ a: 1 }, { $inc: { a: null } }, 14],
      [{ a: 1 }, { $inc: { 'a.b': 1 } }, 28],
      [{ a: 1 }, { $inc: { _id: 1 } }, 66],
    ]));

  describe('$mul', () =>
    updates(target, [
      [{ a: 3 }, { $mul: { a: 2 } }, { a: 6 }],
      [{ a: 3 }, { $mul: { a: long('2') } }, { a: long('6') }],
      [{ a: 3 }, { $mul: { a: 0.5 } }, { a: 1.5 }],
      [{ a: 2147483647 }, { $mul: { a: 2 } }, { a: long('4294967294') }],
      [{ a: decimal('1.5') }, { $mul: { a: decimal('0.10') } }, { a: decimal('0.150') }],
      [{}, { $mul: { a: 5 } }, { a: 0 }],
      [{}, { $mul: { a: long('5') } }, { a: long('0') }],
      [{}, { $mul: { a: 1.5 } }, { a: new Double(0) }],
      [{ a: 3 }, { $mul: { a: 1 } }, { a: 3 }],
      [{ a: 'text' }, { $mul: { a: 2 } }, 14],
      [{ a: 3 }, { $mul: { a: 'text' } }, 14],
      [{ a: long('9223372036854775807') }, { $mul: { a: 2 } }, 2],
    ]));

  for (const [operator, less, more] of [
    ['$min', 1, 9],
    ['$max', 9, 1],
  ] as const) {
    describe(operator, () =>
      updates(target, [
        [{ a: 5 }, { [operator]: { a: less } }, { a: less }],
        [{ a: 5 }, { [operator]: { a: more } }, { a: 5 }],
        [{ a: 5 }, { [operator]: { a: 5 } }, { a: 5 }],
        [{ a: new Int32(5) }, { [operator]: { a: new Double(5) } }, { a: new Int32(5) }],
        [{ a: new Int32(5) }, { [operator]: { a: decimal(`${less}.5`) } }, { a: decimal(`${less}.5`) }],
        [{}, { [operator]: { a: 1 } }, { a: 1 }],
        [{}, { [operator]: { 'a.b': 1 } }, { a: { b: 1 } }],
        [{ a: [5] }, { [operator]: { 'a.0': less } }, { a: [less] }],
        [{ a: date(5) }, { [operator]: { a: date(less) } }, { a: date(less) }],
        // across types by the order of comparison: null, numbers, text, dates
        [{ a: 5 }, { [operator]: { a: 'x' } }, { a: operator === '$max' ? 'x' : 5 }],
        [{ a: 5 }, { [operator]: { a: null } }, { a: operator === '$max' ? 5 : null }],
        [{ a: 'x' }, { [operator]: { a: date(1) } }, { a: operator === '$max' ? date(1) : 'x' }],
        [{ a: 5 }, { [operator]: { 'a.b': 1 } }, 28],
      ]),
    );
  }

  describe('$rename', () =>
    updates(target, [
      [{ a: 1, c: 3 }, { $rename: { a: 'b' } }, { c: 3, b: 1 }],
      [{ a: 1, b: 2 }, { $rename: { a: 'b' } }, { b: 1 }],
      [{ a: { b: 1, c: 2 } }, { $rename: { 'a.b': 'a.d' } }, { a: { c: 2, d: 1 } }],
      [{ a: { b: 1 } }, { $rename: { 'a.b': 'c.d' } }, { a: {}, c: { d: 1 } }],
      [{ a: 1 }, { $rename: { x: 'y' } }, { a: 1 }],
      [
        { a: 1, x: 5 },
        { $rename: { a: 'b' }, $set: { x: 6 } },
        { x: 6, b: 1 },
      ],
      [{ a: 1 }, { $rename: { a: 'a' } }, 2],
      [{ a: 1 }, { $rename: { a: 1 } }, 2],
      [{ a: [{ b: 1 }] }, { $rename: { 'a.0.b': 'c' } }, 2],
      [{ a: 1, b: 1 }, { $rename: { a: 'b' }, $set: { b: 2 } }, 40],
      [{ a: 1 }, { $rename: { _id: 'b' } }, 66],
    ]));

  describe('$currentDate', () => {
    it('gives the time, as a date or a timestamp', async () => {
      const clocks = target().collection('clocks');
      await clocks.insertOne({ _id: 1, a: 0, d: 'old' });
      const from = Date.now() - 120_000;
      const times: Document = { a: true, 'b.c': { $type: 'date' }, d: { $type: 'timestamp' } };
      await clocks.updateOne({ _id: 1 }, { $currentDate: times });
      const found = await clocks.findOne({ _id: 1 });
      expect(Object.keys(found ?? {})).to.deep.equal(['_id', 'a', 'd', 'b']);
      for (const time of [found?.['a'], found?.['b'].c]) {
        expect(time).to.be.instanceOf(Date);
        expect(time.getTime()).to.be.within(from, Date.now() + 120_000);
      }
      expect(found?.['d']).to.be.instanceOf(Timestamp);
    });

    updates(target, [
      [{ a: 1 }, { $currentDate: { a: { $type: 'time' } } }, 2],
      [{ a: 1 }, { $currentDate: { a: 1 } }, 2],
      [{ a: 1 }, { $currentDate: { 'a.b': true } }, 28],
    ]);
  });

  describe('$bit', () =>
    updates(target, [
      [{ a: 13 }, { $bit: { a: { and: 10 } } }, { a: 8 }],
      [{ a: 3 }, { $bit: { a: { or: 5 } } }, { a: 7 }],
      [{ a: 1 }, { $bit: { a: { xor: 5 } } }, { a: 4 }],
      [{ a: 13 }, { $bit: { a: { and: long('10') } } }, { a: long('8') }],
      [{ a: long('4294967297') }, { $bit: { a: { or: 2 } } }, { a: long('4294967299') }],
      [{}, { $bit: { a: { or: 5 } } }, { a: 5 }],
      [{ a: 1.5 }, { $bit: { a: { or: 1 } } }, 2],
      [{ a: 'text' }, { $bit: { a: { or: 1 } } }, 2],
      [{ a: 1 }, { $bit: { a: { or: 1.5 } } }, 2],
      [{ a: 1 }, { $bit: { a: { nand: 1 } } }, 2],
    ]));

  describe('several operators', () =>
    updates(target, [
      [
        { a: 1, b: 2, c: [1] },
        { $set: { d: 4 }, $inc: { a: 1 }, $unset: { b: '' }, $push: { c: 2 } },
        { a: 2, c: [1, 2], d: 4 },
      ],
      [{ a: { b: 1, c: 1 } }, { $set: { 'a.b': 2 }, $inc: { 'a.c': 1 } }, { a: { b: 2, c: 2 } }],
      [{ a: 1 }, { $set: { a: 1 }, $inc: { a: 1 } }, 40],
      [{ a: { b: 1 } }, { $set: { a: 1, 'a.b': 1 } }, 40],
      [{ a: { b: 1 } }, { $set: { 'a.b.c': 1 }, $unset: { 'a.b': '' } }, 40],
      [{ a: 1 }, { $set: { b: 1 }, $inc: { a: 'x' } }, 14],
      [{ a: 'x' }, { $set: { b: 1 }, $inc: { a: 1 } }, 14],
      [{ a: 1 }, { $noSuchOperator: { a: 1 } }, 9],
      [{ a: 1 }, { $set: { a: 2 }, b: 1 }, 9],
    ]));

  describe('replacement', () => {
    it('keeps the _id and nothing else', async () => {
      const replaced = target().collection('replaced');
      await replaced.insertOne({ _id: 1, a: 1, b: 2 });
      const once = await replaced.replaceOne({ a: 1 }, { c: 3 });
      expect([once.matchedCount, once.modifiedCount]).to.deep.equal([1, 1]);
      expect(await replaced.find().toArray()).to.deep.equal([{ _id: 1, c: 3 }]);
      const again = await replaced.replaceOne({ _id: 1 }, { c: 3 });
      expect([again.matchedCount, again.modifiedCount]).to.deep.equal([1, 0]);
      await replaced.replaceOne({ _id: 1 }, { _id: 1, d: 4 });
      expect(await replaced.find().toArray()).to.deep.equal([{ _id: 1, d: 4 }]);
      await replaced.replaceOne({ _id: 1 }, {});
      expect(await replaced.find().toArray()).to.deep.equal([{ _id: 1 }]);
    });

    it('with another _id is refused with 66', async () => {
      const replaced = target().collection('replaced');
      await replaced.insertOne({ _id: 1, a: 1 });
      expect((await failure(replaced.replaceOne({ a: 1 }, { _id: 2, a: 2 } as object))).code).to.equal(66);
      expect(await replaced.find().toArray()).to.deep.equal([{ _id: 1, a: 1 }]);
    });

    it('of many at once is refused with 9', async () => {
      const { db, fresh } = target();
      const name = fresh('replaced');
      const update = { update: name, updates: [{ q: {}, u: { a: 1 }, multi: true }] };
      const { writeErrors } = await db.command(update);
      expect(writeErrors.map(({ index, code }: { index: number; code: number }) => [index, code])).to.deep.equal([
        [0, 9],
      ]);
    });
  });

  describe('of many documents', () => {
    it('change each, and count the found and the changed', async () => {
      const many = target().collection('many');
      await many.insertMany([1, 2, 3, 4].map((_id) => ({ _id, even: _id % 2 === 0, tag: _id === 4 ? 'x' : 'y' })));
      const evens = await many.updateMany({ even: true }, { $set: { tag: 'x' } });
      expect([evens.matchedCount, evens.modifiedCount, evens.upsertedCount]).to.deep.equal([2, 1, 0]);
      const one = await many.updateOne({ even: false }, { $set: { tag: 'z' } });
      expect([one.matchedCount, one.modifiedCount]).to.deep.equal([1, 1]);
      expect(await many.countDocuments({ tag: 'z' })).to.equal(1);
      const none = await many.updateMany({ even: 'none' }, { $set: { tag: 'x' } });
      expect([none.matchedCount, none.modifiedCount]).to.deep.equal([0, 0]);
    });

    it('may move a document that the filter reads, and change each once', async () => {
      const many = target().collection('many');
      await many.createIndex({ n: 1 });
      await many.insertMany(Array.from({ length: 300 }, (_, n) => ({ _id: n, n })));
      const { modifiedCount } = await many.updateMany({ n: { $gte: 100 } }, { $inc: { n: 1000 } });
      expect(modifiedCount).to.equal(200);
      expect(await many.countDocuments({ n: { $gte: 1100, $lt: 1300 } })).to.equal(200);
    });
  });
});
