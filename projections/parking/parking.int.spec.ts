import { expect } from 'chai';
import type { StoredEvent } from '../../runtime/event-store/event-log.js';
import { newId } from '../../runtime/ids.js';
import { silentLogger } from '../../runtime/logger.js';
import { ordersProjection } from '../orders/orders.js';
import type { Projection } from '../projection.js';
import { startProjections } from '../projector.js';
import { type AnyEvent, orderOf } from '../spec-histories.js';
import { picky, type Seen } from '../spec-poison.js';
import { appendAll, appendHistories, appendRaw, until } from '../spec-servers.js';
import { confirmedOrder } from '../spec-stories.js';
import { openParkedEvents } from './parked-events.js';
import { ParkingFixture } from './parking-fixture.js';

describe('an event that cannot be folded', function () {
  this.timeout(20_000);
  const at = new ParkingFixture();
  beforeEach(() => at.open());
  afterEach(() => at.close());

  const parkedNow = () => at.running?.states()[0]?.parked;
  const hundred = Array.from({ length: 100 }, (_, index) => `o${index}`);
  const poisoned = orderOf('o41').order_id;
  const key = { kind: 'document', key: poisoned } as const;
  const isOf = (id: string) => (event: StoredEvent) => event.data['order_id'] === id;

  it('parks its document of a hundred alone: listed, and replayed in order once the code is mended', async () => {
    await at.start(picky(poisoned));
    const histories = hundred.map((name): AnyEvent[] => {
      const order = orderOf(name);
      return [order.created(), order.paymentInitiated(), order.paid(), order.confirmed()];
    });
    const position = await appendHistories(at.servers.eventLog, histories);
    await at.caughtUp(position);

    const poison = (await at.whole()).find((event) => isOf(poisoned)(event) && event.type === 'order.paid');
    if (poison === undefined) throw new Error('no poison');
    const waits = (event: StoredEvent) => isOf(poisoned)(event) && event.position >= poison.position;
    expect(await at.stored())
      .to.have.length(100)
      .and.to.deep.equal(await at.folded(waits));
    const [summary, ...others] = await openParkedEvents(at.store.db).summaries();
    expect(others).to.deep.equal([]);
    expect(summary).to.deep.include({ projection: 'seen-v1', ...key, events: 2 });
    expect(summary?.first).to.deep.include({
      event_id: poison.id,
      position: poison.position,
      event_type: 'order.paid',
    });
    expect(summary?.first.fault?.code).to.equal('projection-evolve-failed');

    // The same code parks it again, live events or not.
    expect((await at.act({ act: 'replay', key })).outcome).to.deep.include({ replayed: 0, still_parked: 1 });
    await at.start(picky());
    const order = orderOf('o41');
    const more = appendAll(at.servers.eventLog, [order.shipped(), order.delivered(), order.returned()]);
    const replayed = await at.act({ act: 'replay', key });
    expect(replayed).to.deep.include({ state: 'done', by: 'ada', why: 'a test' });
    expect(replayed.outcome).to.deep.include({ replayed: 1, still_parked: 0, waiting_events: 0 });
    await at.caughtUp(await more);
    expect(await at.stored()).to.deep.equal(await at.folded());
    expect(parkedNow()).to.deep.equal({ documents: 0, streams: 0, events: 0 });
    expect(await openParkedEvents(at.store.db).summaries()).to.deep.equal([]);
  });

  it('holds what follows of its document in the next batches, which are folded before it is stored', async () => {
    const order = orderOf('o41');
    const mine = [order.created(), order.paid(), order.confirmed(), order.shipped(), order.delivered()];
    const others = Array.from({ length: 14 }, (_, index) => orderOf(`other${index}`).created());
    const position = await appendAll(
      at.servers.eventLog,
      mine.flatMap((event) => [event, ...others.splice(0, 3)]),
    );
    for (const maxBatch of [4, 2, 1]) {
      await at.start(picky(poisoned), maxBatch);
      await at.caughtUp(position);
      const poison = (await at.whole()).find((event) => isOf(poisoned)(event) && event.type === 'order.paid');
      const waits = (event: StoredEvent) => isOf(poisoned)(event) && event.position >= (poison?.position ?? 0n);
      expect(await at.stored()).to.deep.equal(await at.folded(waits));
      expect(parkedNow()).to.deep.equal({ documents: 1, streams: 0, events: 4 });
      await at.running?.close();
      at.running = undefined;
      await at.store.db.dropDatabase();
    }
  });

  it('is passed over for good once discarded, in every fold to come', async () => {
    await at.start(picky(poisoned));
    await at.caughtUp(await appendAll(at.servers.eventLog, [...confirmedOrder('o41'), ...confirmedOrder('o42')]));
    const [summary] = await openParkedEvents(at.store.db).summaries();
    const poison = summary?.first.position ?? 0n;
    const unknown = await at.act({ act: 'discard', key, position: poison + 1_000n });
    expect(unknown).to.deep.include({ state: 'refused', outcome: { code: 'not-parked' } });
    await at.act({ act: 'discard', key, position: poison });
    expect(await at.stored()).not.to.deep.equal(await at.folded(({ position }) => position === poison));
    await at.act({ act: 'replay', key: null });
    const skipped = await at.folded(({ position }) => position === poison);
    expect(await at.stored()).to.deep.equal(skipped);
    const [record] = await openParkedEvents(at.store.db).of('seen-v1', key);
    expect(record?.discarded).to.deep.include({ by: 'ada', why: 'a test' });

    await at.act({ act: 'rebuild' });
    await until(async () => (await at.stored()).length === skipped.length, 'the rebuilt model');
    await at.caughtUp((await at.whole()).at(-1)?.position ?? 0n);
    expect(await at.stored()).to.deep.equal(skipped);
    expect(parkedNow()).to.deep.equal({ documents: 0, streams: 0, events: 0 });
  });

  it('stays parked through a restart and a rewound checkpoint, once', async () => {
    await at.start(picky(poisoned));
    const position = await appendAll(at.servers.eventLog, [...confirmedOrder('o41'), ...confirmedOrder('o42')]);
    await at.caughtUp(position);
    const [before, records] = [await at.stored(), await openParkedEvents(at.store.db).of('seen-v1', key)];
    for (const collections of ['kept', 'dropped']) {
      await at.running?.close();
      if (collections === 'dropped') await at.store.db.collection('seen-v1').drop();
      await at.store.db.collection('checkpoints').updateMany({}, { $set: { position: 0n } });
      await at.start(picky(poisoned));
      await at.caughtUp(position);
      expect(await at.stored()).to.deep.equal(before);
      const now = await openParkedEvents(at.store.db).of('seen-v1', key);
      expect(now.map(({ _id }) => _id)).to.deep.equal(records.map(({ _id }) => _id));
    }
  });

  it('that cannot be read parks its stream; replayed, its documents are as if it had never waited', async () => {
    const order = orderOf('o41');
    await at.start(picky());
    await appendAll(at.servers.eventLog, [order.created(), ...confirmedOrder('o42')]);
    const stream = `order-${order.order_id}`;
    const metadata = { event_version: 1, occurred_at: '2026-01-05T09:00:00.000Z' };
    const bad = { id: newId(), type: 'order.paid', data: { order_id: order.order_id }, metadata };
    const poison = await appendRaw(at.servers.eventLog, stream, bad);
    // Other streams of the same document go on, past what waits.
    const events = [
      order.paymentInitiated(),
      order.confirmed(),
      order.paymentSucceeded(),
      order.shipped(),
      order.ended(),
    ];
    const position = await appendAll(at.servers.eventLog, events);
    await at.caughtUp(position);
    expect(await at.stored()).to.deep.equal(
      await at.folded((event) => event.stream === stream && event.position >= poison),
    );
    expect(parkedNow()).to.deep.equal({ documents: 0, streams: 1, events: 3 });

    const parked = { kind: 'stream', key: stream } as const;
    expect((await at.act({ act: 'replay', key: parked })).outcome).to.deep.include({ replayed: 0, waiting_events: 3 });
    await at.act({ act: 'discard', key: parked, position: poison });
    const live = appendAll(at.servers.eventLog, [order.delivered(), order.refundRequested()]);
    expect((await at.act({ act: 'replay', key: parked })).outcome).to.deep.include({ replayed: 1, still_parked: 0 });
    await at.caughtUp(await live);
    expect(await at.stored()).to.deep.equal(await at.folded(({ position }) => position === poison));
    const [document] = (await at.stored()).filter(({ _id }) => String(_id) === order.order_id);
    expect((document as unknown as Seen).seen).to.deep.equal([
      ...['order.created', 'payment.initiated', 'order.confirmed', 'payment.success', 'order.shipped'],
      ...['fulfilment.ended', 'order.delivered', 'payment.refund_requested'],
    ]);
  });

  it('stops a projection that catches up where too much would wait; let on, it has missed nothing', async () => {
    const { eventLog } = at.servers;
    const startBoth = async (projections: readonly Projection[]) => {
      await at.running?.close();
      const limits = { keys: 1, events: 100 };
      const options = { log: silentLogger, limits, maxBatch: 3, lookEveryMs: 10 };
      at.running = await startProjections({ eventLog, db: at.store.db, projections, ...options });
      return at.running;
    };
    const stateOf = (id: string) => at.running?.states().find((state) => state.id === id);
    const histories = ['a', 'b', 'c', 'd'].flatMap((name) => confirmedOrder(name));
    let position = await appendAll(eventLog, histories);
    await startBoth([ordersProjection]);
    await at.caughtUp(position);

    const [one, two] = [orderOf('a').order_id, orderOf('b').order_id];
    await startBoth([ordersProjection, picky(one, two)]);
    await until(() => stateOf('seen-v1')?.fault !== undefined, 'the fault');
    position = await appendAll(eventLog, [orderOf('e').created()]);
    await until(() => (stateOf('orders-v1')?.position ?? 0n) >= position, 'the others');

    const first = (await openParkedEvents(at.store.db).summaries())[0]?.first.position ?? 0n;
    const paidOf = (id: string) => (event: StoredEvent) => isOf(id)(event) && event.type === 'order.paid';
    const second = (await at.whole()).find(paidOf(two))?.position ?? 0n;
    expect((stateOf('seen-v1')?.position ?? 0n) < second, 'not past what it stopped at').to.equal(true);
    await at.act({ act: 'discard', key: { kind: 'document', key: one }, position: first });
    await at.act({ act: 'replay', key: null });
    await at.caughtUp(position);
    const left = (event: StoredEvent) => event.position === first || (isOf(two)(event) && event.position >= second);
    expect(await at.stored()).to.deep.equal(await at.folded(left));
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
    const position = await appendHistories(at.servers.eventLog, hundred.slice(0, 5).map(confirmedOrder));
    await at.start(growing, 3);
    await at.caughtUp(position);
    const log = await at.whole();
    const waits = (id: string) => {
      const poison = log.find((event) => isOf(id)(event) && event.type === 'order.paid')?.position ?? 0n;
      return (event: StoredEvent) => isOf(id)(event) && event.position >= poison;
    };
    expect(await at.stored()).to.deep.equal(await at.folded((event) => waits(large)(event) || waits(unfit)(event)));
    const summaries = await openParkedEvents(at.store.db).summaries();
    expect(summaries.map((one) => [one.key, one.first.event_type, one.first.fault?.code])).to.have.deep.members([
      [large, 'order.paid', 'projection-document-unstorable'],
      [unfit, 'order.paid', 'projection-document-unstorable'],
    ]);
  });
});
