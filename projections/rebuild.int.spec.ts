import { expect } from 'chai';
import type { DocumentStore } from '../runtime/document-store/connect.js';
import { readModelId } from '../runtime/document-store/read-model.js';
import { silentLogger } from '../runtime/logger.js';
import { openActs } from './acts.js';
import { allProjections } from './all-projections.js';
import { type RunningProjections, startProjections } from './projector.js';
import { orderOf } from './spec-histories.js';
import { appendAll, startServers, until } from './spec-servers.js';
import { confirmedOrder, declinedOrder, soldProduct } from './spec-stories.js';

describe('a read model that is gone', function () {
  this.timeout(20_000);
  let servers: Awaited<ReturnType<typeof startServers>>;
  let store: DocumentStore;
  const running = new Set<RunningProjections>();

  before(async () => {
    servers = await startServers();
    await appendAll(
      servers.eventLog,
      ['a', 'b'].flatMap((name) => [...soldProduct(name), ...confirmedOrder(name)]),
    );
    await appendAll(servers.eventLog, declinedOrder('c'));
  });
  beforeEach(async () => {
    store = await servers.freshDatabase();
  });
  afterEach(async () => {
    for (const projector of running) await projector.close();
    running.clear();
    await store.close();
  });
  after(async () => {
    await servers.close();
  });

  const ids = allProjections.map(({ model }) => readModelId(model));
  const open = async (lookEveryMs = 10) => {
    const { eventLog } = servers;
    const projector = await startProjections({
      eventLog,
      db: store.db,
      log: silentLogger,
      projections: allProjections,
      lookEveryMs,
    });
    running.add(projector);
    return projector;
  };
  const caughtUp = async (projector: RunningProjections) => {
    const head = await servers.eventLog.head();
    await until(() => projector.states().every(({ position = -1n, live }) => live && position >= head), `${head}`);
  };
  const everything = async () => {
    const models = ids.map((id) => store.db.collection(id).find().sort({ _id: 1 }).toArray());
    const checkpoints = store.db.collection('checkpoints').find({}, { projection: { collection: 0 } });
    return { models: await Promise.all(models), checkpoints: await checkpoints.sort({ _id: 1 }).toArray() };
  };
  const indexes = (id: string) => store.db.collection(id).indexes();
  const stop = async (projector: RunningProjections) => {
    running.delete(projector);
    await projector.close();
  };
  const projectOnce = async () => {
    const projector = await open();
    await caughtUp(projector);
    const before = await everything();
    return { projector, before };
  };

  it('is folded anew at the start, where the checkpoint says it had been there', async () => {
    const { projector, before } = await projectOnce();
    const had = await indexes('orders-v1');
    await stop(projector);
    await store.db.collection('orders-v1').drop();
    await caughtUp(await open());
    expect(await everything()).to.deep.equal(before);
    expect(await indexes('orders-v1')).to.deep.equal(had);
  });

  it('is folded anew at the start where a checkpoint of an earlier build does not say which collection it stood for', async () => {
    const { projector, before } = await projectOnce();
    await stop(projector);
    await store.db.collection('checkpoints').updateMany({}, { $unset: { collection: '' } });
    await caughtUp(await open());
    expect(await everything()).to.deep.equal(before);
    await Promise.all([...running].map(stop));
    await store.db.collection('checkpoints').updateMany({}, { $unset: { collection: '' } });
    await store.db.collection('orders-v1').drop();
    await caughtUp(await open());
    expect(await everything()).to.deep.equal(before);
  });

  it('is folded anew where the checkpoint went with it', async () => {
    const { projector, before } = await projectOnce();
    await stop(projector);
    await Promise.all([...ids, 'checkpoints'].map((name) => store.db.collection(name).drop()));
    await caughtUp(await open());
    expect(await everything()).to.deep.equal(before);
  });

  it('is folded anew while the projector runs, though live events have begun to fill it again', async () => {
    const { projector } = await projectOnce();
    const had = await indexes('orders-v1');
    await store.db.collection('orders-v1').drop();
    const position = await appendAll(servers.eventLog, [orderOf('a').shipped(), orderOf('d').created()]);
    await until(async () => (await store.db.collection('orders-v1').countDocuments()) === 4, 'all four orders');
    await caughtUp(projector);
    expect(projector.states().map((state) => state.position)).to.deep.equal(ids.map(() => position));
    expect(await indexes('orders-v1')).to.deep.equal(had);
    const now = await everything();
    await stop(projector);
    await Promise.all([...ids, 'checkpoints'].map((name) => store.db.collection(name).drop()));
    await caughtUp(await open());
    expect(await everything()).to.deep.equal(now);
  });

  it('can be asked for, and the others are not held back', async () => {
    const { projector, before } = await projectOnce();
    await store.db.collection('orders-v1').updateMany({}, { $set: { status: 'wrong' } });
    const acts = openActs(store.db);
    const id = await acts.ask('orders-v1', { act: 'rebuild' }, { by: 'ada', why: 'wrong' }, new Date());
    await until(async () => (await acts.read(id))?.state === 'done', 'the rebuild');
    await caughtUp(projector);
    expect(await everything()).to.deep.equal(before);
  });

  it('waits with it while another projector runs, which would write into it', async () => {
    const { projector, before } = await projectOnce();
    const other = await open(3_600_000);
    await caughtUp(other);
    const acts = openActs(store.db);
    const id = await acts.ask('orders-v1', { act: 'rebuild' }, { by: 'ada', why: 'to see' }, new Date());
    await until(async () => (await acts.read(id))?.outcome !== null, 'the answer');
    expect(await acts.read(id)).to.deep.include({ state: 'asked' });
    expect((await acts.read(id))?.outcome).to.have.property('waits_for');
    expect(await everything()).to.deep.equal(before);
    await stop(other);
    await until(async () => (await acts.read(id))?.state === 'done', 'the rebuild');
    await caughtUp(projector);
    expect(await everything()).to.deep.equal(before);
  });
});
