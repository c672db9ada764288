import { expect } from 'chai';
import { type Document, Double, Int32, Long } from 'mongodb';
import { failure, startTestServer, type TestServer } from './test-server.js';

interface Counted {
  _id: bigint;
  n: bigint;
}

const least = -(2n ** 63n);
const most = 2n ** 63n - 1n;
const beyondDoubles = 2n ** 53n + 1n;
/** In order; neighbours that doubles cannot tell apart among them. */
const values = [
  least,
  least + 1n,
  -beyondDoubles,
  -beyondDoubles + 1n,
  -1n,
  0n,
  1n,
  beyondDoubles - 1n,
  beyondDoubles,
  beyondDoubles + 1n,
  most - 1n,
  most,
];
const exactly = { useBigInt64: true };

describe('whole numbers of 64 bits', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.stop());
  const counted = () => server.db.collection<Counted>('counted', exactly);

  for (const indexed of [false, true]) {
    describe(indexed ? 'with indexes' : 'without indexes', () => {
      beforeEach(async () => {
        await counted().drop();
        if (indexed) {
          await counted().createIndex({ n: 1 }, { unique: true });
          await counted().createIndex({ _id: -1, n: -1 });
        }
        await counted().insertMany([...values].reverse().map((n) => ({ _id: n, n })));
      });

      it('come back as bigint and as Long, one by one, by _id and by value', async () => {
        for (const n of values) {
          expect(await counted().findOne({ _id: n })).to.deep.equal({ _id: n, n });
          expect(await counted().find({ n }).toArray()).to.deep.equal([{ _id: n, n }]);
          const asLong = await server.db
            .collection<{ _id: Long }>('counted', { promoteLongs: false })
            .findOne({ _id: Long.fromBigInt(n) });
          expect(asLong?._id).to.deep.equal(Long.fromBigInt(n));
        }
        expect(await counted().findOne({ n: 2n ** 53n + 3n })).to.equal(null);
      });

      it('are in order, and ranges end between neighbours', async () => {
        const idsOf = async (filter: Document, direction: 1 | -1 = 1) =>
          (await counted().find(filter).sort({ n: direction }).toArray()).map(({ _id }) => _id);
        expect(await idsOf({})).to.deep.equal(values);
        expect(await idsOf({}, -1)).to.deep.equal([...values].reverse());
        for (const [at, n] of values.entries()) {
          expect(await idsOf({ n: { $gt: n } }), `> ${n}`).to.deep.equal(values.slice(at + 1));
          expect(await idsOf({ _id: { $lte: n } }), `<= ${n}`).to.deep.equal(values.slice(0, at + 1));
        }
        expect(await idsOf({ n: { $in: [most, beyondDoubles, 5n] } })).to.deep.equal([beyondDoubles, most]);
        expect(await idsOf({ n: { $nin: values.slice(1) } })).to.deep.equal([least]);
      });

      it('equal the double and the int32 of the same value, and no other', async () => {
        const count = (n: unknown) => counted().countDocuments({ n: n as bigint });
        expect(await count(new Double(2 ** 53))).to.equal(1);
        expect(await counted().countDocuments({ n: { $gt: new Double(2 ** 53) as unknown as bigint } })).to.equal(4);
        expect(await count(new Double(2 ** 63))).to.equal(0);
        expect(await count(new Double(-(2 ** 63)))).to.equal(1);
        expect(await count(new Int32(-1))).to.equal(1);
        expect(await counted().countDocuments({ n: { $lt: new Double(2 ** 63) as unknown as bigint } })).to.equal(12);
      });

      it('are counted on exactly, up to their end and not beyond', async () => {
        const raised = async (id: bigint, by: unknown) =>
          (await counted().findOneAndUpdate({ _id: id }, { $inc: { n: by as Long } }, { returnDocument: 'after' }))?.n;
        expect(await raised(beyondDoubles, Long.fromNumber(100))).to.equal(beyondDoubles + 100n);
        expect(await raised(beyondDoubles, 1)).to.equal(beyondDoubles + 101n);
        expect(await raised(most - 1n, -1)).to.equal(most - 2n);
        for (const [id, by] of [
          [most, 1],
          [least, -1],
          [least, Long.MIN_VALUE],
        ] as const) {
          expect((await failure(raised(id, by))).code, `${id} and ${by}`).to.equal(2);
          expect((await counted().findOne({ _id: id }))?.n).to.equal(id);
        }
        await counted().updateOne({ _id: 42n }, { $inc: { n: Long.fromBigInt(most - 9n) } }, { upsert: true });
        expect(await raised(42n, 5)).to.equal(most - 4n);
        const intoAnother = raised(0n, 1);
        if (indexed) expect((await failure(intoAnother)).code).to.equal(11000);
        else expect(await intoAnother).to.equal(1n);
      });
    });
  }

  it('of all number types are one _id and one key of a unique index', async () => {
    const mixed = server.db.collection<Document>('mixed');
    await mixed.createIndex({ n: 1 }, { unique: true });
    await mixed.insertOne({ _id: Long.fromNumber(5) as unknown as never, n: Long.fromNumber(7) });
    for (const document of [
      { _id: 5, n: 1 },
      { _id: new Double(5), n: 2 },
      { _id: 'other', n: 7 },
      { _id: 'other', n: new Double(7) },
    ]) {
      expect((await failure(mixed.insertOne(document as Document))).code, JSON.stringify(document)).to.equal(11000);
    }
    expect(await mixed.countDocuments({ _id: 5 as unknown as never })).to.equal(1);
  });
});
