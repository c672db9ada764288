import { once } from 'node:events';
import { END, jsonEvent, type Position, START, streamNameFilter } from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, typesOf } from '../../../embedded/event-store-server/store-fixture.js';
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
});
