import { once } from 'node:events';
import { jsonEvent, streamNameFilter, UnavailableError } from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, openTestStore, rejection, type TestStore } from './store-fixture.js';

const event = (type: string) => jsonEvent({ type, data: {} });

/** What the contract suite (`test/contract/event-store/`) does not ask, because it is this store's own. */
describe('subscribing to the embedded event store', () => {
  let test: TestStore;
  beforeEach(async () => {
    test = await openTestStore();
  });
  afterEach(() => test.remove());

  it('refuses a position beyond the end of the log', async () => {
    await test.client.appendToStream('s', event('a'));
    const fromPosition = { commit: 99n, prepare: 99n };
    const err = await rejection(collect(test.client.subscribeToAll({ fromPosition })));
    expect((err as Error).message).to.match(/beyond the end/);
  });

  it('refuses a regex that is not valid, with a sentence', async () => {
    const filter = streamNameFilter({ regex: '(' });
    const err = await rejection(collect(test.client.subscribeToAll({ filter })));
    expect((err as Error).message).to.match(/regular expression is not valid/);
  });

  it('gives up on a regex that takes for ever, and goes on serving', async () => {
    await test.client.appendToStream('s', event('x'));
    await test.client.appendToStream(`${'a'.repeat(60)}b`, event('x'));
    const filter = streamNameFilter({ regex: '^(a+)+$' });
    const err = await rejection(collect(test.client.subscribeToAll({ filter })));
    expect((err as Error).message).to.match(/takes longer/);
    expect(await collect(test.client.readStream('s'))).to.have.length(1);
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
});
