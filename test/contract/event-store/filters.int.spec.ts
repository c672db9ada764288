import {
  eventTypeFilter,
  excludeSystemEvents,
  jsonEvent,
  type Position,
  streamNameFilter,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, rejection } from '../../../embedded/event-store-server/store-fixture.js';
import { describeTargets } from './event-store-targets.js';
import { ownEvents } from './own-events.js';

const event = (type: string) => jsonEvent({ type, data: {} });

describeTargets('a filter on $all', (target) => {
  let from: Position;
  let names: string[];
  /** A word that only this run uses in types. */
  let word: string;
  beforeEach(async () => {
    const { client, fresh, prefix } = target();
    word = fresh('type').replaceAll(/[^a-z0-9]/g, '');
    names = [`${prefix}order-1`, `${prefix}order-2`, `${prefix}payment-1`, `${prefix}orders`, `$sys-${prefix}`].map(
      (name) => `${name}${word}`,
    );
    const before = await client.appendToStream(fresh('before'), event('x'));
    from = before.position as Position;
    for (const [n, name] of names.entries()) {
      await client.appendToStream(name, [event(`${word}-${n}-created`), event(`$${word}-${n}`)]);
    }
  });

  const cases = [
    {
      what: 'stream prefixes',
      filter: () => streamNameFilter({ prefixes: [names[0] ?? '', `$sys-${target().prefix}`] }),
      streams: [0, 0, 4, 4],
    },
    {
      what: 'a stream regex',
      filter: () => streamNameFilter({ regex: `^${target().prefix}order-\\d${word}$` }),
      streams: [0, 0, 1, 1],
    },
    {
      what: 'type prefixes',
      filter: () => eventTypeFilter({ prefixes: [`${word}-0`, `${word}-1`, `$${word}-4`] }),
      streams: [0, 1, 4],
    },
    {
      what: 'a type regex',
      filter: () => eventTypeFilter({ regex: `^${word}-[23].*created$` }),
      streams: [2, 3],
    },
    { what: 'no system events', filter: () => excludeSystemEvents(), streams: [0, 1, 2, 3, 4] },
  ];
  for (const { what, filter, streams } of cases) {
    it(`takes ${what}, and gives what passes, only that, in order`, async () => {
      const { client } = target();
      const subscription = client.subscribeToAll({ fromPosition: from, filter: filter() });
      const received = collect(ownEvents(subscription, names), streams.length + 1);
      const [first = 0] = streams;
      // Passes every filter of these: what should not have passed would have come before it.
      await client.appendToStream(names[first] ?? '', event(`${word}-${first}-created`));
      const got = (await received).map(({ event: each }) => each?.streamId);
      expect(got).to.deep.equal([...streams, first].map((n) => names[n]));
    });
  }

  it('is refused when its regex is not valid', async () => {
    const filter = streamNameFilter({ regex: '(' });
    expect(await rejection(collect(target().client.subscribeToAll({ filter })))).to.be.instanceOf(Error);
  });
});
