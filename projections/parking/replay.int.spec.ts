import { expect } from 'chai';
import { newId } from '../../runtime/ids.js';
import { silentLogger } from '../../runtime/logger.js';
import { openActs } from '../acts.js';
import type { Projection } from '../projection.js';
import { startProjections } from '../projector.js';
import { orderOf } from '../spec-histories.js';
import { picky } from '../spec-poison.js';
import { appendAll, appendRaw, until } from '../spec-servers.js';
import { confirmedOrder } from '../spec-stories.js';
import { openParkedEvents } from './parked-events.js';
import { ParkingFixture } from './parking-fixture.js';

describe('a replay', function () {
  this.timeout(20_000);
  const at = new ParkingFixture();
  beforeEach(() => at.open());
  afterEach(() => at.close());

  const poisoned = orderOf('o41').order_id;

  it('waits until no other projector runs, which would go on parking its document', async () => {
    const { eventLog } = at.servers;
    await at.start(picky(poisoned));
    await at.caughtUp(await appendAll(eventLog, [...confirmedOrder('o41'), ...confirmedOrder('o42')]));
    await at.start(picky());
    const options = { db: at.store.db, log: silentLogger, projections: [picky()], lookEveryMs: 3_600_000 };
    const other = await startProjections({ eventLog, ...options });
    const acts = openActs(at.store.db);
    const id = await acts.ask('seen-v1', { act: 'replay', key: null }, { by: 'ada', why: 'a test' }, new Date());
    await until(async () => (await acts.read(id))?.outcome !== null, 'the answer');
    const shipped = await appendAll(eventLog, [orderOf('o41').shipped()]);
    await at.caughtUp(shipped);
    await until(() => (other.states()[0]?.position ?? 0n) >= shipped, 'the other one');
    await other.close();
    await until(async () => (await acts.read(id))?.state === 'done', 'the replay');
    await at.caughtUp(await appendAll(eventLog, [orderOf('o41').delivered()]));
    expect(await at.stored()).to.deep.equal(await at.folded());
    expect(await openParkedEvents(at.store.db).summaries()).to.deep.equal([]);
  });

  it('lets others know that its projector runs, however long it takes', async () => {
    const order = orderOf('o41');
    await at.start(picky());
    await appendAll(at.servers.eventLog, [order.created()]);
    const metadata = { event_version: 1, occurred_at: '2026-01-05T09:00:00.000Z' };
    const bad = { id: newId(), type: 'order.paid', data: { order_id: order.order_id }, metadata };
    await at.caughtUp(await appendRaw(at.servers.eventLog, `order-${order.order_id}`, bad));
    await at.running?.close();

    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const eventLog: typeof at.servers.eventLog = {
      ...at.servers.eventLog,
      async *readStream(...range) {
        await gate;
        yield* at.servers.eventLog.readStream(...range);
      },
    };
    const options = { db: at.store.db, log: silentLogger, projections: [picky()], lookEveryMs: 10, beatEveryMs: 20 };
    at.running = await startProjections({ eventLog, ...options });
    const acts = openActs(at.store.db);
    const id = await acts.ask('seen-v1', { act: 'replay', key: null }, { by: 'ada', why: 'a test' }, new Date());
    const seenAt = async () => (await at.store.db.collection('projectors').findOne())?.['seen_at']?.getTime() ?? 0;
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
    await at.start(unfit);
    await appendAll(at.servers.eventLog, [order.created()]);
    const stream = `order-${order.order_id}`;
    const metadata = { event_version: 1, occurred_at: '2026-01-05T09:00:00.000Z' };
    const bad = { id: newId(), type: 'order.paid', data: { order_id: order.order_id }, metadata };
    const position = await appendRaw(at.servers.eventLog, stream, bad);
    await at.caughtUp(await appendAll(at.servers.eventLog, [order.shipped(), order.delivered()]));
    await at.act({ act: 'discard', key: { kind: 'stream', key: stream }, position });
    await at.act({ act: 'replay', key: null });
    const [summary, ...others] = await openParkedEvents(at.store.db).summaries();
    expect(others).to.deep.equal([]);
    expect(summary?.first.fault?.code).to.equal('projection-document-unstorable');
    expect(summary).to.deep.include({ kind: 'document', key: order.order_id, events: 2 });
    expect(await at.stored()).to.deep.equal(await at.folded((event) => event.type !== 'order.created'));
  });
});
