import {
  jsonEvent,
  persistentSubscriptionToAllSettingsFromDefaults,
  persistentSubscriptionToStreamSettingsFromDefaults,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { eventually } from '../../test/support/eventually.js';
import { collect, openTestStore, rejection, type TestStore } from './store-fixture.js';

const event = (type = 't') => jsonEvent({ type, data: { city: 'Delft' } });

/** The figures of a page, by name and labels as they stand in it. */
function parse(page: string): Map<string, number> {
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const cut = line.lastIndexOf(' ');
      return [line.slice(0, cut), Number(line.slice(cut + 1))];
    }),
  );
}

describe('the metrics of the embedded event store', () => {
  let test: TestStore;
  const scrape = async () => parse(await (await fetch(`http://127.0.0.1:${test.store.metricsPort}/metrics`)).text());
  beforeEach(async () => {
    test = await openTestStore({ metricsPort: 0 });
  });
  afterEach(() => test.remove());

  it('count appends by what came of them, events, bytes and transactions', async () => {
    const before = await scrape();
    const repeated = event();
    await test.client.appendToStream('s', [repeated, event()], { expectedRevision: 'no_stream' });
    await test.client.appendToStream('s', repeated, { expectedRevision: 'no_stream' });
    await rejection(test.client.appendToStream('s', event(), { expectedRevision: 7n }));
    await test.client.tombstoneStream('gone');
    await rejection(test.client.appendToStream('gone', event()));
    const after = await eventually('the figures of the last answer', async () => {
      const now = await scrape();
      return now.get('event_store_appends_total{outcome="stream-deleted"}') === 1 && now;
    });
    const rise = (name: string) => (after.get(`event_store_${name}`) ?? 0) - (before.get(`event_store_${name}`) ?? 0);
    expect(rise('appends_total{outcome="appended"}')).to.equal(3);
    expect(rise('appends_total{outcome="wrong-expected-version"}')).to.equal(1);
    expect(rise('events_appended_total')).to.equal(3);
    expect(rise('bytes_appended_total')).to.be.within(3 * 50, 3 * 500);
    expect(rise('commit_events_count')).to.equal(2);
    expect(rise('commit_events_sum')).to.equal(3);
    expect(rise('commit_events_bucket{le="1"}')).to.equal(1);
    expect(rise('commit_seconds_count')).to.equal(2);
    expect(rise('commit_seconds_sum')).to.be.greaterThan(0);
    expect(rise('head_position')).to.equal(3);
    expect(after.get('event_store_backlog_events')).to.equal(0);
    expect(after.get('event_store_disk_full')).to.equal(0);
    const sizes = ['used_bytes', 'file_bytes'].map((name) => after.get(`event_store_${name}`) ?? 0);
    expect(sizes[0]).to.be.within(4096, sizes[1] ?? 0);
    expect(after.get('event_store_map_bytes')).to.be.at.least(sizes[0] ?? 0);
  });

  it('count reads by kind, what was sent, and who follows now', async () => {
    await test.client.appendToStream('s', [event('a'), event('b'), event('c')]);
    const quiet = await scrape();
    await collect(test.client.readStream('s', { maxCount: 2n }));
    await collect(test.client.readAll());
    const followers = [test.client.subscribeToAll(), test.client.subscribeToStream('s')];
    let seen = 0;
    for (const follower of followers) {
      follower.on('data', () => {
        seen += 1;
      });
    }
    const name = (rest: string) => `event_store_${rest}`;
    const busy = await eventually('two subscribers that have caught up', async () => {
      const now = await scrape();
      return seen === 6 && now.get(name('events_sent_total')) === 11 && now;
    });
    for (const kind of ['stream', 'all', 'stream-subscription', 'all-subscription'])
      expect(busy.get(name(`reads_total{kind="${kind}"}`)), kind).to.equal(1);
    expect(busy.get(name('bytes_sent_total'))).to.be.within(11 * 50, 11 * 500);
    expect([quiet, busy].map((page) => page.get(name('subscribers')))).to.deep.equal([0, 2]);
    const calls = [quiet, busy].map((page) => page.get(name('open_calls')) ?? 0);
    expect((calls[1] ?? 0) - (calls[0] ?? 0)).to.equal(2);
    await Promise.all(followers.map((follower) => follower.unsubscribe()));
    await eventually('nobody to follow', async () => (await scrape()).get(name('subscribers')) === 0);
  });

  it('count the consumers of persistent subscriptions among those who follow', async () => {
    const { client } = test;
    const name = (rest: string) => `event_store_${rest}`;
    const streamSettings = persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: 'start' });
    await client.createPersistentSubscriptionToStream('s', 'g', streamSettings);
    const allSettings = persistentSubscriptionToAllSettingsFromDefaults({ startFrom: 'start' });
    await client.createPersistentSubscriptionToAll('g', allSettings);
    const consumers = [
      client.subscribeToPersistentSubscriptionToStream('s', 'g'),
      client.subscribeToPersistentSubscriptionToAll('g'),
    ];
    for (const consumer of consumers) consumer.on('data', () => undefined);
    await eventually('both', async () => (await scrape()).get(name('subscribers')) === 2);
    const page = await scrape();
    for (const kind of ['stream-persistent', 'all-persistent'])
      expect(page.get(name(`reads_total{kind="${kind}"}`)), kind).to.equal(1);
    const [first, second] = consumers;
    second?.on('error', () => undefined);
    await first?.unsubscribe();
    await client.deletePersistentSubscriptionToAll('g');
    await eventually('nobody', async () => (await scrape()).get(name('subscribers')) === 0);
  });

  it('hold figures of the process, and nothing of another store in it', async () => {
    const other = await openTestStore({ metricsPort: 0 });
    await other.client.appendToStream('s', event());
    const page = await scrape();
    expect(page.get('event_store_events_appended_total')).to.equal(0);
    expect(page.get('process_resident_memory_bytes')).to.be.greaterThan(0);
    await other.remove();
  });

  it('are all that the port serves, and end with the store', async () => {
    const url = `http://127.0.0.1:${test.store.metricsPort}`;
    for (const path of ['/', '/metrics/x', '/favicon.ico']) expect((await fetch(url + path)).status).to.equal(404);
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).to.equal(404);
    await test.stop();
    expect(await rejection(fetch(`${url}/metrics`))).to.be.instanceOf(TypeError);
  });

  it('are served only where a port is given, and keep nothing open when that port is in use', async () => {
    const plain = await openTestStore();
    expect(plain.store.metricsPort).to.equal(undefined);
    await plain.stop();
    const used = test.store.metricsPort;
    expect(await rejection(openTestStore({ dataDir: plain.dataDir, metricsPort: used }))).to.be.instanceOf(Error);
    const again = await openTestStore({ dataDir: plain.dataDir });
    await again.remove();
  });
});
