import { once } from 'node:events';
import {
  END,
  jsonEvent,
  type Position,
  type ResolvedEvent,
  START,
  StreamDeletedError,
  streamNameFilter,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, rejection, typesOf } from '../../../embedded/event-store-server/store-fixture.js';
import { eventually } from '../../support/eventually.js';
import { describeTargets } from './event-store-targets.js';
import { isRising, ownEvents } from './own-events.js';

const event = (type: string) => jsonEvent({ type, data: {} });
const events = (...types: string[]) => types.map(event);

describeTargets('subscribing', (target) => {
  let stream: string;
  beforeEach(() => {
    stream = target().fresh('subscribed');
  });

  describe('to a stream', () => {
    it('gives what is there, says it caught up, then gives what comes', async () => {
      const { client, fresh } = target();
      await client.appendToStream(stream, events('a', 'b'));
      const subscription = client.subscribeToStream(stream);
      const caughtUp = once(subscription, 'caughtUp');
      const received = collect(subscription, 4);
      await caughtUp;
      await client.appendToStream(fresh('other'), event('x'));
      await client.appendToStream(stream, events('c', 'd'));
      expect(typesOf(await received)).to.deep.equal(['a', 'b', 'c', 'd']);
    });

    it('starts after the revision it is given, or at the end, or before the stream exists', async () => {
      const { client, fresh } = target();
      const later = fresh('later');
      await client.appendToStream(stream, events('a', 'b'));
      const from = client.subscribeToStream(stream, { fromRevision: 0n });
      const end = client.subscribeToStream(stream, { fromRevision: END });
      const early = client.subscribeToStream(later, { fromRevision: START });
      const ready = [from, end, early].map((subscription) => once(subscription, 'caughtUp'));
      const received = [collect(from, 2), collect(end, 1), collect(early, 1)];
      await Promise.all(ready);
      await client.appendToStream(stream, event('c'));
      await client.appendToStream(later, event('first'));
      const [fromTypes, endTypes, earlyTypes] = (await Promise.all(received)).map(typesOf);
      expect(fromTypes).to.deep.equal(['b', 'c']);
      expect(endTypes).to.deep.equal(['c']);
      expect(earlyTypes).to.deep.equal(['first']);
    });

    it('ends with an error when the stream is tombstoned', async () => {
      const { client } = target();
      await client.appendToStream(stream, events('a', 'b'));
      const subscription = client.subscribeToStream(stream);
      const caughtUp = once(subscription, 'caughtUp');
      const ended = rejection(collect(subscription));
      await caughtUp;
      await client.tombstoneStream(stream);
      expect(await ended).to.be.instanceOf(StreamDeletedError);
    });

    it('goes on when the stream is deleted and written again', async () => {
      const { client } = target();
      await client.appendToStream(stream, events('a', 'b'));
      const subscription = client.subscribeToStream(stream);
      const caughtUp = once(subscription, 'caughtUp');
      const received = collect(subscription, 3);
      await caughtUp;
      await client.deleteStream(stream);
      await client.appendToStream(stream, event('c'));
      expect(typesOf(await received)).to.deep.equal(['a', 'b', 'c']);
    });

    it('can be left in the middle, again and again', async () => {
      const { client } = target();
      for (let n = 0; n < 20; n += 1) {
        await client.appendToStream(stream, event(String(n)));
        await collect(client.subscribeToStream(stream), n + 1);
      }
      expect(await collect(client.readStream(stream))).to.have.length(20);
    });
  });

  describe('to $all', () => {
    it('starts after the position it is given, also after a restart', async () => {
      const other = target().fresh('other');
      const { position } = await target().client.appendToStream(stream, events('a', 'b'));
      await target().client.appendToStream(other, event('c'));
      await target().restart?.();
      const subscription = target().client.subscribeToAll({ fromPosition: position ?? START });
      const received = collect(ownEvents(subscription, [stream, other]), 2);
      await target().client.appendToStream(other, event('d'));
      expect(typesOf(await received)).to.deep.equal(['c', 'd']);
    });

    it('from the end gives only what is new', async () => {
      const { client } = target();
      await client.appendToStream(stream, events('a', 'b'));
      const subscription = client.subscribeToAll({ fromPosition: END });
      const caughtUp = once(subscription, 'caughtUp');
      const received = collect(ownEvents(subscription, [stream]), 1);
      await caughtUp;
      await client.appendToStream(stream, event('c'));
      expect(typesOf(await received)).to.deep.equal(['c']);
    });

    it('says once that it caught up, after what was there', async () => {
      const { client } = target();
      const filter = streamNameFilter({ prefixes: [stream] });
      for (const options of [{ filter }, { filter, fromPosition: END } as const, { fromPosition: END } as const]) {
        const { nextExpectedRevision } = await client.appendToStream(stream, events('a', 'b', 'c'));
        const subscription = client.subscribeToAll(options);
        let caughtUp = 0;
        subscription.on('caughtUp', () => {
          caughtUp += 1;
        });
        const ready = once(subscription, 'caughtUp');
        const count = 'fromPosition' in options ? 1 : Number(nextExpectedRevision) + 2;
        const received = collect(ownEvents(subscription, [stream]), count);
        await ready;
        await client.appendToStream(stream, event('new'));
        expect(typesOf(await received).at(-1)).to.equal('new');
        expect(caughtUp).to.equal(1);
      }
    });

    it('gives every event once and in order while 16 writers append', async () => {
      const { client, fresh } = target();
      const { position: from } = (await client.appendToStream(fresh('before'), event('x'))) as { position: Position };
      const even = Array.from({ length: 8 }, () => fresh('even'));
      const odd = Array.from({ length: 8 }, () => fresh('odd'));
      const total = 16 * 60;
      const received = collect(ownEvents(client.subscribeToAll({ fromPosition: from }), [...even, ...odd]), total);
      const filter = streamNameFilter({ prefixes: even });
      const filtered = collect(ownEvents(client.subscribeToAll({ fromPosition: from, filter }), even), total / 2);
      await Promise.all(
        [...even, ...odd].map(async (name) => {
          for (let n = 0; n < 60; n += 1) await client.appendToStream(name, event(`${n}`));
        }),
      );
      const all = await received;
      expect(isRising(all)).to.equal(true);
      expect(new Set(all.map(({ event: got }) => got?.id)).size).to.equal(total);
      const ofEven = all.filter(({ event: got }) => even.includes(got?.streamId ?? ''));
      expect((await filtered).map(({ event: got }) => got?.id)).to.deep.equal(ofEven.map(({ event: got }) => got?.id));
    });
  });

  describe('again from the last position after the store was away', () => {
    const followers = {
      'to $all': (streams: string[], last: ResolvedEvent | undefined) =>
        target().client.subscribeToAll({
          fromPosition: last?.event?.position ?? START,
          filter: streamNameFilter({ prefixes: streams }),
        }),
      'to a stream': ([only = '']: string[], last: ResolvedEvent | undefined) =>
        target().client.subscribeToStream(only, { fromRevision: last?.event?.revision ?? START }),
    };
    for (const [what, follow] of Object.entries(followers)) {
      it(`gives everything once: ${what}`, async function () {
        const { restart, fresh } = target();
        if (restart === undefined) this.skip();
        const streams = what === 'to $all' ? ['a', 'b', 'c'].map(fresh) : [fresh('only')];
        const seen: ResolvedEvent[] = [];
        const sent: string[] = [];
        for (let round = 0; round < 4; round += 1) {
          const subscription = follow(streams, seen.at(-1));
          const leavesAfter = round % 2 === 0 ? 13 : Number.POSITIVE_INFINITY;
          const follower = (async () => {
            let count = 0;
            for await (const resolved of subscription) {
              seen.push(resolved);
              count += 1;
              if (count === leavesAfter) return;
            }
          })();
          for (let n = 0; n < 40; n += 1) {
            const next = event(`${round}-${n}`);
            await target().client.appendToStream(streams[n % streams.length] ?? '', next);
            sent.push(next.id);
          }
          if (round % 2 === 0) await follower;
          else await eventually('the follower to catch up', () => seen.length === sent.length);
          await Promise.all([restart(), follower.catch(() => undefined)]);
        }
        const rest = await collect<ResolvedEvent>(follow(streams, seen.at(-1)), sent.length - seen.length);
        expect([...seen, ...rest].map(({ event: got }) => got?.id)).to.deep.equal(sent);
      });
    }
  });
});
