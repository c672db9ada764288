import { expect } from 'chai';
import { collect } from '../../../embedded/event-store-server/store-fixture.js';
import { eventually } from '../../support/eventually.js';
import { seeded } from '../../support/seeded.js';
import { describeTargets } from './event-store-targets.js';
import { numbered, numbers } from './numbered-events.js';
import {
  ackAll,
  type Consumer,
  checkpointOf,
  type Group,
  groupKinds,
  idOf,
  keepAll,
  lastKnownOf,
  settled,
  typeOf,
  unfilteredGroup,
} from './persistent-groups.js';

const received = (consumers: readonly Consumer[]) => consumers.flatMap((consumer) => consumer.received);

describeTargets('the consumers of a persistent subscription', (target) => {
  for (const { kind, open } of groupKinds) {
    describe(`to ${kind}`, () => {
      let group: Group;
      beforeEach(() => {
        const { fresh } = target();
        group = open(() => target().client, fresh('source'), fresh('group'));
      });
      const append = (count: number, from = 0) => target().client.appendToStream(group.stream, numbered(count, from));
      const together = async (count: number, options: Parameters<Group['consume']>[1] = {}): Promise<Consumer[]> => {
        const consumers = Array.from({ length: count }, () => group.consume(ackAll, options));
        for (const { ready } of consumers) expect(await ready).to.equal(true);
        return consumers;
      };
      const stop = (consumers: readonly Consumer[]) => Promise.all(consumers.map((consumer) => consumer.stop()));

      it('RoundRobin: handle every event once, in turn', async () => {
        await group.create({ consumerStrategyName: 'RoundRobin' });
        const consumers = await together(3, { bufferSize: 100 });
        await append(60);
        await eventually('all events', () => received(consumers).length >= 60);
        await settled(group);
        await stop(consumers);
        expect(received(consumers).map(typeOf).sort()).to.deep.equal(numbers(60).sort());
        expect(consumers.map((consumer) => consumer.received.length)).to.deep.equal([20, 20, 20]);
      });

      it('DispatchToSingle: one handles all, and when it leaves another', async () => {
        await group.create({ consumerStrategyName: 'DispatchToSingle' });
        const consumers = await together(2, { bufferSize: 100 });
        await append(30);
        await eventually('all events', () => received(consumers).length >= 30);
        await settled(group);
        const counts = consumers.map((consumer) => consumer.received.length);
        expect([...counts].sort((a, b) => a - b)).to.deep.equal([0, 30]);
        const [busy, idle] = counts[0] === 30 ? consumers : [...consumers].reverse();
        await busy?.stop();
        await eventually('the other to be alone', async () => (await group.info()).connections.length === 1);
        await append(5, 30);
        await eventually('the rest', () => idle?.received.length === 5);
        await idle?.stop();
        expect(idle?.received.map(typeOf)).to.deep.equal(numbers(5, 30));
      });

      it('are many and fail at random, and every event is done once (seeded)', async function () {
        this.timeout(40_000);
        const random = seeded('consumers that fail');
        await group.create({ maxRetryCount: 1_000 });
        const done: string[] = [];
        const consumers = Array.from({ length: 4 }, () =>
          group.consume(
            async (delivery, channel) => {
              if (random.chance(0.2)) return channel.nack('retry', 'at random', delivery);
              done.push(typeOf(delivery));
              return channel.ack(delivery);
            },
            { bufferSize: 8 },
          ),
        );
        await Promise.all(consumers.map(({ ready }) => ready));
        for (let part = 0; part < 10; part += 1) await append(50, part * 50);
        await eventually('all to be done', () => done.length >= 500, 30_000);
        await settled(group);
        await stop(consumers);
        expect([...done].sort()).to.deep.equal(numbers(500).sort());
      });

      it('have no more in flight than their buffer holds, and are given more as they acknowledge', async () => {
        await append(10);
        await group.create();
        const consumer = group.consume(keepAll, { bufferSize: 3 });
        await eventually('a full buffer', () => consumer.received.length === 3);
        const { stats, connections } = await group.info();
        expect(stats.totalInFlightMessages).to.equal(3);
        expect(stats.outstandingMessagesCount).to.equal(3);
        expect(connections[0]).to.include({ inFlightMessages: 3, availableSlots: 0 });
        const [first, second] = consumer.received;
        if (first === undefined || second === undefined) throw new Error('Nothing was received.');
        await consumer.channel.ack(first, second);
        await eventually('two more', () => consumer.received.length === 5);
        expect(consumer.received.map(typeOf)).to.deep.equal(numbers(5));
        expect((await group.info()).stats.totalInFlightMessages).to.equal(3);
        await consumer.stop();
      });

      it('are known by their connection, with figures of what was done', async () => {
        await group.create({ checkPointLowerBound: 1, checkPointUpperBound: 1 });
        const consumer = group.consume(ackAll, { bufferSize: 7 });
        expect(await consumer.ready).to.equal(true);
        const { position, nextExpectedRevision } = await append(5);
        const last = kind === '$all' ? position?.commit : nextExpectedRevision;
        const info = await eventually('the last checkpoint', async () => {
          const now = await group.info();
          return checkpointOf(now) === last && now;
        });
        expect(lastKnownOf(info)).to.equal(last);
        expect(info.stats).to.include({ totalInFlightMessages: 0, outstandingMessagesCount: 0, retryBufferCount: 0 });
        expect(info.stats).to.include({ parkedMessageCount: 0n, totalItems: 5n });
        expect(info.connections).to.have.length(1);
        expect(info.connections[0]).to.include({
          connectionName: target().client.connectionName,
          inFlightMessages: 0,
          availableSlots: 7,
          totalItems: 5n,
        });
        await consumer.stop();
        await eventually('nobody to be connected', async () => (await group.info()).connections.length === 0);
      });

      for (const way of ['unsubscribes', 'is disposed of']) {
        it(`who ${way} leaves what it did not acknowledge to the others`, async () => {
          await append(6);
          await group.create({ maxRetryCount: 3 });
          const client = target().connect();
          const leaver = group.consume((delivery, channel, nth) => (nth <= 2 ? channel.ack(delivery) : undefined), {
            client,
          });
          await eventually('all events', () => leaver.received.length === 6);
          await eventually('two to be done', async () => (await group.info()).stats.outstandingMessagesCount === 4);
          if (way === 'unsubscribes') await leaver.stop();
          else await client.dispose();
          const next = group.consume();
          await eventually('the rest', () => next.received.length >= 4);
          await settled(group);
          await next.stop();
          expect(next.received.map(typeOf)).to.deep.equal(numbers(4, 2));
          // EventStoreDB counts a retry here.
          if (target().isEmbedded)
            expect(next.received.map(({ retryCount }) => retryCount)).to.deep.equal([0, 0, 0, 0]);
        });
      }

      it('go on where the group was after a restart of the store', async function () {
        const { restart } = target();
        if (restart === undefined) this.skip();
        await append(6);
        await group.create({ checkPointLowerBound: 1, checkPointUpperBound: 1 });
        const { settings } = await group.info();
        const before = group.consume((delivery, channel, nth) => (nth <= 4 ? channel.ack(delivery) : undefined));
        await eventually('all events', () => before.received.length === 6);
        const last = before.received[3];
        const place = kind === '$all' ? last?.event?.position?.commit : last?.event?.revision;
        await eventually('the checkpoint', async () => checkpointOf(await group.info()) === place);
        await Promise.all([restart(), before.ended]);
        expect((await group.info()).settings).to.deep.equal(settings);
        expect(checkpointOf(await group.info())).to.equal(place);
        await append(2, 6);
        const after = group.consume();
        await eventually('the rest', () => after.received.length >= 4);
        await settled(group);
        await after.stop();
        expect(after.received.map(typeOf)).to.deep.equal(numbers(4, 4));
      });

      it('can come back after a restart of the subsystem', async () => {
        await append(3);
        await group.create({ checkPointLowerBound: 1, checkPointUpperBound: 1 });
        const before = group.consume();
        await eventually('all events', () => before.received.length === 3);
        await eventually('the checkpoint', async () => checkpointOf(await group.info()) !== undefined);
        await settled(group);
        await target().client.restartPersistentSubscriptionSubsystem();
        expect(await before.ended).to.be.instanceOf(Error);
        await append(2, 3);
        const after = await eventually('the group to be back', async () => {
          const consumer = group.consume();
          return (await consumer.ready) && consumer;
        });
        await eventually('what is new', () => after.received.map(typeOf).includes('4'));
        await after.stop();
        expect(after.received.map(typeOf).slice(-2)).to.deep.equal(['3', '4']);
      });
    });
  }

  it('to $all, Pinned: handle a stream each', async () => {
    const { client, fresh } = target();
    const source = fresh('pinned');
    const group = groupKinds[1].open(() => client, source, fresh('group'));
    await group.create({ consumerStrategyName: 'Pinned' });
    const consumers = Array.from({ length: 3 }, () => group.consume(ackAll, { bufferSize: 100 }));
    for (const { ready } of consumers) expect(await ready).to.equal(true);
    const streams = Array.from({ length: 24 }, (_, n) => `${source}-${n}`);
    for (let round = 0; round < 3; round += 1) {
      for (const stream of streams) await client.appendToStream(stream, numbered(1, round));
    }
    await eventually('all events', () => received(consumers).length >= 72);
    await Promise.all(consumers.map((consumer) => consumer.stop()));
    expect(new Set(received(consumers).map(idOf)).size).to.equal(72);
    for (const stream of streams) {
      const handlers = consumers.filter((consumer) =>
        consumer.received.some(({ event }) => event?.streamId === stream),
      );
      expect(handlers, stream).to.have.length(1);
    }
    expect(consumers.filter((consumer) => consumer.received.length > 0).length).to.be.greaterThan(1);
  });

  it('to $all see nothing that their own group writes', async () => {
    const { client, fresh } = target();
    const stream = fresh('source');
    const name = fresh('group');
    const { position } = await client.appendToStream(stream, numbered(1));
    const group = unfilteredGroup(() => client, stream, name, position ?? { commit: 0n, prepare: 0n });
    await group.create({ checkPointLowerBound: 1, checkPointUpperBound: 1 });
    const consumer = group.consume((delivery, channel) =>
      typeOf(delivery) === '3' ? channel.nack('park', 'to write a link', delivery) : channel.ack(delivery),
    );
    await client.appendToStream(stream, numbered(9, 1));
    await eventually('the parked one', async () => {
      const links = collect(client.readStream(group.parkedStream));
      return (await links.catch(() => [])).length === 1;
    });
    await client.appendToStream(stream, numbered(1, 10));
    await eventually('the last event', () => consumer.received.map(typeOf).includes('10'));
    await consumer.stop();
    const own = consumer.received.filter(({ event }) => event?.streamId === stream);
    expect(own.map(typeOf)).to.deep.equal(numbers(11));
    const written = consumer.received.map(({ event }) => event?.streamId ?? '').filter((each) => each.includes(name));
    expect(written).to.deep.equal([]);
  });
});
