import { expect } from 'chai';
import {
  Binary,
  BSON,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  Double,
  type Filter,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from 'mongodb';
import { type Doc, describeTargets } from './document-store-targets.js';
import { storedText, textOf, textsOf } from './exact-documents.js';

const exactly = (value: unknown) => BSON.EJSON.stringify(value, { relaxed: false });
const id = new ObjectId('0123456789abcdef01234567');

describeTargets('documents', (target) => {
  describe('keep their bytes', () => {
    const values: unknown[] = [
      new Int32(1),
      new Int32(-2147483648),
      new Double(1),
      new Double(-0),
      new Double(Number.NaN),
      new Double(Number.NEGATIVE_INFINITY),
      new Double(5e-324),
      new Double(0.1),
      Long.fromString('9223372036854775807'),
      Long.fromString('-9223372036854775808'),
      Long.fromString('9007199254740993'),
      new Decimal128('29.90'),
      new Decimal128('0E-6176'),
      new Decimal128('-9.999999999999999999999999999999999E+6144'),
      new Decimal128('NaN'),
      new Decimal128('-Infinity'),
      '',
      'zero\0inside',
      'Ünïcødé 流 🛒 e\u0301',
      true,
      false,
      null,
      new Date(0),
      new Date(-1),
      new Date(253402300800000),
      id,
      new Binary(Buffer.from([1, 2, 3]), 0),
      new Binary(Buffer.from([]), 128),
      new UUID('0123abcd-4567-89ab-cdef-0123456789ab'),
      new BSONRegExp('a.b', 'im'),
      new Timestamp({ t: 4294967295, i: 2 }),
      new MinKey(),
      new MaxKey(),
      new Code('return 1'),
      new Code('return a', { a: 1 }),
      new BSONSymbol('symbol'),
      new DBRef('other', id),
      [],
      {},
      [1, [2, [3, {}]], null],
      { nested: { nested: [{ nested: 1 }] } },
      { '': 'an empty name', 'ключ 🗝': 1, 'with space': 2 },
    ];
    values.forEach((value, _id) => {
      it(exactly(value), async () => {
        const kept = target().collection('types');
        const document = { _id, before: 1, value, after: { value } };
        await kept.insertOne(document);
        expect(await storedText(kept, _id)).to.equal(textOf(document));
      });
    });

    it('when they are replaced, and found by another field', async () => {
      const kept = target().collection('types');
      const document = { _id: 'x', list: values, value: Long.fromNumber(1) };
      await kept.insertOne({ _id: 'x' });
      await kept.replaceOne({ _id: 'x' }, document);
      expect(await textsOf(kept.find({ value: 1 }, { raw: true }))).to.deep.equal([textOf(document)]);
    });
  });

  it('keep the order of their fields, and names that are numbers', async () => {
    const kept = target().collection('order');
    const names = ['_id', 'zebra', '10', 'apple', '2', 'Zebra', 'a'];
    await kept.insertOne(new Map<string, unknown>(names.map((name) => [name, name])) as unknown as Doc);
    const found = (await kept.findOne({}, { raw: true })) as unknown as Uint8Array;
    expect(fieldNames(found)).to.deep.equal(names);
  });

  it('have their _id first, wherever the client put it', async () => {
    const kept = target().collection('first');
    await kept.insertOne({ a: 1, b: 2, _id: 'late' } as Doc);
    expect(await storedText(kept, 'late')).to.equal(textOf({ _id: 'late', a: 1, b: 2 }));
  });

  it('get an ObjectId where they have no _id, also when the client made none', async () => {
    const { db, fresh } = target();
    const name = fresh('ids');
    const client = db.collection(name);
    await client.insertOne({ a: 1 }, { forceServerObjectId: true });
    await db.command({ insert: name, documents: [{ a: 2 }] });
    const ids = (await client.find().toArray()).map(({ _id }) => _id);
    expect(ids).to.have.length(2);
    for (const made of ids) expect(made).to.be.instanceOf(ObjectId);
  });

  describe('have an _id', () => {
    const ids: unknown[] = [
      'text',
      7,
      Long.fromNumber(8),
      new Double(1.5),
      new Decimal128('2.50'),
      id,
      new Date(5),
      true,
      { b: 1, a: 2 },
      new Binary(Buffer.from([9]), 0),
      new MinKey(),
    ];
    for (const _id of ids) {
      it(`as ${exactly(_id)}`, async () => {
        const kept = target().collection('ids');
        await kept.insertOne({ _id, a: 1 } as Doc);
        expect(await storedText(kept, _id)).to.equal(textOf({ _id, a: 1 }));
        expect((await kept.deleteOne({ _id } as Filter<Doc>)).deletedCount).to.equal(1);
      });
    }
  });

  it('hold whole numbers of 64 bits exactly, as Long and as bigint', async () => {
    const kept = target().collection('longs');
    await kept.insertMany([
      { _id: 1, n: 9007199254740993n },
      { _id: 2, n: Long.fromString('9007199254740992') },
      { _id: 3, n: 9007199254740992 },
    ]);
    expect(await kept.findOne({ n: 9007199254740993n }, { useBigInt64: true })).to.deep.equal({
      _id: 1,
      n: 9007199254740993n,
    });
    expect(await kept.countDocuments({ n: Long.fromString('9007199254740992') })).to.equal(2);
    expect(await kept.countDocuments({ n: { $gt: 9007199254740992 } })).to.equal(1);
    await kept.updateOne({ _id: 1 }, { $inc: { n: 1n } });
    expect((await kept.findOne({ _id: 1 }, { useBigInt64: true }))?.['n']).to.equal(9007199254740994n);
  });
});

function fieldNames(bytes: Uint8Array): string[] {
  return [...BSON.onDemand.parseToElements(bytes)].map(([, start, length]) =>
    Buffer.from(bytes).toString('utf8', start, start + length),
  );
}
