import { once } from 'node:events';
import { jsonEvent, type Position } from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, typesOf } from '../../../embedded/event-store-server/store-fixture.js';
import { describeTargets } from './event-store-targets.js';
import { isRising, ownEvents } from './own-events.js';

const bulk = (part: number) =>
  Array.from({ length: 400 }, (_, n) => jsonEvent({ type: String(part * 400 + n), data: { fill: 'x'.repeat(2_000) } }));

describeTargets('a subscriber that does not read', (target) => {
  it('is waited for, and loses nothing', async () => {
    const { client, fresh } = target();
    const { position: from } = (await client.appendToStream(fresh('before'), bulk(0).slice(0, 1))) as {
      position: Position;
    };
    const subscription = client.subscribeToAll({ fromPosition: from });
    await once(subscription, 'confirmation');
    const streams = Array.from({ length: 10 }, () => fresh('bulk'));
    for (const [part, stream] of streams.entries()) await client.appendToStream(stream, bulk(part));
    const received = await collect(ownEvents(subscription, streams), 4_000);
    expect(typesOf(received)).to.deep.equal(Array.from({ length: 4_000 }, (_, n) => String(n)));
    expect(isRising(received)).to.equal(true);
  });
});
