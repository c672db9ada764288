import { expect } from 'chai';
import type { Document } from 'mongodb';
import { failure } from '../../../embedded/document-store-server/test-server.js';
import { describeTargets } from './document-store-targets.js';

describeTargets('collections and databases', (target) => {
  it('come into being by a write, an index or on their own', async () => {
    const db = target().database('made');
    expect(await db.listCollections().toArray()).to.deep.equal([]);
    await db.collection('written').insertOne({ a: 1 });
    await db.collection('indexed').createIndex({ a: 1 });
    await db.createCollection('created');
    await db.collection('upserted').updateOne({ a: 1 }, { $set: { b: 1 } }, { upsert: true });
    await db.collection('read').findOne();
    await db.collection('missed').updateOne({ a: 1 }, { $set: { b: 1 } });
    await db.collection('emptied').deleteMany({});
    const names = (await db.listCollections().toArray()).map(({ name }) => name).sort();
    expect(names).to.deep.equal(['created', 'indexed', 'upserted', 'written']);
    expect(await db.collection('created').countDocuments()).to.equal(0);
  });

  it('are listed with their options and the index on _id, or by name alone, and by filter', async () => {
    const db = target().database('listed');
    for (const name of ['one', 'two', 'three']) await db.createCollection(name);
    const [one] = await db.listCollections({ name: 'one' }).toArray();
    const { type, options, info, idIndex } = one as Document;
    expect([type, options, info['readOnly']]).to.deep.equal(['collection', {}, false]);
    expect(idIndex).to.deep.equal({ v: 2, key: { _id: 1 }, name: '_id_' });
    const names = await db.listCollections({ name: { $in: ['one', 'two'] } }, { nameOnly: true }).toArray();
    expect(names.sort((a, b) => (a.name < b.name ? -1 : 1))).to.deep.equal([
      { name: 'one', type: 'collection' },
      { name: 'two', type: 'collection' },
    ]);
    const batches = await db.listCollections({}, { batchSize: 1 }).toArray();
    expect(batches).to.have.length(3);
  });

  it('are dropped with their documents and indexes', async () => {
    const db = target().database('dropped');
    const gone = db.collection('gone');
    await gone.createIndex({ a: 1 }, { unique: true });
    await gone.insertOne({ a: 1 });
    const dropped = await db.command({ drop: 'gone' });
    expect([dropped['ok'], dropped['nIndexesWas'], dropped['ns']]).to.deep.equal([1, 2, `${db.databaseName}.gone`]);
    expect(await gone.countDocuments()).to.equal(0);
    expect((await failure(gone.indexes())).code).to.equal(26);
    await gone.insertMany([{ a: 1 }, { a: 1 }]);
    expect(await gone.indexes()).to.have.length(1);
  });

  it('of a database are dropped with it, and the others stay', async () => {
    const [one, two] = [target().database('one'), target().database('two')];
    await one.collection('x').insertOne({ a: 1 });
    await one.collection('y').insertOne({ a: 1 });
    await two.collection('x').insertOne({ a: 2 });
    const names = async () => {
      const { databases } = await target().client.db('admin').admin().listDatabases({ nameOnly: true });
      return databases.map(({ name }) => name);
    };
    expect(await names()).to.include.members([one.databaseName, two.databaseName]);
    await one.dropDatabase();
    expect(await names()).to.not.include(one.databaseName);
    expect(await one.listCollections().toArray()).to.deep.equal([]);
    expect(await two.collection('x').countDocuments({ a: 2 })).to.equal(1);
    await one.dropDatabase();
  });

  it('have names in any script', async () => {
    const db = target().database('names');
    for (const name of ['bestellungen-übersicht', '商品', '🛒.items', 'with space', 'a.b.c']) {
      await db.collection(name).insertOne({ name });
      expect((await db.collection(name).findOne())?.['name']).to.equal(name);
    }
    expect(await db.listCollections().toArray()).to.have.length(5);
  });

  it('of one name in two databases are two', async () => {
    const [one, two] = [target().database('one'), target().database('two')];
    await one.collection('same').insertOne({ a: 1 });
    await two.collection('same').createIndex({ a: 1 });
    expect(await two.collection('same').countDocuments()).to.equal(0);
    expect(await one.collection('same').indexes()).to.have.length(1);
  });

  it('with names that cannot be are refused with 73', async () => {
    const { db } = target();
    for (const name of ['', '.begins', 'a$b']) {
      expect((await failure(db.command({ create: name }))).code, name).to.equal(73);
    }
  });
});
