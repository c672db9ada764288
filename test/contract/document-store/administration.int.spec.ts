import { expect } from 'chai';
import { Binary, BSON } from 'mongodb';
import { failure } from '../../../embedded/document-store-server/test-server.js';
import { describeTargets } from './document-store-targets.js';

describeTargets('administration', (target) => {
  const documents = Array.from({ length: 20 }, (_, _id) => ({ _id, a: `value ${_id}`, b: _id % 3 }));
  const bytes = documents.reduce((sum, document) => sum + BSON.calculateObjectSize(document), 0);

  it('collStats and dbStats tell what is stored', async () => {
    const db = target().database('stats');
    const stock = db.collection<{ _id: number }>('stock');
    await stock.insertMany(documents);
    await stock.createIndex({ a: 1 });
    const stats = await db.command({ collStats: 'stock' });
    expect([stats['ns'], stats['count'], stats['size'], stats['nindexes']]).to.deep.equal([
      `${db.databaseName}.stock`,
      20,
      bytes,
      2,
    ]);
    expect(stats['avgObjSize']).to.be.closeTo(bytes / 20, 1);
    expect(stats['indexSizes']).to.have.all.keys('_id_', 'a_1');
    await db.collection('other').insertOne({});
    const { db: name, collections, objects, indexes, dataSize } = await db.command({ dbStats: 1 });
    expect([name, collections, objects, indexes]).to.deep.equal([db.databaseName, 2, 21, 3]);
    expect(dataSize).to.be.greaterThan(bytes);
  });

  describe('renameCollection', () => {
    it('moves documents and indexes', async () => {
      const db = target().database('renamed');
      await db.collection<{ _id: number }>('before').insertMany(documents);
      await db.collection('before').createIndex({ a: 1 }, { unique: true });
      await db.renameCollection('before', 'after');
      expect((await db.listCollections().toArray()).map(({ name }) => name)).to.deep.equal(['after']);
      expect(await db.collection('after').countDocuments({ a: 'value 7' }, { hint: 'a_1' })).to.equal(1);
      expect((await failure(db.collection('after').insertOne({ a: 'value 7' }))).code).to.equal(11000);
      expect(await db.collection('before').countDocuments()).to.equal(0);
    });

    it('takes a name that is in use only where that collection may be dropped', async () => {
      const db = target().database('renamed');
      await db.collection<{ _id: number }>('one').insertOne({ _id: 1 });
      await db.collection<{ _id: number }>('two').insertOne({ _id: 2 });
      expect((await failure(db.renameCollection('one', 'two'))).code).to.equal(48);
      expect((await failure(db.renameCollection('absent', 'three'))).code).to.equal(26);
      await db.renameCollection('one', 'two', { dropTarget: true });
      expect(await db.collection('two').find().toArray()).to.deep.equal([{ _id: 1 }]);
    });
  });

  it('collMod changes when documents expire', async () => {
    const { db } = target();
    const name = target().fresh('expiring');
    await db.collection(name).createIndex({ at: 1 }, { expireAfterSeconds: 3600 });
    await db.collection(name).createIndex({ other: 1 });
    const index = { keyPattern: { at: 1 }, expireAfterSeconds: 60 };
    const { expireAfterSeconds_old, expireAfterSeconds_new } = await db.command({ collMod: name, index });
    expect([expireAfterSeconds_old, expireAfterSeconds_new]).to.deep.equal([3600, 60]);
    const made = await db.command({ collMod: name, index: { name: 'other_1', expireAfterSeconds: 5 } });
    expect(made['expireAfterSeconds_new']).to.equal(5);
    const expiries = (await db.collection(name).indexes()).map((listed) => listed['expireAfterSeconds']);
    expect(expiries).to.deep.equal([undefined, 60, 5]);
    const absent = { collMod: name, index: { name: 'absent', expireAfterSeconds: 5 } };
    expect((await failure(db.command(absent))).code).to.equal(27);
    expect((await failure(db.command({ ...absent, collMod: target().fresh('absent') }))).code).to.equal(26);
  });

  it('sessions are started, renewed and ended by command', async () => {
    const { db } = target();
    const { id, timeoutMinutes } = await db.command({ startSession: 1 });
    expect(timeoutMinutes).to.equal(30);
    expect(id.id).to.be.instanceOf(Binary);
    expect((await db.command({ refreshSessions: [id] }))['ok']).to.equal(1);
    expect((await db.command({ endSessions: [id] }))['ok']).to.equal(1);
  });

  it('connectionStatus, hostInfo and getParameter answer', async () => {
    const admin = target().client.db('admin');
    const { authInfo } = await admin.command({ connectionStatus: 1 });
    expect(authInfo).to.include.keys('authenticatedUsers', 'authenticatedUserRoles');
    const { system, os } = await admin.command({ hostInfo: 1 });
    expect([system.cpuAddrSize, system.numCores > 0, typeof os.type]).to.deep.equal([64, true, 'string']);
    const { featureCompatibilityVersion } = await admin.command({ getParameter: 1, featureCompatibilityVersion: 1 });
    expect(featureCompatibilityVersion.version).to.equal('7.0');
  });
});
