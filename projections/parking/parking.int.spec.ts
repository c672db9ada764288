import { expect } from 'chai';
import { eventCatalog } from '../../domain/event-catalog.js';
import type { DocumentStore } from '../../runtime/document-store/connect.js';
import type { StoredEvent } from '../../runtime/event-store/event-log.js';
import { newId } from '../../runtime/ids.js';
import { silentLogger } from '../../runtime/logger.js';
import { type Act, type Asked, openActs } from '../acts.js';
import { decoder } from '../decode-batch.js';
import { foldingOf } from '../fold-log.js';
import { ordersProjection } from '../orders/orders.js';
import type { Projection } from '../projection.js';
import { type RunningProjections, startProjections } from '../projector.js';
import { type AnyEvent, orderOf } from '../spec-histories.js';
import { picky, type Seen } from '../spec-poison.js';
import { appendAll, appendHistories, appendRaw, startServers, until } from '../spec-servers.js';
import { confirmedOrder } from '../spec-stories.js';
import { openParkedEvents } from './parked-events.js';

describe('an event that cannot be folded', function () {
  this.timeout(20_000);
  let servers: Awaited<ReturnType<typeof startServers>>;
  let store: DocumentStore;
  let running: RunningProjections | undefined;

  // A log of its own for each, so that what is parked in one is not met in the next.
  beforeEach(async () => {
    servers = await startServers();
    store = await servers.freshDatabase();
  });
  afterEach(async () => {
    await running?.close();
    running = undefined;
    await store.close();
    await servers.close();
  });

  const start = async (projection: Projection, maxBatch = 15) => {
    await running?.close();
    const { eventLog } = servers;
    running = await startProjections({
      eventLog,
      db: store.db,
      log: silentLogger,
      projections: [projection],
      maxBatch,
      lookEveryMs: 10,
    });
    return running;
  };
  const caughtUp = (position: bigint) =>
    until(() => running?.states().every((state) => (state.position ?? -1n) >= position) === true, `${position}`);
  const stored = async () => store.db.collection('seen-v1').find().sort({ _id: 1 }).toArray();
  const whole = async () => {
    const events: StoredEvent[] = [];
    for await (const event of servers.eventLog.readAll()) events.push(event);
    return events;
  };
  /** What the log without some of its events folds to. */
  const folded = async (without: (event: StoredEvent) => boolean = () => false) => {
    const folding = foldingOf(picky(), decoder(eventCatalog));
    folding.add((await whole()).filter((event) => !without(event)));
    return [...folding.documents.values()].sort((a, b) => (a._id < b._id ? -1 : 1));
  };
  const act = async (asked: Asked): Promise<Act> => {
    const acts = openActs(store.db);
    const id = await acts.ask('seen-v1', asked, { by: 'ada', why: 'a test' }, new Date());
    await until(async () => (await acts.read(id))?.state !== 'asked', asked.act);
    const done = await acts.read(id);
    if (done === undefined) throw new Error('the act is gone');
    return done;
  };
  const parkedNow = () => running?.states()[0]?.parked;
  const hundred = Array.from({ length: 100 }, (_, index) => `o${index}`);
  const poisoned = orderOf('o41').order_id;
  const key = { kind: 'document', key: poisoned } as const;
  const isOf = (id: string) => (event: StoredEvent) => event.data['order_id'] === id;

  it('parks its document of a hundred alone: listed, and replayed in order once the code is mended', async () => {
    await start(picky(poisoned));
    const histories = hundred.map((name): AnyEvent[] => {
      const order = orderOf(name);
      return [order.created(), order.paymentInitiated(), order.paid(), order.confirmed()];
    });
    const position = await appendHistories(servers.eventLog, histories);
    await caughtUp(position);

    const poison = (await whole()).find((event) => isOf(poisoned)(event) && event.type === 'order.paid');
    if (poison === undefined) throw new Error('no poison');
    const waits = (event: StoredEvent) => isOf(poisoned)(event) && event.position >= poison.position;
    expect(await stored())
      .to.have.length(100)
      .and.to.deep.equal(await folded(waits));
    const [summary, ...others] = await openParkedEvents(store.db).summaries();
    expect(others).to.deep.equal([]);
    expect(summary).to.deep.include({ projection: 'seen-v1', ...key, events: 2 });
    expect(summary?.first).to.deep.include({
      event_id: poison.id,
      position: poison.position,
      event_type: 'order.paid',
    });
    expect(summary?.first.fault?.code).to.equal('projection-evolve-failed');

    // The same code parks it again, live events or not.
    expect((await act({ act: 'replay', key })).outcome).to.deep.include({ replayed: 0, still_parked: 1 });
    await start(picky());
    const order = orderOf('o41');
    const more = appendAll(servers.eventLog, [order.shipped(), order.delivered(), order.returned()]);
    const replayed = await act({ act: 'replay', key });
    expect(replayed).to.deep.include({ state: 'done', by: 'ada', why: 'a test' });
    expect(replayed.outcome).to.deep.include({ replayed: 1, still_parked: 0, waiting_events: 0 });
    await caughtUp(await more);
    expect(await stored()).to.deep.equal(await folded());
    expect(parkedNow()).to.deep.equal({ documents: 0, streams: 0, events: 0 });
    expect(await openParkedEvents(store.db).summaries()).to.deep.equal([]);
  });

  it('holds what follows of its document in the next batches, which are folded before it is stored', async () => {
    const order = orderOf('o41');
    const mine = [order.created(), order.paid(), order.confirmed(), order.shipped(), order.delivered()];
    const others = Array.from({ length: 14 }, (_, index) => orderOf(`other${index}`).created());
    const position = await appendAll(
      servers.eventLog,
      mine.flatMap((event) => [event, ...others.splice(0, 3)]),
    );
    for (const maxBatch of [4, 2, 1]) {
      await start(picky(poisoned), maxBatch);
      await caughtUp(position);
      const poison = (await whole()).find((event) => isOf(poisoned)(event) && event.type === 'order.paid');
      const waits = (event: StoredEvent) => isOf(poisoned)(event) && event.position >= (poison?.position ?? 0n);
      expect(await stored()).to.deep.equal(await folded(waits));
      expect(parkedNow()).to.deep.equal({ documents: 1, streams: 0, events: 4 });
      await running?.close();
      running = undefined;
      await store.db.dropDatabase();
    }
  });

  it('is passed over for good once discarded, in every fold to come', async () => {
    await start(picky(poisoned));
    await caughtUp(await appendAll(servers.eventLog, [...confirmedOrder('o41'), ...confirmedOrder('o42')]));
    const [summary] = await openParkedEvents(store.db).summaries();
    const poison = summary?.first.position ?? 0n;
    const unknown = await act({ act: 'discard', key, position: poison + 1_000n });
    expect(unknown).to.deep.include({ state: 'refused', outcome: { code: 'not-parked' } });
    await act({ act: 'discard', key, position: poison });
    expect(await stored()).not.to.deep.equal(await folded(({ position }) => position === poison));
    await act({ act: 'replay', key: null });
    const skipped = await folded(({ position }) => position === poison);
    expect(await stored()).to.deep.equal(skipped);
    const [record] = await openParkedEvents(store.db).of('seen-v1', key);
    expect(record?.discarded).to.deep.include({ by: 'ada', why: 'a test' });

    await act({ act: 'rebuild' });
    await until(async () => (await stored()).length === skipped.length, 'the rebuilt model');
    await caughtUp((await whole()).at(-1)?.position ?? 0n);
    expect(await stored()).to.deep.equal(skipped);
    expect(parkedNow()).to.deep.equal({ documents: 0, streams: 0, events: 0 });
  });

  it('stays parked through a restart and a rewound checkpoint, once', async () => {
    await start(picky(poisoned));
    const position = await appendAll(servers.eventLog, [...confirmedOrder('o41'), ...confirmedOrder('o42')]);
    await caughtUp(position);
    const [before, records] = [await stored(), await openParkedEvents(store.db).of('seen-v1', key)];
    for (const collections of ['kept', 'dropped']) {
      await running?.close();
      if (collections === 'dropped') await store.db.collection('seen-v1').drop();
      await store.db.collection('checkpoints').updateMany({}, { $set: { position: 0n } });
      await start(picky(poisoned));
      await caughtUp(position);
      expect(await stored()).to.deep.equal(before);
      const now = await openParkedEvents(store.db).of('seen-v1', key);
      expect(now.map(({ _id }) => _id)).to.deep.equal(records.map(({ _id }) => _id));
    }
  });

  it('that cannot be read parks its stream; replayed, its documents are as if it had never waited', async () => {
    const order = orderOf('o41');
    await start(picky());
    await appendAll(servers.eventLog, [order.created(), ...confirmedOrder('o42')]);
    const stream = `order-${order.order_id}`;
    const metadata = { event_version: 1, occurred_at: '2026-01-05T09:00:00.000Z' };
    const bad = { id: newId(), type: 'order.paid', data: { order_id: order.order_id }, metadata };
    const poison = await appendRaw(servers.eventLog, stream, bad);
    // Other streams of the same document go on, past what waits.
    const events = [
      order.paymentInitiated(),
      order.confirmed(),
      order.paymentSucceeded(),
      order.shipped(),
      order.ended(),
    ];
    const position = await appendAll(servers.eventLog, events);
    await caughtUp(position);
    expect(await stored()).to.deep.equal(await folded((event) => event.stream === stream && event.position >= poison));
    expect(parkedNow()).to.deep.equal({ documents: 0, streams: 1, events: 3 });

    const parked = { kind: 'stream', key: stream } as const;
    expect((await act({ act: 'replay', key: parked })).outcome).to.deep.include({ replayed: 0, waiting_events: 3 });
    await act({ act: 'discard', key: parked, position: poison });
    const live = appendAll(servers.eventLog, [order.delivered(), order.refundRequested()]);
    expect((await act({ act: 'replay', key: parked })).outcome).to.deep.include({ replayed: 1, still_parked: 0 });
    await caughtUp(await live);
    expect(await stored()).to.deep.equal(await folded(({ position: at }) => at === poison));
    const [document] = (await stored()).filter(({ _id }) => String(_id) === order.order_id);
    expect((document as unknown as Seen).seen).to.deep.equal([
      ...['order.created', 'payment.initiated', 'order.confirmed', 'payment.success', 'order.shipped'],
      ...['fulfilment.ended', 'order.delivered', 'payment.refund_requested'],
    ]);
  });

  it('stops a projection that catches up where too much would wait; let on, it has missed nothing', async () => {
    const { eventLog } = servers;
    const startBoth = async (projections: readonly Projection[]) => {
      await running?.close();
      const limits = { keys: 1, events: 100 };
      const options = { log: silentLogger, limits, maxBatch: 3, lookEveryMs: 10 };
      running = await startProjections({ eventLog, db: store.db, projections, ...options });
      return running;
    };
    const stateOf = (id: string) => running?.states().find((state) => state.id === id);
    const histories = ['a', 'b', 'c', 'd'].flatMap((name) => confirmedOrder(name));
    let position = await appendAll(eventLog, histories);
    await startBoth([ordersProjection]);
    await caughtUp(position);

    const [one, two] = [orderOf('a').order_id, orderOf('b').order_id];
    await startBoth([ordersProjection, picky(one, two)]);
    await until(() => stateOf('seen-v1')?.fault !== undefined, 'the fault');
    position = await appendAll(eventLog, [orderOf('e').created()]);
    await until(() => (stateOf('orders-v1')?.position ?? 0n) >= position, 'the others');

    const first = (await openParkedEvents(store.db).summaries())[0]?.first.position ?? 0n;
    const paidOf = (id: string) => (event: StoredEvent) => isOf(id)(event) && event.type === 'order.paid';
    const second = (await whole()).find(paidOf(two))?.position ?? 0n;
    expect((stateOf('seen-v1')?.position ?? 0n) < second, 'not past what it stopped at').to.equal(true);
    await act({ act: 'discard', key: { kind: 'document', key: one }, position: first });
    await act({ act: 'replay', key: null });
    await caughtUp(position);
    const left = (event: StoredEvent) => event.position === first || (isOf(two)(event) && event.position >= second);
    expect(await stored()).to.deep.equal(await folded(left));
    expect(stateOf('seen-v1')?.fault).to.equal(undefined);
  });

  it('that makes a document too large, or unfit for BSON, parks it; the rest of its batch is stored', async () => {
    const [large, unfit] = [orderOf('o1').order_id, orderOf('o2').order_id];
    const growing: Projection = {
      ...picky(),
      evolve(document, event, id) {
        const next = { ...document, ...picky().evolve(document, event, id) };
        if (event.type !== 'order.paid') return next;
        if (id === large) return { ...next, padding: 'x'.repeat(17 * 1024 * 1024) };
        return id === unfit ? { ...next, 'null\0byte': 1 } : next;
      },
    };
    const position = await appendHistories(servers.eventLog, hundred.slice(0, 5).map(confirmedOrder));
    await start(growing, 3);
    await caughtUp(position);
    const log = await whole();
    const waits = (id: string) => {
      const poison = log.find((event) => isOf(id)(event) && event.type === 'order.paid')?.position ?? 0n;
      return (event: StoredEvent) => isOf(id)(event) && event.position >= poison;
    };
    expect(await stored()).to.deep.equal(await folded((event) => waits(large)(event) || waits(unfit)(event)));
    const summaries = await openParkedEvents(store.db).summaries();
    expect(summaries.map((one) => [one.key, one.first.event_type, one.first.fault?.code])).to.have.deep.members([
      [large, 'order.paid', 'projection-document-unstorable'],
      [unfit, 'order.paid', 'projection-document-unstorable'],
    ]);
  });
});
