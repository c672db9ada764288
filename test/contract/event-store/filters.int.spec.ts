import {
  eventTypeFilter,
  excludeSystemEvents,
  jsonEvent,
  type Position,
  streamNameFilter,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, rejection } from '../../../embedded/event-store-server/store-fixture.js';
import { eventually } from '../../support/eventually.js';
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

  it('reports checkpoints that rise, never pass an event that is still to come, and move on where nothing passes', async () => {
    const { client } = target();
    const wanted = names[0] ?? '';
    const log: { checkpoint?: bigint; event?: bigint }[] = [];
    const subscription = client.subscribeToAll({
      fromPosition: from,
      filter: streamNameFilter({
        prefixes: [wanted],
        checkpointInterval: 2,
        maxSearchWindow: 5,
        checkpointReached: (_, { commit }) => {
          log.push({ checkpoint: commit });
        },
      }),
    });
    const reading = (async () => {
      for await (const { event: got } of subscription) log.push({ event: got?.position.commit ?? -1n });
    })();
    for (let n = 0; n < 60; n += 1) await client.appendToStream(names[n === 30 ? 0 : 2] ?? '', event('x'));
    const { position } = await client.appendToStream(wanted, event('last'));
    const noise = async () => {
      await client.appendToStream(names[2] ?? '', event('x'));
      return log.some(({ checkpoint = 0n }) => checkpoint > (position?.commit ?? 0n));
    };
    await eventually('a checkpoint beyond the last event that passes', noise);
    await subscription.unsubscribe();
    await reading;
    const places = log.map((entry) => entry.checkpoint ?? entry.event ?? -1n);
    expect(places).to.deep.equal([...places].sort((a, b) => Number(a - b)));
    const given = log.flatMap((entry) => entry.event ?? []);
    expect(given).to.deep.equal([...new Set(given)]);
    expect(given.at(-1)).to.equal(position?.commit);
    expect(log.filter((entry) => entry.checkpoint !== undefined).length).to.be.greaterThan(3);
  });

  it('goes on from a checkpoint without missing or repeating anything', async () => {
    const { client } = target();
    const filter = () => eventTypeFilter({ prefixes: [`${word}-`], checkpointInterval: 1, maxSearchWindow: 2 });
    const [whole, halves] = [[] as string[], [] as string[]];
    for await (const { event: got } of client.subscribeToAll({ fromPosition: from, filter: filter() })) {
      whole.push(got?.id ?? '');
      if (whole.length === names.length) break;
    }
    let checkpoint: Position | undefined;
    const first = client.subscribeToAll({
      fromPosition: from,
      filter: {
        ...filter(),
        checkpointReached: (_, position) => {
          checkpoint ??= position;
        },
      },
    });
    const reading = (async () => {
      for await (const { event: got } of first) {
        if (checkpoint === undefined || (got?.position.commit ?? 0n) <= checkpoint.commit) halves.push(got?.id ?? '');
      }
    })();
    const reached = await eventually('a checkpoint', () => checkpoint);
    await first.unsubscribe();
    await reading;
    for await (const { event: got } of client.subscribeToAll({ fromPosition: reached, filter: filter() })) {
      halves.push(got?.id ?? '');
      if (halves.length >= whole.length) break;
    }
    expect(halves).to.deep.equal(whole);
  });
});
