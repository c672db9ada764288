import { binaryEvent } from '@eventstore/db-client';
import { expect } from 'chai';
import { collect } from '../../../embedded/event-store-server/store-fixture.js';
import { eventually } from '../../support/eventually.js';
import { describeTargets } from './event-store-targets.js';
import { numbered, numbers } from './numbered-events.js';
import {
  ackAll,
  checkpointOf,
  type Group,
  groupKinds,
  idOf,
  isParked,
  keepAll,
  nacking,
  retriesOf,
  settled,
  typeOf,
} from './persistent-groups.js';

describeTargets('what a persistent subscription parks', (target) => {
  for (const { kind, open } of groupKinds) {
    describe(`of ${kind}`, () => {
      let group: Group;
      beforeEach(() => {
        const { fresh } = target();
        group = open(() => target().client, fresh('source'), fresh('group'));
      });
      const append = (count: number, from = 0) => target().client.appendToStream(group.stream, numbered(count, from));
      const parked = () => collect(target().client.readStream(group.parkedStream, { resolveLinkTos: true }));

      it('"park" puts a link to it into the parked stream, and is done with it', async () => {
        await append(5);
        await group.create({ checkPointLowerBound: 1, checkPointUpperBound: 1 });
        const consumer = group.consume(nacking('park', '2'));
        await eventually('all events', () => consumer.received.length >= 5);
        await isParked(group, 1);
        await settled(group);
        await consumer.stop();
        expect(consumer.received.map(typeOf)).to.deep.equal(numbers(5));
        const [resolved, ...more] = await parked();
        expect(more).to.have.length(0);
        const original = consumer.received.find((delivery) => typeOf(delivery) === '2');
        expect(resolved?.event?.id).to.equal(original && idOf(original));
        expect(resolved?.link).to.include({ type: '$>', streamId: group.parkedStream, revision: 0n });
        const [bare] = await collect(target().client.readStream(group.parkedStream));
        expect(Buffer.from(bare?.event?.data as Uint8Array).toString()).to.equal(`2@${group.stream}`);
        expect(JSON.stringify(bare?.event?.metadata)).to.include('because it is 2');
      });

      it('answers several at once', async () => {
        await append(6);
        await group.create();
        const consumer = group.consume(keepAll);
        await eventually('all events', () => consumer.received.length === 6);
        const [a, b, c, d, e, f] = consumer.received;
        if (
          a === undefined ||
          b === undefined ||
          c === undefined ||
          d === undefined ||
          e === undefined ||
          f === undefined
        ) {
          throw new Error('Six were received.');
        }
        await consumer.channel.nack('park', 'together', b, d);
        await consumer.channel.ack(a, c);
        await consumer.channel.nack('skip', 'together', e, f);
        await isParked(group, 2);
        await settled(group);
        await consumer.stop();
        expect((await parked()).map(({ event }) => event?.type)).to.deep.equal(['1', '3']);
      });

      it('is given again when parked events are replayed, from the beginning of its count', async () => {
        await append(6);
        await group.create();
        const parking = group.consume((delivery, channel) =>
          Number(typeOf(delivery)) % 2 === 0 ? channel.nack('park', 'even', delivery) : channel.ack(delivery),
        );
        await isParked(group, 3);
        await settled(group);
        await parking.stop();
        const consumer = group.consume();
        expect(await consumer.ready).to.equal(true);
        await group.replayParked();
        await eventually('the three', () => consumer.received.length >= 3);
        await settled(group);
        await isParked(group, 0);
        expect(consumer.received.map(typeOf)).to.deep.equal(['0', '2', '4']);
        expect(consumer.received.map(({ retryCount }) => retryCount)).to.deep.equal([0, 0, 0]);
        // They were truncated: a second replay finds nothing, and the new one comes alone.
        await group.replayParked();
        await append(1, 6);
        await eventually('the new one', () => consumer.received.length >= 4);
        await consumer.stop();
        expect(consumer.received.map(typeOf)).to.deep.equal(['0', '2', '4', '6']);
      });

      it('is given again up to where a replay stops, and the rest by the next', async () => {
        await append(5);
        await group.create();
        const parking = group.consume((delivery, channel) => channel.nack('park', 'all', delivery));
        await isParked(group, 5);
        await settled(group);
        await parking.stop();
        const consumer = group.consume();
        expect(await consumer.ready).to.equal(true);
        const order = (await parked()).map(({ event }) => event?.type ?? '');
        await group.replayParked(2);
        await eventually('two of them', () => consumer.received.length >= 2);
        await isParked(group, 3);
        expect(consumer.received.map(typeOf)).to.deep.equal(order.slice(0, 2));
        expect((await parked()).map(({ event }) => event?.type)).to.deep.equal(order.slice(2));
        await group.replayParked();
        await eventually('the rest', () => consumer.received.length >= 5);
        await isParked(group, 0);
        await consumer.stop();
        expect(consumer.received.map(typeOf)).to.deep.equal(order);
      });

      it('can be parked again once it was replayed', async () => {
        await append(1);
        await group.create();
        const consumer = group.consume((delivery, channel, nth) =>
          nth <= 2 ? channel.nack('park', 'twice', delivery) : channel.ack(delivery),
        );
        for (const revision of [0n, 1n]) {
          await eventually('its link', async () => {
            const links = await parked().catch(() => []);
            return links.length === 1 && links[0]?.link?.revision === revision;
          });
          await settled(group);
          await group.replayParked();
        }
        await eventually('it to come again', () => consumer.received.length === 3);
        await isParked(group, 0);
        await settled(group);
        await consumer.stop();
        expect(consumer.received.map(typeOf)).to.deep.equal(['0', '0', '0']);
      });

      it('waits in the parked stream while nobody is there, also through a restart', async function () {
        const { restart } = target();
        if (restart === undefined) this.skip();
        await append(2);
        await group.create({ checkPointLowerBound: 1, checkPointUpperBound: 1 });
        const parking = group.consume(nacking('park', '1'));
        await isParked(group, 1);
        await settled(group);
        await parking.stop();
        await eventually('the checkpoint', async () => checkpointOf(await group.info()) !== undefined);
        await restart();
        await isParked(group, 1);
        const consumer = group.consume();
        expect(await consumer.ready).to.equal(true);
        await group.replayParked();
        await eventually('it to come again', () => consumer.received.map(typeOf).includes('1'));
        await isParked(group, 0);
        await consumer.stop();
      });

      it('is a link, where links are resolved, and is answered by the id of the link', async () => {
        const { client, fresh } = target();
        const targets = fresh('targets');
        await client.appendToStream(targets, numbered(3));
        const link = (text: string) => binaryEvent({ type: '$>', data: Buffer.from(text) });
        await client.appendToStream(group.stream, [
          link(`0@${targets}`),
          link(`1@${targets}`),
          link(`99@${targets}`),
          link(`2@${targets}`),
        ]);
        await group.create({ resolveLinkTos: true, maxRetryCount: 5 });
        const consumer = group.consume((delivery, channel) =>
          typeOf(delivery) === '1' && delivery.retryCount === 0
            ? channel.nack('retry', 'once', delivery)
            : typeOf(delivery) === '2'
              ? channel.nack('park', 'the last', delivery)
              : ackAll(delivery, channel, 0),
        );
        await isParked(group, 1);
        await eventually('the retry', () => retriesOf(consumer, '1').length === 2);
        await settled(group);
        await consumer.stop();
        // A link whose event is gone is given bare.
        expect(consumer.received.map(typeOf).sort()).to.deep.equal(['(none)', '0', '1', '1', '2']);
        for (const { event, link: bare } of consumer.received) {
          expect(event?.streamId).to.be.oneOf([targets, undefined]);
          expect(bare).to.include({ type: '$>', streamId: group.stream });
        }
        expect((await parked()).map(({ event }) => `${event?.revision}@${event?.streamId}`)).to.deep.equal([
          `2@${targets}`,
        ]);
      });
    });
  }
});
