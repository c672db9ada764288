import { expect } from 'chai';
import type { DocumentStore } from '../runtime/document-store/connect.js';
import { readModelId } from '../runtime/document-store/read-model.js';
import { type Listening, listen } from '../runtime/http/listen.js';
import { newId } from '../runtime/ids.js';
import { silentLogger } from '../runtime/logger.js';
import { allProjections } from './all-projections.js';
import { buildProjectionsApp } from './app.js';
import { measureLag } from './lag.js';
import { type RunningProjections, startProjections } from './projector.js';
import { orderOf } from './spec-histories.js';
import { appendAll, appendRaw, startServers, until } from './spec-servers.js';
import { confirmedOrder } from './spec-stories.js';

const unreadable = () => ({ id: newId(), type: 'order.paid', data: {}, metadata: {} });

describe('the projections as a service', function () {
  this.timeout(20_000);
  let servers: Awaited<ReturnType<typeof startServers>>;
  let store: DocumentStore;
  let running: RunningProjections;
  let listening: Listening;

  before(async () => {
    servers = await startServers();
    store = await servers.freshDatabase();
    const { eventLog } = servers;
    running = await startProjections({ eventLog, db: store.db, log: silentLogger, projections: allProjections });
    const app = buildProjectionsApp({ eventLog, running, ping: store.ping, log: silentLogger });
    listening = await listen(app, 0);
  });
  after(async () => {
    await listening.close();
    await running.close();
    await store.close();
    await servers.close();
  });

  const health = async () => {
    const res = await fetch(`${listening.url}/health`);
    return { status: res.status, body: (await res.json()) as { checks: Record<string, string> } };
  };
  const projections = async () => {
    const res = await fetch(`${listening.url}/projections`);
    return ((await res.json()) as { data: { projections: Record<string, unknown>[] } }).data.projections;
  };
  const reached = (position: bigint) =>
    until(() => running.states().every((state) => (state.position ?? -1n) >= position), 'the projections');

  it('is healthy while everything goes on, and shows position and lag of each', async () => {
    const position = await appendAll(servers.eventLog, confirmedOrder('a'));
    await reached(position);
    expect((await health()).status).to.equal(200);
    expect(await projections()).to.deep.equal(
      allProjections.map(({ model }) => ({
        id: readModelId(model),
        state: 'live',
        position: String(position),
        lag_events: 0,
        lag_is_at_least: false,
        lag_seconds: 0,
        parked: { documents: 0, streams: 0, events: 0 },
        fault: null,
      })),
    );
  });

  it('counts lag in events and seconds, up to a limit', async () => {
    const position = await appendAll(servers.eventLog, confirmedOrder('b'));
    await reached(position);
    const unharmed = { fault: undefined, live: true, parked: { documents: 0, streams: 0, events: 0 } };
    const states = [
      { ...unharmed, id: 'none-seen', position: undefined },
      { ...unharmed, id: 'all-seen', position },
    ];
    const still = { states: () => states, positions: () => new Map(), close: async () => {} };
    const later = new Date(Date.now() + 60_000);
    const [none, all] = await measureLag(servers.eventLog, still, later);
    expect(none).to.deep.include({ lag_events: 18, lag_is_at_least: false, position: null });
    expect(none?.lag_seconds).to.be.within(59, 90);
    expect(all).to.deep.include({ lag_events: 0, lag_seconds: 0 });
    const [capped] = await measureLag(servers.eventLog, still, later, 5);
    expect(capped).to.deep.include({ lag_events: 5, lag_is_at_least: true });
  });

  it('is not ready once a projection lags too far behind, until it is well within the bound again', async () => {
    const position = await appendAll(servers.eventLog, confirmedOrder('d'));
    await reached(position);
    const seen = running.states().map((state) => ({ ...state, position: position - 1n }));
    let now = new Date();
    const still = { ...running, states: () => seen };
    const { eventLog } = servers;
    const deps = { eventLog, running: still, ping: store.ping, log: silentLogger, lagLimitSeconds: 60 };
    const face = await listen(buildProjectionsApp({ ...deps, clock: () => now }), 0);
    const ask = async (path: string) => {
      const res = await fetch(`${face.url}${path}`);
      return [res.status, ((await res.json()) as { checks: Record<string, string> }).checks['orders-v1']];
    };
    const askAfter = async (seconds: number) => {
      now = new Date(Date.now() + seconds * 1_000);
      return [await ask('/readyz'), await ask('/health')];
    };
    try {
      const ready = [
        [200, 'ok'],
        [200, 'ok'],
      ];
      const late = [
        [503, 'failed'],
        [200, 'degraded'],
      ];
      expect(await askAfter(50)).to.deep.equal(ready);
      expect(await askAfter(70)).to.deep.equal(late);
      expect(await askAfter(50)).to.deep.equal(late);
      expect(await askAfter(20)).to.deep.equal(ready);
      expect(await askAfter(50)).to.deep.equal(ready);
    } finally {
      await face.close();
    }
  });

  it('is degraded while something is parked, and tells how much', async () => {
    const position = await appendRaw(servers.eventLog, `order-${orderOf('c').order_id}`, unreadable());
    await reached(position);
    await until(() => running.states().some(({ parked }) => parked.events > 0), 'the parking');
    const { status, body } = await health();
    expect(status).to.equal(200);
    expect(body).to.deep.include({ status: 'degraded' });
    const parks = allProjections.map(({ model, types }) => [readModelId(model), types.has('order.paid')] as const);
    for (const [id, does] of parks) expect(body.checks[id], id).to.equal(does ? 'degraded' : 'ok');
    const [orders] = await projections();
    expect(orders).to.deep.include({ state: 'live', parked: { documents: 0, streams: 1, events: 1 }, fault: null });
    const res = await fetch(`${listening.url}/health`);
    const told = ((await res.json()) as { projections: { id: string; lag_events: number }[] }).projections;
    expect(told.map(({ id, lag_events }) => [id, lag_events])).to.deep.equal(parks.map(([id]) => [id, 0]));
  });

  it('is unhealthy once a projection has stopped, because more would be parked than may be', async () => {
    const { eventLog } = servers;
    const fresh = await servers.freshDatabase();
    const limits = { keys: 1, events: 10 };
    const strict = await startProjections({
      eventLog,
      db: fresh.db,
      log: silentLogger,
      projections: allProjections.slice(0, 1),
      limits,
    });
    const face = await listen(
      buildProjectionsApp({ eventLog, running: strict, ping: fresh.ping, log: silentLogger }),
      0,
    );
    try {
      await until(() => strict.states().some(({ parked }) => parked.events > 0), 'what is parked already');
      const event = unreadable();
      const position = await appendRaw(eventLog, `order-${orderOf('e').order_id}`, event);
      await until(() => strict.states().some(({ fault }) => fault !== undefined), 'the stop');
      const res = await fetch(`${face.url}/health`);
      expect(res.status).to.equal(503);
      expect(((await res.json()) as { checks: object }).checks).to.deep.equal({
        'document-store': 'ok',
        'event-store': 'ok',
        'orders-v1': 'failed',
      });
      const [orders] = await measureLag(eventLog, strict, new Date());
      expect(orders).to.deep.include({ state: 'stopped', parked: { documents: 0, streams: 1, events: 1 } });
      expect(orders?.fault).to.deep.equal({
        code: 'parked-too-much',
        event_id: event.id,
        event_type: 'order.paid',
        position: String(position),
      });
      const [checkpoint] = await fresh.db
        .collection('checkpoints')
        .find({ _id: 'orders-v1' as never })
        .toArray();
      expect(checkpoint?.['position'] < position).to.equal(true);
    } finally {
      await face.close();
      await strict.close();
      await fresh.close();
    }
  });
});
