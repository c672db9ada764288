import { expect } from 'chai';
import { type Document, Long } from 'mongodb';
import { expectRefusals, failure, startTestServer, type TestServer } from '../test-server.js';

interface Doc extends Document {
  _id: string | number;
}

describe('commands of the document store', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
    await server.db.collection<Doc>('items').insertMany([
      { _id: 1, n: 1, tags: ['a', 'b'] },
      { _id: 2, n: 2.5, tags: ['b'] },
      { _id: 3, n: 1 },
    ]);
  });
  after(() => server.stop());

  const run = (command: Document, database = 'shop') => server.client.db(database).command(command);
  const admin = (command: Document) => run(command, 'admin');

  describe('arguments', () => {
    it('refuses unknown, missing and wrong fields by name', async () => {
      await expectRefusals(server, [
        [{ find: 'items', strange: 1 }, 40415],
        [{ find: 'items', filter: [] }, 14],
        [{ find: 'items', sort: 'n' }, 14],
        [{ find: 'items', skip: -1 }, 51024],
        [{ find: 'items', limit: 'x' }, 14],
        [{ find: 'items', singleBatch: 'x' }, 14],
        [{ distinct: 'items' }, 40414],
        [{ insert: 'items' }, 40414],
        [{ delete: 'items', deletes: [{ q: {} }] }, 40414],
        [{ update: 'items', updates: {} }, 14],
        [{ find: 'items', allowDiskUse: 'x' }, 14],
        [{ find: 'items', hint: 5 }, 9],
        [{ find: 'items', $readPreference: { mode: 'first' } }, 9],
        [{ createIndexes: 'items', indexes: [{ key: { n: 1 }, name: 'n', v: 1 }] }, 67],
        [{ noSuchCommand: 1 }, 59],
      ]);
      expect((await failure(run({ find: 'items', strange: 1 })))['codeName']).to.equal('IDLUnknownField');
      expect((await failure(run({ distinct: 'items' })))['codeName']).to.equal('IDLFailedToParse');
    });

    it('does none of the statements when one of them is malformed', async () => {
      const good = { q: { _id: 1 }, u: { $set: { seen: true } } };
      for (const bad of [{ u: 5 }, { hint: 5 }, { strange: 1 }, { multi: 'x' }]) {
        const err = await failure(run({ update: 'items', updates: [good, { ...good, ...bad }] }));
        expect(err.code).to.be.oneOf([9, 14, 40415]);
      }
      expect(await server.db.collection('items').countDocuments({ seen: true })).to.equal(0);
    });

    it('takes null for absent, and numbers of any type, cut to whole ones', async () => {
      const found = await run({ find: 'items', filter: null, sort: { _id: 1 }, skip: 1.9, limit: Long.fromNumber(1) });
      expect(found['cursor'].firstBatch.map(({ _id }: Document) => _id)).to.deep.equal([2]);
    });

    it('refuses names that no database or collection can have', async () => {
      await expectRefusals(server, [
        [{ find: '' }, 73],
        [{ find: '.x' }, 73],
        [{ find: 'a$b' }, 73],
        [{ find: 5 }, 73],
        [{ create: 'system.users' }, 73],
        [{ create: 'x'.repeat(255) }, 73],
      ]);
    });

    it('names the option it refuses and those it has', async () => {
      const err = await failure(run({ find: 'items', returnKey: true, limit: 1 }));
      expect(err.code).to.equal(72);
      expect(err.message).to.match(/returnKey.*supported: .*batchSize.*limit/);
      await expectRefusals(server, [
        [{ find: 'items', collation: { locale: 'de' } }, 72],
        [{ find: 'items', min: { n: 1 } }, 72],
        [{ find: 'items', tailable: true }, 72],
        [{ count: 'items', collation: { locale: 'simple', strength: 1 } }, 72],
        [{ create: 'views', viewOn: 'items', pipeline: [] }, 72],
        [{ create: 'checked', validator: { n: 1 } }, 72],
        [{ create: 'logs', capped: true, size: 1 }, 72],
      ]);
    });

    it('takes the collation that compares as without one', async () => {
      const collation = { locale: 'simple' };
      expect(await server.db.collection('items').countDocuments({ n: 1 }, { collation })).to.equal(2);
      expect(await server.db.collection('items').distinct('n', {}, { collation })).to.deep.equal([1, 2.5]);
    });
  });

  describe('what a client asks at connect', () => {
    it('hello says a standalone server of version 7.0', async () => {
      const said = await admin({ hello: 1 });
      const { isWritablePrimary, maxWireVersion, maxBsonObjectSize, maxMessageSizeBytes, maxWriteBatchSize } = said;
      expect([
        isWritablePrimary,
        maxWireVersion,
        maxBsonObjectSize,
        maxMessageSizeBytes,
        maxWriteBatchSize,
      ]).to.deep.equal([true, 21, 16_777_216, 48_000_000, 100_000]);
      expect(said).to.not.have.any.keys('setName', 'topologyVersion', 'ismaster', 'helloOk', 'msg', 'serviceId');
      const legacy = await admin({ isMaster: 1, helloOk: true });
      expect([legacy['ismaster'], legacy['helloOk'], legacy['isWritablePrimary']]).to.deep.equal([
        true,
        true,
        undefined,
      ]);
    });

    it('buildInfo, getParameter and hostInfo agree with it', async () => {
      const { version, versionArray, bits } = await admin({ buildInfo: 1 });
      expect([version, versionArray, bits]).to.deep.equal(['7.0.0', [7, 0, 0, 0], 64]);
      const fcv = await admin({ getParameter: 1, featureCompatibilityVersion: 1 });
      expect(fcv['featureCompatibilityVersion']).to.deep.equal({ version: '7.0' });
      await expectRefusals(server, [
        [{ getParameter: 1, strange: 1 }, 72, 'admin'],
        [{ getParameter: 1, featureCompatibilityVersion: 1 }, 13],
      ]);
      expect((await admin({ hostInfo: 1 }))['system'].numCores).to.be.greaterThan(0);
    });

    it('connectionStatus and serverStatus', async () => {
      const { authInfo } = await admin({ connectionStatus: 1, showPrivileges: true });
      expect(authInfo.authenticatedUsers).to.deep.equal([]);
      const { connections, version } = await admin({ serverStatus: 1, repl: 0 });
      expect([connections.current > 0, version]).to.deep.equal([true, '7.0.0']);
    });
  });

  describe('collections', () => {
    it('listDatabases, dbStats and collStats count what is stored', async () => {
      const small = await run({ collStats: 'items' });
      expect([small['ns'], small['count'], small['nindexes'], small['capped']]).to.deep.equal([
        'shop.items',
        3,
        1,
        false,
      ]);
      expect(small['avgObjSize']).to.equal(Math.trunc(small['size'] / 3));
      expect(small['totalSize']).to.equal(small['storageSize'] + small['indexSizes']._id_);
      await server.db.collection('sized').insertOne({ pad: 'x'.repeat(10_000) });
      await server.db.collection('sized').createIndex({ pad: 1 }, { name: 'pads' });
      const large = await run({ collStats: 'sized', scale: 1000 });
      expect([large['size'], large['indexSizes'].pads > 0, large['scaleFactor']]).to.deep.equal([10, true, 1000]);
      expect((await run({ collStats: 'none' }))['count']).to.equal(0);
      const stats = await run({ dbStats: 1 });
      const { databases, totalSize } = await admin({ listDatabases: 1, filter: { name: 'shop' } });
      expect(databases).to.deep.equal([{ name: 'shop', sizeOnDisk: stats['totalSize'], empty: false }]);
      expect([totalSize, stats['objects'] >= 4, stats['fsTotalSize'] > 0]).to.deep.equal([
        stats['totalSize'],
        true,
        true,
      ]);
      expect((await admin({ listDatabases: 1, nameOnly: true }))['databases'][0]).to.deep.equal({ name: 'shop' });
      await expectRefusals(server, [
        [{ listDatabases: 1 }, 13],
        [{ collStats: 'items', scale: 0 }, 51024],
      ]);
    });

    it('renameCollection moves documents and indexes, and ends cursors', async () => {
      const before = server.db.collection<Doc>('before');
      await before.insertMany(Array.from({ length: 200 }, (_, _id) => ({ _id, n: _id % 7 })));
      await before.createIndex({ n: 1 });
      const cursor = before.find().batchSize(2);
      await cursor.next();
      await admin({ renameCollection: 'shop.before', to: 'other.after' });
      const after = server.client.db('other').collection<Doc>('after');
      expect([await after.countDocuments({ n: 3 }), await before.countDocuments()]).to.deep.equal([29, 0]);
      expect((await after.indexes()).map(({ name }) => name)).to.deep.equal(['_id_', 'n_1']);
      expect((await failure(cursor.toArray())).code).to.equal(175);
      await server.db.createCollection('in-the-way');
      await expectRefusals(server, [
        [{ renameCollection: 'shop.none', to: 'shop.x' }, 26, 'admin'],
        [{ renameCollection: 'other.after', to: 'shop.in-the-way' }, 48, 'admin'],
        [{ renameCollection: 'other.after', to: 'other.after' }, 20, 'admin'],
        [{ renameCollection: 'other.after', to: 'other.system.x' }, 73, 'admin'],
        [{ renameCollection: 'nodot', to: 'other.x' }, 73, 'admin'],
        [{ renameCollection: 'other.after', to: 'other.x' }, 13],
      ]);
      await admin({ renameCollection: 'other.after', to: 'shop.in-the-way', dropTarget: true });
      expect(await server.db.collection('in-the-way').countDocuments()).to.equal(200);
      await server.restart();
      expect(await server.db.collection('in-the-way').countDocuments()).to.equal(200);
    });

    it('listCollections filters by name, type and options', async () => {
      const names = async (filter: Document) =>
        (await server.db.listCollections(filter, { nameOnly: true }).toArray()).map(({ name }) => name);
      expect(await names({ name: /^it/ })).to.deep.equal(['items']);
      expect(await names({ name: { $in: ['items', 'none'] }, type: 'collection' })).to.deep.equal(['items']);
      expect(await names({ type: 'view' })).to.deep.equal([]);
    });

    it('dropDatabase spares admin', async () => {
      await expectRefusals(server, [[{ dropDatabase: 1 }, 20, 'admin']]);
      expect(await run({ dropDatabase: 1 }, 'nothing')).to.deep.equal({ ok: 1 });
    });
  });

  describe('find', () => {
    it('gives documents as they lie, or the other way round, by hint and sort of $natural', async () => {
      const lying = server.db.collection<Doc>('lying');
      await lying.insertMany([5, 3, 9].map((_id) => ({ _id })));
      await lying.updateOne({ _id: 5 }, { $set: { grown: 'x'.repeat(1000) } });
      const ids = async (more: Document) =>
        (await run({ find: 'lying', projection: { _id: 1 }, ...more }))['cursor'].firstBatch.map(({ _id }: Doc) => _id);
      expect(await ids({ sort: { $natural: 1 } })).to.deep.equal([5, 3, 9]);
      expect(await ids({ sort: { $natural: -1 }, limit: 2 })).to.deep.equal([9, 3]);
      expect(await ids({ hint: { $natural: -1 }, filter: { _id: { $lt: 9 } } })).to.deep.equal([3, 5]);
      expect(await ids({ hint: { $natural: -1 }, sort: { _id: 1 } })).to.deep.equal([3, 5, 9]);
      await expectRefusals(server, [
        [{ find: 'lying', sort: { $natural: 2 } }, 2],
        [{ find: 'lying', sort: { $natural: 1, _id: 1 } }, 2],
        [{ find: 'lying', sort: { $natural: 1 }, hint: '_id_' }, 2],
        [{ aggregate: 'lying', pipeline: [{ $sort: { $natural: 1 } }], cursor: {} }, 16410],
      ]);
    });

    it('getMore reads a cursor on in the session it was opened in alone', async () => {
      const one = server.client.startSession();
      const other = server.client.startSession();
      const open = async () => (await server.db.command({ find: 'many', batchSize: 1 }, { session: one }))['cursor'].id;
      await server.db.collection<Doc>('many').insertMany(Array.from({ length: 5 }, (_, _id) => ({ _id })));
      const command = { getMore: await open(), collection: 'many' };
      expect((await failure(server.db.command(command, { session: other }))).code).to.equal(50738);
      const { cursor } = await server.db.command(command, { session: one });
      expect(cursor.nextBatch).to.have.length(4);
      await Promise.all([one.endSession(), other.endSession()]);
    });
  });

  describe('counts', () => {
    it('count takes skip, and a limit of either sign', async () => {
      const count = async (more: Document) => (await run({ count: 'items', ...more }))['n'];
      expect(await count({})).to.equal(3);
      expect(await count({ skip: 1 })).to.equal(2);
      expect(await count({ query: { n: 1 }, limit: -1 })).to.equal(1);
      expect(await count({ query: { n: 1 }, limit: Long.fromNumber(5), skip: 1 })).to.equal(1);
      expect(await count({ query: {}, limit: 2 })).to.equal(2);
      await expectRefusals(server, [
        [{ count: 'items', skip: -1 }, 51024],
        [{ count: 'items', query: 1 }, 14],
      ]);
    });

    it('distinct tells values, not their arrays, up to 16 MB', async () => {
      expect((await run({ distinct: 'items', key: 'tags' }))['values']).to.deep.equal(['a', 'b']);
      expect((await run({ distinct: 'none', key: 'tags' }))['values']).to.deep.equal([]);
      const pads = server.db.collection<Doc>('pads');
      for (let _id = 0; _id < 6; _id++) await pads.insertOne({ _id, pad: `${_id}${'x'.repeat(3_000_000)}` });
      expect(await pads.distinct('pad', { _id: { $lt: 5 } })).to.have.length(5);
      await expectRefusals(server, [
        [{ distinct: 'pads', key: 'pad' }, 17217],
        [{ distinct: 'items', key: 'n', hint: 'n_1' }, 40415],
      ]);
    });
  });
});
