import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { streamNameFilter } from '@eventstore/db-client';
import { expect } from 'chai';
import { eventually } from '../../test/support/eventually.js';
import { silentLogger } from '../logger.js';
import type { EventLog } from './event-log.js';
import { type Batch, type Follower, type FollowOptions, followLog } from './follow.js';
import { fill, type ProxiedLog, startProxiedLog } from './log-fixture.js';

describe('following a log that fails', () => {
  let faulty: ProxiedLog;
  let follower: Follower | undefined;
  let id: string;
  let warnings: string[];

  beforeEach(async () => {
    faulty = await startProxiedLog();
    id = randomUUID();
    warnings = [];
  });
  afterEach(async () => {
    await follower?.close();
    await faulty.close();
  });

  const follow = (
    eventLog: EventLog,
    options: Partial<FollowOptions> = {},
  ): { handled: bigint[]; batches: Batch[] } => {
    const handled: bigint[] = [];
    const batches: Batch[] = [];
    follower = followLog(eventLog, {
      after: undefined,
      maxBatch: 64,
      log: { ...silentLogger, warn: (_, fields) => warnings.push(String(fields?.err)) },
      ...options,
      async handle(batch) {
        await options.handle?.(batch);
        handled.push(...batch.events.map(({ position }) => position));
        batches.push(batch);
      },
    });
    return { handled, batches };
  };
  /** Everything the filter lets through up to `upTo` has been handed over, and nothing is handed over later. */
  const contiguous = ({ batches }: { batches: readonly Batch[] }) => {
    for (const [index, { upTo, events }] of batches.entries()) {
      expect(upTo >= (events.at(-1)?.position ?? 0n), 'up to its own end').to.equal(true);
      const next = batches[index + 1];
      if (next === undefined) break;
      expect(next.upTo > upTo, 'further with every batch').to.equal(true);
      const first = next.events[0];
      if (first !== undefined) expect(first.position > upTo, 'not past what is to come').to.equal(true);
    }
  };
  const reaches = (position: bigint | undefined) =>
    eventually(`the follower to reach ${position}`, () => (follower?.position() ?? 0n) >= (position ?? 0n), 15_000);

  /** Writes on past the proxy while something happens to the follower's connection. */
  const writeWhile = async (rounds: number, happening: (round: number) => Promise<void> | void): Promise<bigint[]> => {
    const written: bigint[] = [];
    for (let round = 0; round < rounds; round += 1) {
      written.push(...(await fill(faulty.store.eventLog, `a-${id}`, 500)));
      await happening(round);
    }
    return written;
  };

  it('loses and doubles nothing when the server restarts in the middle', async () => {
    const followed = follow(faulty.store.eventLog);
    const written = await writeWhile(6, async (round) => {
      await eventually('some to be handled', () => followed.handled.length > round * 250);
      await faulty.store.restart();
      await eventually('an answer', () =>
        faulty.store.eventLog.head().then(
          () => true,
          () => false,
        ),
      );
    });
    await reaches(written.at(-1));
    expect(followed.handled).to.deep.equal(written);
    contiguous(followed);
    expect(warnings.length).to.be.at.least(1);
  }).timeout(40_000);

  it('loses and doubles nothing when its connection is reset again and again', async () => {
    const followed = follow(faulty.eventLog);
    const written = await writeWhile(10, async (round) => {
      await eventually('some to be handled', () => followed.handled.length > round * 250);
      faulty.proxy.reset();
    });
    await reaches(written.at(-1));
    expect(followed.handled).to.deep.equal(written);
    contiguous(followed);
    expect(warnings.length).to.be.at.least(1);
  }).timeout(40_000);

  it('loses and doubles nothing with a filter, while resets and other streams come between', async () => {
    const followed = follow(faulty.eventLog, { prefixes: [`b-${id}`] });
    const wanted: bigint[] = [];
    await writeWhile(8, async (round) => {
      wanted.push(...(await fill(faulty.store.eventLog, `b-${id}`, 7)));
      await eventually('some to be handled', () => followed.handled.length >= round * 4);
      faulty.proxy.reset();
    });
    await reaches(wanted.at(-1));
    expect(followed.handled).to.deep.equal(wanted);
    contiguous(followed);
  }).timeout(40_000);

  it('waits for a store that is away, and goes on when it is back', async () => {
    const followed = follow(faulty.eventLog);
    const written = await writeWhile(1, () => {});
    await reaches(written.at(-1));
    await faulty.proxy.down();
    written.push(...(await fill(faulty.store.eventLog, `a-${id}`, 500)));
    await eventually('a few tries', () => warnings.length >= 3);
    await faulty.proxy.up();
    await reaches(written.at(-1));
    expect(followed.handled).to.deep.equal(written);
    contiguous(followed);
  });

  it('goes on with a slow handler across a reset', async () => {
    const followed = follow(faulty.eventLog, {
      maxBatch: 16,
      handle: () => new Promise<undefined>((resolve) => setTimeout(resolve, 1, undefined)),
    });
    const written = await writeWhile(4, () => faulty.proxy.reset());
    await reaches(written.at(-1));
    expect(followed.handled).to.deep.equal(written);
    contiguous(followed);
  }).timeout(40_000);

  describe('whose subscription', () => {
    /** The first subscriptions are played; later ones are the real thing. */
    const played = (...scenes: ((real: Readable) => Readable)[]): EventLog => ({
      ...faulty.eventLog,
      client() {
        const client = faulty.eventLog.client();
        return Object.assign(Object.create(client) as typeof client, {
          subscribeToAll(...args: Parameters<typeof client.subscribeToAll>) {
            const scene = scenes.shift();
            if (scene === undefined) return client.subscribeToAll(...args);
            const real = client.subscribeToAll({ ...args[0], filter: streamNameFilter({ regex: '^[^$]' }) });
            return Object.assign(scene(real), { unsubscribe: () => real.unsubscribe() });
          },
        });
      },
    });
    const limited = (real: Readable, count: number, then: (stream: Readable) => void): Readable => {
      const stream = new Readable({ objectMode: true, read() {} });
      let left = count;
      real.on('error', () => {});
      real.on('data', (item) => {
        if (left === 0) return;
        left -= 1;
        stream.push(item);
        if (left === 0) then(stream);
      });
      return stream;
    };

    it('ends without an error: it goes on from where it was', async () => {
      const written = await writeWhile(1, () => {});
      const end = (stream: Readable) => stream.push(null);
      const followed = follow(
        played(
          (real) => limited(real, 100, end),
          (real) => limited(real, 64, end),
          (real) => limited(real, 1, end),
        ),
      );
      await reaches(written.at(-1));
      expect(followed.handled).to.deep.equal(written);
      contiguous(followed);
      expect(warnings).to.have.length(3);
    });

    it('ends with an error behind events that wait to be handled: they are handled, none twice', async () => {
      const written = await writeWhile(1, () => {});
      const fail = (stream: Readable) => stream.emit('error', new Error('lost'));
      const followed = follow(
        played(
          (real) => limited(real, 200, fail),
          (real) => limited(real, 130, fail),
        ),
        { maxBatch: 10 },
      );
      await reaches(written.at(-1));
      expect(followed.handled).to.deep.equal(written);
      contiguous(followed);
    });

    it('falls silent: it is noticed and replaced', async () => {
      const written = await writeWhile(1, () => {});
      const followed = follow(
        played(
          (real) => limited(real, 120, () => {}),
          () => new Readable({ objectMode: true, read() {} }),
        ),
        { stallCheckMs: 30 },
      );
      await reaches(written.at(-1));
      expect(followed.handled).to.deep.equal(written);
      contiguous(followed);
      expect(warnings).to.deep.equal(Array(2).fill('Error: the subscription has fallen silent'));
    });

    it('brings events twice: they are handled once', async () => {
      const written = await writeWhile(1, () => {});
      const followed = follow(
        played((real) => {
          const stream = new Readable({ objectMode: true, read() {} });
          real.on('data', (item) => {
            stream.push(item);
            stream.push(item);
          });
          return stream;
        }),
      );
      await reaches(written.at(-1));
      expect(followed.handled).to.deep.equal(written);
      contiguous(followed);
    });

    it('says that it has come far while events wait in its buffer: the checkpoint does not pass them', async () => {
      const written = await fill(faulty.store.eventLog, `a-${id}`, 300);
      let claims = 0;
      const greedy: EventLog = {
        ...faulty.eventLog,
        client() {
          const client = faulty.eventLog.client();
          return Object.assign(Object.create(client) as typeof client, {
            subscribeToAll(...args: Parameters<typeof client.subscribeToAll>) {
              const [options] = args;
              const filter = options?.filter;
              const subscription = client.subscribeToAll(...args);
              // Like the server's own word that everything up to the end has been sent.
              const claim = () => {
                if (subscription.readableLength === 0) return;
                claims += 1;
                const last = written.at(-1) ?? 0n;
                void filter?.checkpointReached?.(subscription, { commit: last, prepare: last });
              };
              subscription.on('pause', () => setImmediate(claim));
              return subscription;
            },
          });
        },
      };
      const followed = follow(greedy, {
        maxBatch: 5,
        handle: () => new Promise<undefined>((resolve) => setTimeout(resolve, 1, undefined)),
      });
      await reaches(written.at(-1));
      expect(claims).to.be.greaterThan(0);
      expect(followed.handled).to.deep.equal(written);
      contiguous(followed);
    });
  });
});
