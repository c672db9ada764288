import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  END,
  eventTypeFilter,
  excludeSystemEvents,
  jsonEvent,
  type Position,
  START,
  streamNameFilter,
  UnavailableError,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, openTestStore, rejection, type TestStore, typesOf } from './store-fixture.js';

const event = (type: string) => jsonEvent({ type, data: {} });
const events = (...types: string[]) => types.map(event);
const positionOf = (commit: bigint): Position => ({ commit, prepare: commit });

describe('subscribing to the embedded event store', () => {
  let test: TestStore;
  beforeEach(async () => {
    test = await openTestStore();
  });
  afterEach(() => test.remove());

  describe('a stream', () => {
    it('gives what is there, says it caught up, then gives what comes', async () => {
      await test.client.appendToStream('s', events('a', 'b'));
      const subscription = test.client.subscribeToStream('s');
      const caughtUp = once(subscription, 'caughtUp');
      const received = collect(subscription, 4);
      await caughtUp;
      await test.client.appendToStream('other', event('x'));
      await test.client.appendToStream('s', events('c', 'd'));
      expect(typesOf(await received)).to.deep.equal(['a', 'b', 'c', 'd']);
    });

    it('starts after the revision it is given, or at the end, or before the stream exists', async () => {
      await test.client.appendToStream('s', events('a', 'b'));
      const from = test.client.subscribeToStream('s', { fromRevision: 0n });
      const end = test.client.subscribeToStream('s', { fromRevision: END });
      const early = test.client.subscribeToStream('later', { fromRevision: START });
      const ready = [from, end, early].map((subscription) => once(subscription, 'caughtUp'));
      const received = [collect(from, 2), collect(end, 1), collect(early, 1)];
      await Promise.all(ready);
      await test.client.appendToStream('s', event('c'));
      await test.client.appendToStream('later', event('first'));
      const [fromTypes, endTypes, earlyTypes] = (await Promise.all(received)).map(typesOf);
      expect(fromTypes).to.deep.equal(['b', 'c']);
      expect(endTypes).to.deep.equal(['c']);
      expect(earlyTypes).to.deep.equal(['first']);
    });

    it('goes on when its stream is deleted and written again', async () => {
      await test.client.appendToStream('s', events('a', 'b'));
      const subscription = test.client.subscribeToStream('s');
      const caughtUp = once(subscription, 'caughtUp');
      const received = collect(subscription, 3);
      await caughtUp;
      await test.client.deleteStream('s');
      await test.client.appendToStream('s', event('c'));
      expect(typesOf(await received)).to.deep.equal(['a', 'b', 'c']);
    });
  });

  describe('$all', () => {
    it('starts after the position it is given and survives a restart from there', async () => {
      const { position } = await test.client.appendToStream('s', events('a', 'b'));
      await test.client.appendToStream('t', event('c'));
      await test.restart();
      const received = collect(test.client.subscribeToAll({ fromPosition: position ?? START }), 2);
      await test.client.appendToStream('t', event('d'));
      expect(typesOf(await received)).to.deep.equal(['c', 'd']);
    });

    it('from the end gives only what is new', async () => {
      await test.client.appendToStream('s', events('a', 'b'));
      const subscription = test.client.subscribeToAll({ fromPosition: END });
      const caughtUp = once(subscription, 'caughtUp');
      const received = collect(subscription, 1);
      await caughtUp;
      await test.client.appendToStream('s', event('c'));
      expect(typesOf(await received)).to.deep.equal(['c']);
    });

    it('refuses a position beyond the end of the log', async () => {
      await test.client.appendToStream('s', event('a'));
      const err = await rejection(collect(test.client.subscribeToAll({ fromPosition: positionOf(99n) })));
      expect((err as Error).message).to.match(/beyond the end/);
    });

    it('gives every event once and in order while 16 writers append', async () => {
      const total = 16 * 60;
      const received = collect(test.client.subscribeToAll(), total);
      const filtered = collect(
        test.client.subscribeToAll({ filter: streamNameFilter({ prefixes: ['even-'] }) }),
        total / 2,
      );
      await Promise.all(
        Array.from({ length: 16 }, async (_, writer) => {
          for (let n = 0; n < 60; n += 1) {
            await test.client.appendToStream(`${writer % 2 === 0 ? 'even' : 'odd'}-${writer}`, event(`${n}`));
          }
        }),
      );
      const positions = (await received).map(({ event: { position } = {} }) => Number(position?.commit));
      expect(positions).to.deep.equal(Array.from({ length: total }, (_, n) => n + 1));
      const even = (await received).filter(({ event: got }) => got?.streamId.startsWith('even-'));
      expect((await filtered).map(({ event: got }) => got?.id)).to.deep.equal(even.map(({ event: got }) => got?.id));
    });

    it('waits for a subscriber that does not read, and loses nothing', async () => {
      const bulk = Array.from({ length: 400 }, (_, n) =>
        jsonEvent({ type: String(n), data: { fill: 'x'.repeat(2_000) } }),
      );
      const subscription = test.client.subscribeToAll();
      await once(subscription, 'confirmation');
      for (let part = 0; part < 10; part += 1) {
        await test.client.appendToStream(
          `bulk-${part}`,
          bulk.map(({ type, data }) => jsonEvent({ type, data })),
        );
      }
      const received = await collect(subscription, 4_000);
      expect(received.map(({ event: got }) => Number(got?.position.commit))).to.deep.equal(
        Array.from({ length: 4_000 }, (_, n) => n + 1),
      );
    });
  });

  describe('$all with a filter', () => {
    const names = ['order-1', 'order-2', 'payment-1', 'orders-1', '$system-1'];
    beforeEach(async () => {
      for (const name of names) await test.client.appendToStream(name, events(`${name}.created`, 'common'));
    });

    const cases = [
      {
        what: 'stream prefixes',
        filter: streamNameFilter({ prefixes: ['order-', 'payment-'] }),
        streams: [0, 0, 1, 1, 2, 2],
      },
      { what: 'a stream regex', filter: streamNameFilter({ regex: '^orders?-1$' }), streams: [0, 0, 3, 3] },
      { what: 'type prefixes', filter: eventTypeFilter({ prefixes: ['order-', '$system'] }), streams: [0, 1, 4] },
      { what: 'a type regex', filter: eventTypeFilter({ regex: '^(payment|orders).*created$' }), streams: [2, 3] },
      { what: 'no system events', filter: excludeSystemEvents(), streams: [0, 0, 1, 1, 2, 2, 3, 3, 4] },
    ];
    for (const { what, filter, streams } of cases) {
      it(`takes ${what}`, async () => {
        const received = await collect(test.client.subscribeToAll({ filter }), streams.length);
        expect(received.map(({ event: got }) => got?.streamId)).to.deep.equal(streams.map((n) => names[n]));
      });
    }

    it('refuses a regex that is not valid', async () => {
      const err = await rejection(collect(test.client.subscribeToAll({ filter: streamNameFilter({ regex: '(' }) })));
      expect((err as Error).message).to.match(/regular expression is not valid/);
    });

    it('gives up on a regex that takes for ever, and goes on serving', async () => {
      await test.client.appendToStream(`${'a'.repeat(60)}b`, event('x'));
      const filter = streamNameFilter({ regex: '^(a+)+$' });
      const err = await rejection(collect(test.client.subscribeToAll({ filter })));
      expect((err as Error).message).to.match(/takes longer/);
      expect(await collect(test.client.readStream('order-1'))).to.have.length(2);
    });
  });

  describe('checkpoints', () => {
    it('come every window of examined events, once more when live, and never pass an event', async () => {
      const log: (string | number)[] = [];
      for (let n = 1; n <= 100; n += 1) await test.client.appendToStream(n === 50 ? 'wanted' : 'noise', event(`${n}`));
      const subscription = test.client.subscribeToAll({
        filter: streamNameFilter({
          prefixes: ['wanted'],
          checkpointInterval: 2,
          maxSearchWindow: 10,
          checkpointReached: async (_, { commit }) => {
            log.push(Number(commit));
          },
        }),
      });
      const caughtUp = once(subscription, 'caughtUp');
      const reading = collect(
        (async function* () {
          for await (const got of subscription) {
            log.push(got.event?.type === '50' ? 'wanted' : 'other');
            yield got;
          }
        })(),
      );
      await caughtUp;
      for (let n = 101; n <= 140; n += 1) await test.client.appendToStream('noise', event(`${n}`));
      while (log.at(-1) !== 140) await new Promise((resolve) => setImmediate(resolve));
      await subscription.unsubscribe();
      await reading;
      expect(log.filter((entry) => entry !== 'wanted')).to.deep.equal([20, 40, 60, 80, 100, 100, 120, 140]);
      expect(log.filter((entry) => entry === 'wanted')).to.have.length(1);
    });
  });

  it('tells its subscribers when the server closes', async () => {
    const subscription = test.client.subscribeToAll();
    const caughtUp = once(subscription, 'caughtUp');
    const ended = rejection(collect(subscription));
    await caughtUp;
    await test.store.close();
    expect(await ended).to.be.instanceOf(UnavailableError);
  });

  it('serves on when subscribers leave in the middle', async () => {
    for (let n = 0; n < 20; n += 1) {
      await test.client.appendToStream('s', event(randomUUID()));
      await collect(test.client.subscribeToAll(), n + 1);
    }
    await test.client.appendToStream('s', event('last'));
    expect(await collect(test.client.readStream('s'))).to.have.length(21);
  });
});
