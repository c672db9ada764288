import {
  END,
  eventTypeFilter,
  jsonEvent,
  PersistentSubscriptionDoesNotExistError,
  PersistentSubscriptionDroppedError,
  PersistentSubscriptionExistsError,
  PersistentSubscriptionMaximumSubscribersReachedError,
  type Position,
  persistentSubscriptionToAllSettingsFromDefaults,
  persistentSubscriptionToStreamSettingsFromDefaults,
  START,
  streamNameFilter,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { rejection } from '../../../embedded/event-store-server/store-fixture.js';
import { eventually } from '../../support/eventually.js';
import { describeTargets } from './event-store-targets.js';
import { type Group, groupKinds, keepAll, startConsumer, typeOf } from './persistent-groups.js';

const events = (...types: string[]) => types.map((type) => jsonEvent({ type, data: {} }));
const named = (err: unknown) => {
  const { streamName, groupName } = err as PersistentSubscriptionExistsError;
  return { streamName, groupName };
};

describeTargets('persistent subscriptions', (target) => {
  for (const { kind, open } of groupKinds) {
    describe(`to ${kind}`, () => {
      let group: Group;
      const names = () => ({ streamName: group.source, groupName: group.name });
      beforeEach(() => {
        const { fresh } = target();
        group = open(() => target().client, fresh('source'), fresh('group'));
      });

      it('are created once', async () => {
        await group.create();
        const err = await rejection(group.create());
        expect(err).to.be.instanceOf(PersistentSubscriptionExistsError);
        expect(named(err)).to.deep.equal(names());
      });

      it('have to exist for everything else, by name', async () => {
        const calls = [() => group.update(), () => group.delete(), () => group.info(), () => group.replayParked()];
        for (const call of [...calls, async () => Promise.reject(await group.consume().ended)]) {
          const err = await rejection(call());
          expect(err).to.be.instanceOf(PersistentSubscriptionDoesNotExistError);
          expect(named(err)).to.deep.equal(names());
        }
      });

      it('from the start give what is there and what comes', async () => {
        await target().client.appendToStream(group.stream, events('a', 'b'));
        await group.create();
        const consumer = group.consume();
        await eventually('what is there', () => consumer.received.length === 2);
        await target().client.appendToStream(group.stream, events('c'));
        await eventually('what comes', () => consumer.received.length === 3);
        await consumer.stop();
        expect(consumer.received.map(typeOf)).to.deep.equal(['a', 'b', 'c']);
        expect(consumer.received.every(({ retryCount }) => retryCount === 0)).to.equal(true);
      });

      it('from the end give what comes after they were created, whoever is there', async () => {
        await target().client.appendToStream(group.stream, events('a', 'b'));
        await group.create({ startFrom: END });
        await target().client.appendToStream(group.stream, events('c'));
        const consumer = group.consume();
        await eventually('what came before the consumer', () => consumer.received.length === 1);
        await target().client.appendToStream(group.stream, events('d'));
        await eventually('what came after it', () => consumer.received.length === 2);
        await consumer.stop();
        expect(consumer.received.map(typeOf)).to.deep.equal(['c', 'd']);
      });

      it('tell their settings as they were given, and as they were changed', async () => {
        const settings = {
          resolveLinkTos: true,
          extraStatistics: true,
          messageTimeout: 7_000,
          maxRetryCount: 4,
          checkPointAfter: 1_500,
          checkPointLowerBound: 3,
          checkPointUpperBound: 30,
          maxSubscriberCount: 9,
          liveBufferSize: 200,
          readBatchSize: 25,
          historyBufferSize: 300,
          consumerStrategyName: 'Pinned',
        };
        await group.create(settings);
        const { eventSource, groupName, settings: told, connections } = await group.info();
        expect({ eventSource, groupName }).to.deep.equal({ eventSource: group.source, groupName: group.name });
        expect(told).to.deep.equal({ startFrom: START, ...settings });
        expect(connections).to.deep.equal([]);
        const changed = {
          ...settings,
          startFrom: END,
          maxSubscriberCount: 'unbounded',
          consumerStrategyName: 'RoundRobin',
        };
        await group.update({ ...changed, startFrom: END, maxSubscriberCount: 'unbounded' });
        expect((await group.info()).settings).to.deep.equal(changed);
      });

      it('begin anew when they were deleted and created again', async () => {
        await target().client.appendToStream(group.stream, events('a', 'b'));
        await group.create({ checkPointLowerBound: 1, checkPointUpperBound: 1 });
        const first = group.consume();
        await eventually('both events', () => first.received.length === 2);
        await first.stop();
        await group.delete();
        expect(await group.consume().ended).to.be.instanceOf(PersistentSubscriptionDoesNotExistError);
        await group.create();
        const second = group.consume();
        await eventually('both events again', () => second.received.length === 2);
        await second.stop();
        expect(second.received.map(typeOf)).to.deep.equal(['a', 'b']);
      });

      it('take no more consumers than they may have', async () => {
        await group.create({ maxSubscriberCount: 2 });
        const [first, second] = [group.consume(), group.consume()];
        await Promise.all([first.ready, second.ready]);
        const err = await group.consume().ended;
        expect(err).to.be.instanceOf(PersistentSubscriptionMaximumSubscribersReachedError);
        expect(named(err)).to.deep.equal(names());
        await first.stop();
        const place = async () => {
          const next = group.consume();
          return (await next.ready) ? next : undefined;
        };
        const third = await eventually('the free place', place);
        await Promise.all([second.stop(), third.stop()]);
      });

      for (const what of ['delete', 'update'] as const) {
        it(`drop their consumers at ${what}, with what they were told`, async () => {
          await target().client.appendToStream(group.stream, events('a', 'b'));
          await group.create();
          const consumers = [group.consume(keepAll), group.consume(keepAll)];
          await Promise.all(consumers.map(({ ready }) => ready));
          await eventually(
            'the events to be in flight',
            () => consumers.flatMap(({ received }) => received).length === 2,
          );
          await group[what]();
          for (const { ended } of consumers) {
            const err = await ended;
            expect(err).to.be.instanceOf(PersistentSubscriptionDroppedError);
            expect(named(err)).to.deep.equal(names());
          }
          if (what === 'delete') return;
          // Nothing was acknowledged: all of it comes again.
          const next = group.consume();
          await eventually('both events again', () => next.received.length === 2);
          await next.stop();
          expect(next.received.map(typeOf)).to.deep.equal(['a', 'b']);
        });
      }
    });
  }

  it('to a stream start at the revision they are given, that one included', async () => {
    const { client, fresh } = target();
    const [stream, name] = [fresh('source'), fresh('group')];
    await client.appendToStream(stream, events('a', 'b', 'c', 'd'));
    const settings = persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: 2n });
    await client.createPersistentSubscriptionToStream(stream, name, settings);
    const consumer = startConsumer(client.subscribeToPersistentSubscriptionToStream(stream, name));
    await eventually('the last two', () => consumer.received.length === 2);
    await client.appendToStream(stream, events('e'));
    await eventually('the new one', () => consumer.received.length === 3);
    await consumer.stop();
    expect(consumer.received.map(typeOf)).to.deep.equal(['c', 'd', 'e']);
    expect((await client.getPersistentSubscriptionToStreamInfo(stream, name)).settings).to.deep.equal(settings);
  });

  it('to $all start at the position they are given, that one included', async () => {
    const { client, fresh } = target();
    const [stream, name] = [fresh('source'), fresh('group')];
    await client.appendToStream(stream, events('a', 'b'));
    const { position } = (await client.appendToStream(stream, events('c'))) as { position: Position };
    const settings = persistentSubscriptionToAllSettingsFromDefaults({ startFrom: position });
    const filter = streamNameFilter({ prefixes: [stream] });
    await client.createPersistentSubscriptionToAll(name, settings, { filter });
    const consumer = startConsumer(client.subscribeToPersistentSubscriptionToAll(name));
    await eventually('the last one', () => consumer.received.length === 1);
    await client.appendToStream(stream, events('d'));
    await eventually('the new one', () => consumer.received.length === 2);
    await consumer.stop();
    expect(consumer.received.map(typeOf)).to.deep.equal(['c', 'd']);
    expect((await client.getPersistentSubscriptionToAllInfo(name)).settings).to.deep.equal(settings);
  });

  it('to $all let through what their filter does, and still after an update', async () => {
    const { client, fresh, prefix } = target();
    const word = fresh('word').replaceAll('-', '');
    const [one, two] = [`${prefix}${word}one`, `${prefix}${word}two`];
    const filters = {
      'stream prefix': { filter: streamNameFilter({ prefixes: [one] }), passes: ['a', 'b', 'e'] },
      'stream regex': { filter: streamNameFilter({ regex: `${word}(one|other)$` }), passes: ['a', 'b', 'e'] },
      'type prefix': {
        filter: eventTypeFilter({ prefixes: [`${word}a`, `${word}c`, `${word}e`] }),
        passes: ['a', 'c', 'e'],
      },
      'type regex': { filter: eventTypeFilter({ regex: `^${word}[bde]$` }), passes: ['b', 'd', 'e'] },
    };
    const settings = persistentSubscriptionToAllSettingsFromDefaults({ startFrom: START });
    const groups = Object.values(filters).map(({ filter, passes }) => ({ filter, passes, name: fresh('group') }));
    for (const { name, filter } of groups) {
      await client.createPersistentSubscriptionToAll(name, settings, { filter });
      await client.updatePersistentSubscriptionToAll(name, { ...settings, maxRetryCount: 1 });
    }
    await client.appendToStream(one, events(`${word}a`, `${word}b`));
    await client.appendToStream(two, events(`${word}c`, `${word}d`));
    await client.appendToStream(one, events(`${word}e`));
    for (const { name, passes } of groups) {
      const consumer = startConsumer(client.subscribeToPersistentSubscriptionToAll(name));
      await eventually('what passes', () => consumer.received.map(typeOf).includes(`${word}e`));
      await consumer.stop();
      expect(consumer.received.map(typeOf)).to.deep.equal(passes.map((letter) => `${word}${letter}`));
    }
  });

  it('are listed: all, those to a stream, those to $all', async () => {
    const { client, fresh } = target();
    const ask = () => client;
    const [one, two] = [fresh('one'), fresh('two')];
    const [ofOne, alsoOfOne, ofTwo] = [one, one, two].map((stream) => groupKinds[0].open(ask, stream, fresh('group')));
    const ofAll = groupKinds[1].open(ask, one, fresh('group'));
    const groups = [ofOne, alsoOfOne, ofTwo, ofAll].filter((group) => group !== undefined);
    for (const group of groups) await group.create();
    const keys = (list: readonly { eventSource: string; groupName: string }[]) =>
      list.map(({ eventSource, groupName }) => `${eventSource} ${groupName}`).sort();
    const expected = (...wanted: Group[]) => wanted.map(({ source, name }) => `${source} ${name}`).sort();
    expect(keys(await client.listAllPersistentSubscriptions())).to.include.members(expected(...groups));
    const toOne = await client.listPersistentSubscriptionsToStream(one);
    expect(keys(toOne)).to.deep.equal(expected(...groups.slice(0, 2)));
    const toAll = keys(await client.listPersistentSubscriptionsToAll());
    expect(toAll).to.include.members(expected(ofAll));
    expect(toAll.every((key) => key.startsWith('$all '))).to.equal(true);
    const err = await rejection(client.listPersistentSubscriptionsToStream(fresh('without')));
    expect(err).to.be.instanceOf(PersistentSubscriptionDoesNotExistError);
    await ofOne?.delete();
    expect(keys(await client.listPersistentSubscriptionsToStream(one))).to.deep.equal(expected(...groups.slice(1, 2)));
  });
});
