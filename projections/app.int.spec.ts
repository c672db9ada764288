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
        fault: null,
      })),
    );
  });

  it('counts lag in events and seconds, up to a limit', async () => {
    const position = await appendAll(servers.eventLog, confirmedOrder('b'));
    await reached(position);
    const states = [
      { id: 'none-seen', position: undefined, fault: undefined },
      { id: 'all-seen', position, fault: undefined },
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

  it('is unhealthy once a projection has stopped, and says at which event', async () => {
    const eventId = newId();
    const bad = { id: eventId, type: 'order.paid', data: {}, metadata: {} };
    const position = await appendRaw(servers.eventLog, `order-${orderOf('c').order_id}`, bad);
    await until(() => running.states().some(({ fault }) => fault !== undefined), 'the stop');
    const { status, body } = await health();
    expect(status).to.equal(503);
    expect(body.checks).to.deep.equal({
      'document-store': 'ok',
      'event-store': 'ok',
      ...Object.fromEntries(
        allProjections.map(({ model, types }) => [readModelId(model), types.has('order.paid') ? 'failed' : 'ok']),
      ),
    });
    const [orders] = await projections();
    expect(orders).to.deep.include({
      state: 'stopped',
      lag_events: 1,
      fault: {
        code: 'event-metadata-invalid',
        event_id: eventId,
        event_type: 'order.paid',
        position: String(position),
      },
    });
  });
});
