import { expect } from 'chai';
import { Binary, BSON, type Document } from 'mongodb';
import { failure } from '../../../embedded/document-store-server/test-server.js';
import { describeTargets } from './document-store-targets.js';

const most = 16 * 1024 * 1024;

/** A document of exactly so many bytes of BSON. */
function ofSize(size: number, _id: number): Document & { _id: number } {
  const empty = BSON.calculateObjectSize({ _id, pad: new Binary(Buffer.alloc(0)) });
  const document = { _id, pad: new Binary(Buffer.alloc(size - empty, _id)) };
  expect(BSON.calculateObjectSize(document)).to.equal(size);
  return document;
}

describeTargets('large documents', (target) => {
  it('of 16 MB are kept, byte for byte', async () => {
    const large = target().collection('large');
    const document = ofSize(most, 7);
    await target().db.command({ insert: large.collectionName, documents: [document] });
    const found = (await large.findOne({ _id: 7 }, { raw: true })) as unknown as Uint8Array;
    expect(Buffer.compare(found, BSON.serialize(document))).to.equal(0);
  });

  it('of one byte more are refused, and nothing is stored', async () => {
    const large = target().collection('large');
    const insert = target().db.command({ insert: large.collectionName, documents: [ofSize(most + 1, 8)] });
    const outcome = await insert.catch((err: Document) => ({ writeErrors: [err] }));
    expect(outcome['writeErrors']).to.have.length(1);
    expect(await large.countDocuments()).to.equal(0);
  });

  it('that an update would make larger than 16 MB stay as they were', async () => {
    const large = target().collection('large');
    await large.insertOne(ofSize(most - 1000, 1));
    expect((await failure(large.updateOne({ _id: 1 }, { $set: { more: 'x'.repeat(1000) } }))).code).to.be.a('number');
    expect((await failure(large.findOneAndUpdate({ _id: 1 }, { $set: { more: 'x'.repeat(1000) } }))).code).to.be.a(
      'number',
    );
    expect(await large.countDocuments({ more: { $exists: false } })).to.equal(1);
    await large.updateOne({ _id: 1 }, { $set: { more: 'x'.repeat(900) } });
    expect(await large.countDocuments({ more: { $exists: true } })).to.equal(1);
  });

  it('come in several batches where they are together larger than a message', async () => {
    const large = target().collection('large');
    const pad = 'x'.repeat(3_000_000);
    await large.insertMany(Array.from({ length: 9 }, (_, _id) => ({ _id, pad })));
    const found = await large.find().sort({ _id: 1 }).toArray();
    expect(found.map(({ _id, pad: text }) => [_id, text.length])).to.deep.equal(
      Array.from({ length: 9 }, (_, i) => [i, 3_000_000]),
    );
    const { cursor } = await target().db.command({ find: large.collectionName, sort: { _id: 1 } });
    expect(cursor.firstBatch.length).to.equal(5);
  });

  it('of a hundred levels, and of many fields, are kept', async () => {
    const deep = target().collection('deep');
    let level: Document = { bottom: true };
    for (let i = 0; i < 98; i += 1) level = i % 2 === 0 ? { level } : { level: [level] };
    await deep.insertOne({ _id: 1, level });
    const wide: Document = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`field${i}`, i]));
    await deep.insertOne({ _id: 2, wide });
    expect(await deep.findOne({ _id: 1 })).to.deep.equal({ _id: 1, level });
    expect((await deep.findOne({ 'wide.field19999': 19_999 }))?.['wide']).to.deep.equal(wide);
  });
});
