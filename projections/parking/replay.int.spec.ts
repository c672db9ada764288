import { expect } from 'chai';
import { eventCatalog } from '../../domain/event-catalog.js';
import type { DocumentStore } from '../../runtime/document-store/connect.js';
import type { StoredEvent } from '../../runtime/event-store/event-log.js';
import { newId } from '../../runtime/ids.js';
import { silentLogger } from '../../runtime/logger.js';
import { type Act, type Asked, openActs } from '../acts.js';
import { decoder } from '../decode-batch.js';
import { foldingOf } from '../fold-log.js';
import type { Projection } from '../projection.js';
import { type RunningProjections, startProjections } from '../projector.js';
import { orderOf } from '../spec-histories.js';
import { picky } from '../spec-poison.js';
import { appendAll, appendRaw, startServers, until } from '../spec-servers.js';
import { confirmedOrder } from '../spec-stories.js';
import { openParkedEvents } from './parked-events.js';

describe('a replay', function () {
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
  const poisoned = orderOf('o41').order_id;

  it('waits until no other projector runs, which would go on parking its document', async () => {
    const { eventLog } = servers;
    await start(picky(poisoned));
    await caughtUp(await appendAll(eventLog, [...confirmedOrder('o41'), ...confirmedOrder('o42')]));
    await start(picky());
    const options = { db: store.db, log: silentLogger, projections: [picky()], lookEveryMs: 3_600_000 };
    const other = await startProjections({ eventLog, ...options });
    const acts = openActs(store.db);
    const id = await acts.ask('seen-v1', { act: 'replay', key: null }, { by: 'ada', why: 'a test' }, new Date());
    await until(async () => (await acts.read(id))?.outcome !== null, 'the answer');
    const shipped = await appendAll(eventLog, [orderOf('o41').shipped()]);
    await caughtUp(shipped);
    await until(() => (other.states()[0]?.position ?? 0n) >= shipped, 'the other one');
    await other.close();
    await until(async () => (await acts.read(id))?.state === 'done', 'the replay');
    await caughtUp(await appendAll(eventLog, [orderOf('o41').delivered()]));
    expect(await stored()).to.deep.equal(await folded());
    expect(await openParkedEvents(store.db).summaries()).to.deep.equal([]);
  });

  it('lets others know that its projector runs, however long it takes', async () => {
    const order = orderOf('o41');
    await start(picky());
    await appendAll(servers.eventLog, [order.created()]);
    const metadata = { event_version: 1, occurred_at: '2026-01-05T09:00:00.000Z' };
    const bad = { id: newId(), type: 'order.paid', data: { order_id: order.order_id }, metadata };
    await caughtUp(await appendRaw(servers.eventLog, `order-${order.order_id}`, bad));
    await running?.close();

    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const eventLog: typeof servers.eventLog = {
      ...servers.eventLog,
      async *readStream(...range) {
        await gate;
        yield* servers.eventLog.readStream(...range);
      },
    };
    const options = { db: store.db, log: silentLogger, projections: [picky()], lookEveryMs: 10, beatEveryMs: 20 };
    running = await startProjections({ eventLog, ...options });
    const acts = openActs(store.db);
    const id = await acts.ask('seen-v1', { act: 'replay', key: null }, { by: 'ada', why: 'a test' }, new Date());
    const seenAt = async () => (await store.db.collection('projectors').findOne())?.['seen_at']?.getTime() ?? 0;
    const first = await seenAt();
    await until(async () => (await seenAt()) > first + 300, 'a few beats');
    expect((await acts.read(id))?.state).to.equal('asked');
    open();
    await until(async () => (await acts.read(id))?.state === 'done', 'the replay');
  });

  it('of a stream parks anew what makes a document unfit', async () => {
    const order = orderOf('o41');
    const unfit: Projection = {
      ...picky(),
      evolve(document, event, id) {
        const next = { ...document, ...picky().evolve(document, event, id) };
        return event.type === 'order.shipped' ? { ...next, 'null\0byte': 1 } : next;
      },
    };
    await start(unfit);
    await appendAll(servers.eventLog, [order.created()]);
    const stream = `order-${order.order_id}`;
    const metadata = { event_version: 1, occurred_at: '2026-01-05T09:00:00.000Z' };
    const bad = { id: newId(), type: 'order.paid', data: { order_id: order.order_id }, metadata };
    const position = await appendRaw(servers.eventLog, stream, bad);
    await caughtUp(await appendAll(servers.eventLog, [order.shipped(), order.delivered()]));
    await act({ act: 'discard', key: { kind: 'stream', key: stream }, position });
    await act({ act: 'replay', key: null });
    const [summary, ...others] = await openParkedEvents(store.db).summaries();
    expect(others).to.deep.equal([]);
    expect(summary?.first.fault?.code).to.equal('projection-document-unstorable');
    expect(summary).to.deep.include({ kind: 'document', key: order.order_id, events: 2 });
    expect(await stored()).to.deep.equal(await folded((event) => event.type !== 'order.created'));
  });
});
