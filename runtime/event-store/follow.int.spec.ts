import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { eventually } from '../../test/support/eventually.js';
import { startTestLog, type TestLog } from '../../test/support/stores.js';
import { silentLogger } from '../logger.js';
import type { StoredEvent } from './event-log.js';
import { type Batch, type Follower, type FollowOptions, followLog } from './follow.js';
import { fill, proposed, several } from './log-fixture.js';

describe('following the log', () => {
  let store: TestLog;
  let followers: Follower[];
  let id: string;
  before(async () => {
    store = await startTestLog();
  });
  after(() => store.close());
  beforeEach(() => {
    followers = [];
    id = randomUUID();
  });
  afterEach(() => Promise.all(followers.map((follower) => follower.close())));

  /** Follows, and keeps every batch that was handled. */
  const follow = (options: Partial<FollowOptions>) => {
    const batches: Batch[] = [];
    const follower = followLog(store.eventLog, {
      after: undefined,
      maxBatch: 100,
      log: silentLogger,
      ...options,
      async handle(batch) {
        await options.handle?.(batch);
        batches.push(batch);
      },
    });
    followers.push(follower);
    const events = () => batches.flatMap((batch) => batch.events);
    return { follower, batches, events, positions: () => events().map(({ position }) => position) };
  };
  const head = () => store.eventLog.head();
  const sees = (follower: Follower, position: bigint) =>
    eventually(`the follower to reach ${position}`, () => follower.position() >= position);

  it('begins at the start of the log and goes on with what is new', async () => {
    await fill(store.eventLog, `a-${id}`, 300);
    const { follower, events } = follow({});
    await sees(follower, await head());
    const [position] = await fill(store.eventLog, `b-${id}`, 1);
    await sees(follower, position ?? 0n);
    const mine = events().filter(({ stream }) => stream.endsWith(id));
    expect(mine.map(({ stream, revision }) => `${stream}:${revision}`)).to.deep.equal([
      ...Array.from({ length: 300 }, (_, n) => `a-${id}:${n}`),
      `b-${id}:0`,
    ]);
  });

  it('takes fewer large events at once, and one at least', async () => {
    await fill(store.eventLog, `a-${id}`, 40);
    const heavy = (stream: string, revision: bigint) => stream === `a-${id}` && revision % 10n === 0n;
    const weigh = ({ stream, revision }: StoredEvent) => (heavy(stream, revision) ? 50 : 1);
    const { follower, batches, events } = follow({ maxBatch: 20, weigh });
    await sees(follower, await head());
    expect(events().filter(({ stream }) => stream === `a-${id}`)).to.have.length(40);
    const loads = batches.map((batch) => batch.events.reduce((sum, event) => sum + weigh(event), 0));
    for (const [index, load] of loads.entries()) {
      expect(load <= 20 || batches[index]?.events.length === 1, `${load}`).to.equal(true);
    }
    expect(loads.filter((load) => load === 50)).to.have.length(4);
  });

  it('hands on what comes while a batch is in hand, and all of it again where that is not stored', async () => {
    await fill(store.eventLog, `a-${id}`, 60);
    const stored: bigint[] = [];
    let reached: bigint | undefined;
    let [refused, overlapped] = [false, 0];
    let before: Promise<void> = Promise.resolve();
    const follower = followLog(store.eventLog, {
      after: undefined,
      maxBatch: 10,
      log: silentLogger,
      async handle({ events, upTo, after }) {
        let pending = true;
        void before.finally(() => {
          pending = false;
        });
        await Promise.resolve();
        if (pending) overlapped += 1;
        await before;
        if (after !== undefined && (reached === undefined || reached < after)) throw new Error('out of turn');
        const mine = events.filter(({ stream }) => stream === `a-${id}`).map(({ revision }) => revision);
        const fails = !refused && mine.includes(25n);
        refused ||= fails;
        const slowly = async () => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          if (fails) throw new Error('not now');
          stored.push(...mine);
          reached = upTo;
        };
        const inHand = slowly();
        before = inHand.catch(() => {});
        return { stored: inHand };
      },
    });
    followers.push(follower);
    await sees(follower, await head());
    expect(stored).to.deep.equal(Array.from({ length: 60 }, (_, n) => BigInt(n)));
    expect(overlapped).to.be.greaterThan(0);
  });

  it('begins after a position', async () => {
    const written = await fill(store.eventLog, `a-${id}`, 10);
    const { follower, positions } = follow({ after: written[4] });
    expect(follower.position()).to.equal(written[4]);
    await sees(follower, written[9] ?? 0n);
    expect(positions()).to.deep.equal(written.slice(5));
  });

  it('says where it is by the batches that were handled, each at most as large as allowed', async () => {
    const after = await head();
    const written = await fill(store.eventLog, `a-${id}`, 200);
    const at: bigint[] = [];
    const { follower, batches, positions } = follow({
      after,
      maxBatch: 10,
      handle: async ({ upTo }) => {
        expect(follower.position()).to.equal(at.at(-1) ?? after);
        at.push(upTo);
        // Time for the queue to fill.
        if (at.length === 1) await head();
      },
    });
    await sees(follower, written[199] ?? 0n);
    expect(positions()).to.deep.equal(written);
    expect(Math.max(...batches.map((batch) => batch.events.length))).to.be.within(2, 10);
    for (const { events, upTo } of batches) expect(upTo >= (events.at(-1)?.position ?? 0n)).to.equal(true);
    expect(at).to.deep.equal([...new Set(at)].sort((a, b) => Number(a - b)));
  });

  for (const count of [1, 9, 10, 11, 20, 39, 40, 41, 80, 400]) {
    it(`hands over all of ${count} events in batches of ten, then waits for the next`, async () => {
      const after = await head();
      const written = await fill(store.eventLog, `a-${id}`, count, count);
      const { follower, positions } = follow({ after, maxBatch: 10 });
      await sees(follower, written.at(-1) ?? 0n);
      const more = await fill(store.eventLog, `a-${id}`, 1);
      await sees(follower, more[0] ?? 0n);
      expect(positions()).to.deep.equal([...written, ...more]);
    });
  }

  it('leaves system events and streams out', async () => {
    const after = await head();
    await store.eventLog.keepLast(`checkpoint-${id}`, 2);
    await store.eventLog.appendSide(`checkpoint-${id}`, proposed(1));
    const { follower, events } = follow({ after });
    await sees(follower, await head());
    expect(events().map(({ stream }) => stream)).to.deep.equal([`checkpoint-${id}`]);
  });

  describe('with prefixes', () => {
    it('hands over the streams of those names alone', async () => {
      const after = await head();
      for (const name of ['order', 'payment', 'ordernumber', 'cart']) await fill(store.eventLog, `${name}-${id}`, 2);
      const { follower, events } = follow({ after, prefixes: ['order-', 'payment-'] });
      await sees(follower, (await head()) - 2n);
      const names = new Set(events().map(({ stream }) => stream.replace(`-${id}`, '')));
      expect([...names]).to.deep.equal(['order', 'payment']);
    });

    it('moves on over what it leaves out: at the start and while it is live', async () => {
      const after = await head();
      await fill(store.eventLog, `cart-${id}`, 600);
      const { follower, events, batches } = follow({ after, prefixes: [`none-${id}`] });
      await sees(follower, await head());
      await fill(store.eventLog, `cart-${id}`, 600);
      const [wanted] = await fill(store.eventLog, `none-${id}`, 1);
      await fill(store.eventLog, `cart-${id}`, 600);
      await sees(follower, (await head()) - 256n);
      expect(events().map(({ position }) => position)).to.deep.equal([wanted]);
      const upTo = batches.map((batch) => batch.upTo);
      expect(upTo).to.deep.equal([...new Set(upTo)].sort((a, b) => Number(a - b)));
    });

    it('moves on over a single event that it leaves out, and does not take the quiet for a fault', async () => {
      const warnings: string[] = [];
      const log = { ...silentLogger, warn: (message: string) => warnings.push(message) };
      const { follower, events } = follow({ after: await head(), prefixes: [`none-${id}`], stallCheckMs: 20, log });
      for (let round = 0; round < 5; round += 1) {
        const [position] = await fill(store.eventLog, `cart-${id}`, 1);
        await sees(follower, position ?? 0n);
      }
      const [wanted] = await fill(store.eventLog, `none-${id}`, 1);
      await sees(follower, wanted ?? 0n);
      expect(events()).to.have.length(1);
      expect(warnings).to.deep.equal([]);
    });
  });

  describe('whose handler fails', () => {
    it('hands the same events over again, and nothing behind them before', async () => {
      const after = await head();
      const written = await fill(store.eventLog, `a-${id}`, 50);
      const seen: (bigint | undefined)[] = [];
      let failures = 3;
      const { follower, positions } = follow({
        after,
        maxBatch: 10,
        handle: async ({ events }) => {
          seen.push(events[0]?.position);
          if (events.some(({ position }) => position === written[20]) && failures > 0) {
            failures -= 1;
            throw new Error('not today');
          }
        },
      });
      await sees(follower, written[49] ?? 0n);
      expect(positions()).to.deep.equal(written);
      expect(failures).to.equal(0);
      const first = seen.filter((position) => position !== undefined && position <= (written[20] ?? 0n));
      expect(first.length).to.be.at.least(4);
    });

    it('does not move', async () => {
      const after = await head();
      await fill(store.eventLog, `a-${id}`, 5);
      let tries = 0;
      const { follower } = follow({
        after,
        handle: async () => {
          tries += 1;
          throw new Error('never');
        },
      });
      await eventually('three tries', () => tries >= 3);
      expect(follower.position()).to.equal(after);
    });
  });

  describe('whose handler is slow', () => {
    it('holds a few batches in memory, however long the log', async () => {
      const after = await head();
      const written = await fill(store.eventLog, `a-${id}`, 6_000, 500);
      const subscriptions: { readableLength: number }[] = [];
      let delivered = 0;
      const watched = {
        ...store.eventLog,
        client() {
          const client = store.eventLog.client();
          return Object.assign(Object.create(client) as typeof client, {
            subscribeToAll(...args: Parameters<typeof client.subscribeToAll>) {
              const subscription = client.subscribeToAll(...args);
              subscription.on('data', () => {
                delivered += 1;
              });
              subscriptions.push(subscription);
              return subscription;
            },
          });
        },
      };
      let open: () => void = () => {};
      const gate = new Promise<void>((resolve) => {
        open = resolve;
      });
      let handled = 0;
      const follower = followLog(watched, {
        after,
        maxBatch: 10,
        log: silentLogger,
        handle: async ({ events }) => {
          await gate;
          handled += events.length;
        },
      });
      followers.push(follower);
      await eventually('the queue to fill', () => delivered >= 40);
      // Everything that is going to come while the handler waits has come when a round trip has passed.
      await head();
      await head();
      expect(delivered).to.be.at.most(60);
      expect(subscriptions[0]?.readableLength).to.be.at.most(16);
      open();
      await sees(follower, written.at(-1) ?? 0n);
      expect(handled).to.equal(6_000);
      expect(subscriptions).to.have.length(1);
    });

    it('is waited for when the follower is closed, and gets no more', async () => {
      const after = await head();
      const written = await fill(store.eventLog, `a-${id}`, 50);
      let open: () => void = () => {};
      const gate = new Promise<void>((resolve) => {
        open = resolve;
      });
      let begun = 0;
      const { follower, positions } = follow({
        after,
        maxBatch: 10,
        handle: async () => {
          begun += 1;
          await gate;
        },
      });
      await eventually('a batch in hand', () => begun === 1);
      let closed = false;
      const closing = follower.close().then(() => {
        closed = true;
      });
      await head();
      expect(closed).to.equal(false);
      open();
      await closing;
      expect(begun).to.equal(1);
      expect(follower.position()).to.equal(positions().at(-1));
      expect(positions()).to.deep.equal(written.slice(0, positions().length));
    });
  });

  it('closes at once while it waits, and while it pauses after a fault', async () => {
    const idle = follow({ after: await head() });
    await idle.follower.close();
    let tries = 0;
    await store.eventLog.append(`a-${id}`, several(1), 'no-stream');
    const failing = follow({
      handle: async () => {
        tries += 1;
        throw new Error('never');
      },
    });
    await eventually('some tries', () => tries >= 3);
    const began = performance.now();
    await failing.follower.close();
    expect(performance.now() - began).to.be.lessThan(150);
    const before = tries;
    await head();
    expect(tries).to.equal(before);
  });
});
