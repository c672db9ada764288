import { once } from 'node:events';
import {
  BACKWARDS,
  END,
  type EventStoreDBClient,
  jsonEvent,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, typesOf } from '../../../embedded/event-store-server/store-fixture.js';
import { describeTargets } from './event-store-targets.js';

const event = (type: string) => jsonEvent({ type, data: {} });

describeTargets('several clients of one process', (target) => {
  it('are served, whichever is closed first', async () => {
    const { client, connect, fresh } = target();
    const clients = [connect(), connect(), connect()];
    for (const each of clients) await each.appendToStream(fresh('client'), event('a'));
    const survivor = fresh('survivor');
    for (const gone of [1, 0, 2]) {
      await clients[gone]?.dispose();
      await client.appendToStream(survivor, event(`after ${gone}`));
    }
    expect(await collect(client.readStream(survivor))).to.have.length(3);
  });

  it('append at the same time, each to its own stream and all to one', async () => {
    const { connect, fresh } = target();
    const clients = Array.from({ length: 5 }, () => connect());
    for (const each of clients) await each.appendToStream(fresh('warm-up'), event('x'));
    const shared = fresh('shared');
    const own = clients.map(() => fresh('own'));
    let refused = 0;
    await Promise.all(
      clients.map(async (client, n) => {
        for (let round = 0; round < 40; round += 1) {
          await client.appendToStream(own[n] ?? '', event(`${round}`), {
            expectedRevision: round === 0 ? 'no_stream' : BigInt(round - 1),
          });
          for (;;) {
            const last = await lastRevision(client, shared);
            try {
              await client.appendToStream(shared, event(`${n}-${round}`), { expectedRevision: last ?? 'no_stream' });
              break;
            } catch (err) {
              if (!(err instanceof WrongExpectedVersionError)) throw err;
              refused += 1;
            }
          }
        }
      }),
    );
    expect(refused).to.be.greaterThan(0);
    for (const [n, client] of clients.entries()) {
      const types = typesOf(await collect(client.readStream(own[n] ?? '')));
      expect(types).to.deep.equal(Array.from({ length: 40 }, (_, round) => `${round}`));
    }
    const all = typesOf(await collect(target().client.readStream(shared)));
    expect([...all].sort()).to.deep.equal(
      clients.flatMap((_, n) => Array.from({ length: 40 }, (__, round) => `${n}-${round}`)).sort(),
    );
  });

  it('keep their subscriptions when others are closed', async () => {
    const { client, connect, fresh } = target();
    const stream = fresh('followed');
    await client.appendToStream(stream, event('first'));
    const clients = Array.from({ length: 4 }, () => connect());
    const received = clients.map((each) => collect(each.subscribeToStream(stream), 1));
    expect((await Promise.all(received)).flatMap(typesOf)).to.deep.equal(clients.map(() => 'first'));
    const [kept, ...others] = clients;
    if (kept === undefined) throw new Error('There is no client.');
    const subscription = kept.subscribeToStream(stream);
    await once(subscription, 'caughtUp', { signal: AbortSignal.timeout(10_000) });
    for (const other of others.reverse()) {
      await other.dispose();
      await client.appendToStream(stream, event('more'));
    }
    expect(typesOf(await collect(subscription, 4))).to.deep.equal(['first', 'more', 'more', 'more']);
  });
});

async function lastRevision(client: EventStoreDBClient, stream: string): Promise<bigint | undefined> {
  try {
    const [last] = await collect(client.readStream(stream, { direction: BACKWARDS, fromRevision: END, maxCount: 1 }));
    return last?.event?.revision;
  } catch (err) {
    if (err instanceof StreamNotFoundError) return undefined;
    throw err;
  }
}
