import { expect } from 'chai';
import type { Document } from 'mongodb';
import { eventCatalog } from '../domain/event-catalog.js';
import type { DocumentStore } from '../runtime/document-store/connect.js';
import { readModelId } from '../runtime/document-store/read-model.js';
import type { StoredEvent } from '../runtime/event-store/event-log.js';
import { newId } from '../runtime/ids.js';
import { type LogFields, silentLogger } from '../runtime/logger.js';
import { allProjections } from './all-projections.js';
import { decoder } from './decode-batch.js';
import { foldingOf } from './fold-log.js';
import type { Projection } from './projection.js';
import { type RunningProjections, startProjections } from './projector.js';
import { orderOf, productOf } from './spec-histories.js';
import { appendAll, appendHistories, appendRaw, startServers, until } from './spec-servers.js';
import { confirmedOrder, declinedOrder, soldProduct } from './spec-stories.js';

describe('the projector', function () {
  this.timeout(20_000);
  let servers: Awaited<ReturnType<typeof startServers>>;
  let store: DocumentStore;
  let running: RunningProjections | undefined;
  const errors: [string, LogFields | undefined][] = [];
  const log = { ...silentLogger, error: (message: string, fields?: LogFields) => void errors.push([message, fields]) };

  before(async () => {
    servers = await startServers();
  });
  beforeEach(async () => {
    store = await servers.freshDatabase();
    errors.length = 0;
  });
  afterEach(async () => {
    await running?.close();
    running = undefined;
    await store.close();
  });
  after(async () => {
    await servers.close();
  });

  const start = async (projections: readonly Projection[] = allProjections) => {
    running = await startProjections({ eventLog: servers.eventLog, db: store.db, log, projections });
    return running;
  };
  const caughtUp = async (projector: RunningProjections, position: bigint) =>
    until(() => projector.states().every((state) => (state.position ?? -1n) >= position), `position ${position}`);
  const documents = async (projection: Projection): Promise<Document[]> =>
    store.db.collection(readModelId(projection.model)).find().sort({ _id: 1 }).toArray();
  const everything = async () => Promise.all(allProjections.map(documents));

  /** What the whole log folds to, in one go and without a store. */
  const expected = async (projection: Projection) => {
    const whole: StoredEvent[] = [];
    for await (const event of servers.eventLog.readAll()) whole.push(event);
    const folding = foldingOf(projection, decoder(eventCatalog));
    folding.add(whole);
    return [...folding.documents.values()].sort((a, b) => (a._id < b._id ? -1 : 1));
  };

  it('makes of the log what the fold makes of it, and stores how far it has come', async () => {
    const position = await appendAll(servers.eventLog, [
      ...soldProduct('p1'),
      ...confirmedOrder('p1'),
      ...declinedOrder('p2'),
    ]);
    const projector = await start();
    await caughtUp(projector, position);
    for (const projection of allProjections) {
      expect(await documents(projection)).to.deep.equal(await expected(projection));
    }
    const checkpoints = await store.db.collection('checkpoints').find().sort({ _id: 1 }).toArray();
    const ids = allProjections.map(({ model }) => readModelId(model)).sort();
    expect(checkpoints.map(({ _id, position: at }) => [_id, at])).to.deep.equal(ids.map((id) => [id, position]));
  });

  it('follows live, and goes on from its checkpoints after a restart', async () => {
    const first = await start();
    await caughtUp(first, await appendAll(servers.eventLog, [orderOf('live').created()]));
    await first.close();
    const position = await appendAll(servers.eventLog, [orderOf('live').paymentInitiated()]);
    const second = await start();
    expect([...second.positions().values()].every((at) => at < position)).to.equal(true);
    await caughtUp(second, position);
    const order = await store.db.collection('orders-v1').findOne({ _id: orderOf('live').order_id as never });
    expect(order).to.deep.include({ status: 'reserved', position });
  });

  it('moves its checkpoints on events that no projection folds', async () => {
    const projector = await start();
    const event = { id: newId(), type: 'weather.changed', data: {}, metadata: {} };
    await caughtUp(projector, await appendRaw(servers.eventLog, `weather-${newId()}`, event));
  });

  it('changes nothing when the log comes again, as after a crash before the checkpoint', async () => {
    const position = await appendAll(servers.eventLog, [...confirmedOrder('crash'), ...soldProduct('crash')]);
    const first = await start();
    await caughtUp(first, position);
    await first.close();
    const before = await everything();
    for (const back of [position / 2n, 0n]) {
      await store.db.collection('checkpoints').updateMany({}, { $set: { position: back } });
      const again = await start();
      await caughtUp(again, position);
      await again.close();
      expect(await everything()).to.deep.equal(before);
    }
  });

  it('lets a projection that is new catch up from the start beside those that are live', async () => {
    const [orders, products] = allProjections;
    if (orders === undefined || products === undefined) throw new Error('no projections');
    const position = await appendAll(servers.eventLog, [...soldProduct('late'), ...confirmedOrder('late')]);
    const first = await start([orders]);
    await caughtUp(first, position);
    await first.close();
    const both = await start();
    await caughtUp(both, position);
    expect(await documents(products)).to.deep.equal(await expected(products));
    expect(await documents(orders)).to.deep.equal(await expected(orders));
  });

  it('comes to the same documents when two projectors run at once', async () => {
    const first = await start();
    const second = await startProjections({
      eventLog: servers.eventLog,
      db: store.db,
      log,
      projections: allProjections,
    });
    try {
      const position = await appendAll(servers.eventLog, [...confirmedOrder('two'), ...soldProduct('two')]);
      await Promise.all([caughtUp(first, position), caughtUp(second, position)]);
    } finally {
      await second.close();
    }
    for (const projection of allProjections) {
      expect(await documents(projection)).to.deep.equal(await expected(projection));
    }
  });

  it('waits for a document store that is gone, and loses nothing', async () => {
    const projector = await start();
    await caughtUp(projector, await appendAll(servers.eventLog, [orderOf('outage').created()]));
    await servers.stopDocuments();
    const position = await appendAll(servers.eventLog, [orderOf('outage').paymentInitiated()]);
    await servers.restartDocuments();
    await caughtUp(projector, position);
    const order = await store.db.collection('orders-v1').findOne({ _id: orderOf('outage').order_id as never });
    expect(order).to.deep.include({ status: 'reserved', position });
  });

  it('deletes no document: a deleted product stays as a tombstone', async () => {
    const product = productOf('gone');
    const events = [product.created(), product.approved(), product.deleted()];
    const position = await appendAll(servers.eventLog, events);
    await caughtUp(await start(), position);
    const found = await store.db.collection('product-search-v2').findOne({ _id: product.product_id as never });
    expect(found).to.deep.include({ status: 'deleted', position });
  });

  it('passes no batch that was not stored, though the next one is folded already', async () => {
    const histories = Array.from({ length: 60 }, (_, index) => confirmedOrder(`torn${index}`));
    const position = await appendHistories(servers.eventLog, histories);
    let writes = 0;
    const failing = new Proxy(store.db, {
      get(target, key) {
        if (key !== 'collection') return Reflect.get(target, key);
        return (name: string) => {
          const collection = target.collection(name);
          if (name !== 'orders-v1') return collection;
          return new Proxy(collection, {
            get(inner, called) {
              const value: unknown = Reflect.get(inner, called);
              if (called !== 'bulkWrite') return typeof value === 'function' ? value.bind(inner) : value;
              return async (...args: Parameters<typeof inner.bulkWrite>) => {
                writes += 1;
                if (writes % 2 === 1 && writes < 12) throw new Error('the store did not take it');
                return inner.bulkWrite(...args);
              };
            },
          });
        };
      },
    });
    running = await startProjections({
      eventLog: servers.eventLog,
      db: failing,
      log,
      projections: allProjections,
      maxBatch: 20,
    });
    await caughtUp(running, position);
    expect(writes).to.be.greaterThan(12);
    for (const projection of allProjections) {
      expect(await documents(projection)).to.deep.equal(await expected(projection));
    }
  });
});
