import { expect } from 'chai';
import { type Document, Long, MongoServerError } from 'mongodb';
import { failure } from '../../../embedded/document-store-server/test-server.js';
import { eventually } from '../../support/eventually.js';
import { describeTargets } from './document-store-targets.js';

describeTargets('commands', (target) => {
  const refusal = async (command: Document) => {
    const err = await failure(target().db.command(command));
    expect(err).to.be.instanceOf(MongoServerError);
    return [err.code, err['codeName']];
  };

  it('hello tells of a standalone server that takes writes, and of its limits', async () => {
    for (const name of ['hello', 'isMaster', 'ismaster']) {
      const told = await target().db.command({ [name]: 1 });
      expect(told['ok']).to.equal(1);
      expect(told[name === 'hello' ? 'isWritablePrimary' : 'ismaster']).to.equal(true);
      expect([told['maxBsonObjectSize'], told['maxMessageSizeBytes'], told['maxWriteBatchSize']]).to.deep.equal([
        16777216, 48000000, 100000,
      ]);
      expect([told['minWireVersion'], told['maxWireVersion'], told['readOnly']]).to.deep.equal([0, 21, false]);
      expect(told['logicalSessionTimeoutMinutes']).to.equal(30);
      expect(told['localTime']).to.be.instanceOf(Date);
      expect(told).to.not.have.any.keys('setName', 'hosts', 'msg');
    }
  });

  it('ping, buildInfo and serverStatus answer', async () => {
    const { db } = target();
    expect(await db.command({ ping: 1 })).to.deep.equal({ ok: 1 });
    const { version, versionArray, maxBsonObjectSize, bits } = await db.command({ buildInfo: 1 });
    expect([version.split('.')[0], versionArray[0], maxBsonObjectSize, bits]).to.deep.equal(['7', 7, 16777216, 64]);
    const status = await db.admin().serverStatus();
    expect(status['version']).to.equal(version);
    expect(status['uptime']).to.be.a('number');
    expect(status['connections'].current).to.be.at.least(1);
  });

  it('that are not known are refused with 59', async () => {
    expect(await refusal({ noSuchCommand: 1 })).to.deep.equal([59, 'CommandNotFound']);
    expect(await refusal({ FIND: 'x' })).to.deep.equal([59, 'CommandNotFound']);
    // of a later version than 7.0
    const namespace = `${target().db.databaseName}.later`;
    const later = target().client.bulkWrite([{ name: 'insertOne', namespace, document: {} }]);
    const { cause } = await failure(later);
    expect((cause as { code?: number }).code).to.equal(59);
  });

  it('with fields that are not known are refused with 40415', async () => {
    for (const command of [
      { find: 'x', noSuchField: 1 },
      { insert: 'x', documents: [{}], noSuchField: 1 },
      { update: 'x', updates: [{ q: {}, u: {}, noSuchField: 1 }] },
      // of a later version than 7.0
      { update: 'x', updates: [{ q: {}, u: {}, sort: { a: 1 } }] },
      { delete: 'x', deletes: [{ q: {}, limit: 1 }], noSuchField: 1 },
      { aggregate: 'x', pipeline: [], cursor: {}, noSuchField: 1 },
      { count: 'x', noSuchField: 1 },
      { distinct: 'x', key: 'a', noSuchField: 1 },
    ]) {
      expect((await refusal(command))[0], JSON.stringify(command)).to.equal(40415);
    }
  });

  it('with fields of a wrong type, or without one they need, are refused', async () => {
    const wrong: [Document, number][] = [
      [{ find: 'x', filter: 1 }, 14],
      [{ find: 'x', sort: 'a' }, 14],
      [{ find: 'x', limit: 'a' }, 14],
      [{ insert: 'x', documents: 1 }, 14],
      [{ insert: 'x' }, 40414],
      [{ update: 'x' }, 40414],
      [{ delete: 'x' }, 40414],
      [{ distinct: 'x' }, 40414],
      [{ aggregate: 'x', pipeline: [] }, 9],
    ];
    for (const [command, code] of wrong) expect((await refusal(command))[0], JSON.stringify(command)).to.equal(code);
  });

  describe('sessions', () => {
    it('carry reads and writes, and end', async () => {
      const { client, db } = target();
      const collection = target().collection('sessions');
      const session = client.startSession();
      await collection.insertOne({ _id: 1 }, { session });
      expect(await collection.findOne({ _id: 1 }, { session })).to.deep.equal({ _id: 1 });
      const { id } = session;
      await session.endSession();
      expect((await db.command({ endSessions: [id] }))['ok']).to.equal(1);
      await client.withSession(async (own) => {
        expect(await collection.find({}, { session: own }).batchSize(1).toArray()).to.have.length(1);
      });
    });

    it('have no transactions on a standalone server: 20', async () => {
      const collection = target().collection('transactions');
      const command = { insert: collection.collectionName, documents: [{ _id: 1 }] };
      const transaction = { txnNumber: Long.fromNumber(1), startTransaction: true, autocommit: false };
      expect(await refusal({ ...command, ...transaction })).to.deep.equal([20, 'IllegalOperation']);
      expect(await refusal({ ...command, txnNumber: Long.fromNumber(1) })).to.deep.equal([20, 'IllegalOperation']);
      const session = target().client.startSession();
      session.startTransaction();
      await failure(collection.insertOne({ _id: 1 }, { session }));
      await session.endSession();
      expect(await collection.countDocuments()).to.equal(0);
    });
  });

  describe('write concern', () => {
    it('0 wants no answer, and is written', async () => {
      const silent = target().collection('silent');
      expect((await silent.insertOne({ _id: 1 }, { writeConcern: { w: 0 } })).acknowledged).to.equal(false);
      await eventually('the document', async () => (await silent.countDocuments()) === 1);
      await silent.updateOne({ _id: 1 }, { $set: { a: 1 } }, { writeConcern: { w: 0 } });
      await silent.insertOne({ _id: 1 }, { writeConcern: { w: 0 } });
      await silent.insertMany([{ _id: 2 }, { _id: 3 }], { writeConcern: { w: 0 } });
      await eventually('all documents', async () => (await silent.countDocuments()) === 3);
      expect(await silent.findOne({ _id: 1 })).to.deep.equal({ _id: 1, a: 1 });
    });

    it('1, majority and journaled are met', async () => {
      const collection = target().collection('concerns');
      for (const writeConcern of [{ w: 1 }, { w: 'majority' }, { w: 1, journal: true }] as const) {
        expect((await collection.insertOne({ w: writeConcern.w } as never, { writeConcern })).acknowledged).to.equal(
          true,
        );
      }
      expect(await collection.countDocuments()).to.equal(3);
    });

    it('above 1 is refused with 2 where there is one server, and nothing is written', async () => {
      const collection = target().collection('concerns');
      const err = await failure(collection.insertOne({ _id: 1 }, { writeConcern: { w: 2 } }));
      expect(err.code).to.equal(2);
      expect(await collection.countDocuments()).to.equal(0);
    });
  });

  it('of many clients at the same time are answered each with its own', async () => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => target().connect({ maxPoolSize: 5 }).connect()));
    const collection = target().collection('clients');
    await Promise.all(
      clients.flatMap((client, c) =>
        Array.from({ length: 10 }, async (_, i) => {
          const own = client.db(target().db.databaseName).collection<{ _id: string }>(collection.collectionName);
          await own.insertOne({ _id: `${c}-${i}` });
          expect((await own.findOne({ _id: `${c}-${i}` }))?._id).to.equal(`${c}-${i}`);
        }),
      ),
    );
    expect(await collection.countDocuments()).to.equal(100);
  });
});
