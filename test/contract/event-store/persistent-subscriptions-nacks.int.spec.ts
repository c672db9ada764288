import { expect } from 'chai';
import { collect } from '../../../embedded/event-store-server/store-fixture.js';
import { eventually } from '../../support/eventually.js';
import { describeTargets } from './event-store-targets.js';
import { numbered, numbers } from './numbered-events.js';
import {
  checkpointOf,
  type Group,
  groupKinds,
  isParked,
  nacking,
  retriesOf,
  settled,
  typeOf,
} from './persistent-groups.js';

describeTargets('what a consumer does not acknowledge', (target) => {
  for (const { kind, open } of groupKinds) {
    describe(`of ${kind}`, () => {
      let group: Group;
      beforeEach(() => {
        const { fresh } = target();
        group = open(() => target().client, fresh('source'), fresh('group'));
      });
      const append = (count: number, from = 0) => target().client.appendToStream(group.stream, numbered(count, from));
      const stats = async () => (await group.info()).stats;
      const parked = () => collect(target().client.readStream(group.parkedStream, { resolveLinkTos: true }));

      it('"retry" brings it again, with the count, and the rest once', async () => {
        await append(5);
        await group.create({ maxRetryCount: 5 });
        const consumer = group.consume(nacking('retry', '2', 3));
        await eventually('the third retry', () => retriesOf(consumer, '2').length === 4);
        await settled(group);
        await consumer.stop();
        expect(retriesOf(consumer, '2')).to.deep.equal([0, 1, 2, 3]);
        expect([...new Set(consumer.received.map(typeOf))].sort()).to.deep.equal(numbers(5));
        expect(consumer.received).to.have.length(8);
        expect((await stats()).parkedMessageCount).to.equal(0n);
      });

      it('"skip" is done with it', async () => {
        await append(5);
        await group.create({ checkPointLowerBound: 1, checkPointUpperBound: 1 });
        const consumer = group.consume(nacking('skip', '2'));
        await eventually('all events', () => consumer.received.length >= 5);
        await settled(group);
        const last = consumer.received.find((delivery) => typeOf(delivery) === '4')?.event;
        const place = kind === '$all' ? last?.position?.commit : last?.revision;
        await eventually('the checkpoint to pass it', async () => checkpointOf(await group.info()) === place);
        await consumer.stop();
        expect(consumer.received.map(typeOf)).to.deep.equal(numbers(5));
        expect((await stats()).parkedMessageCount).to.equal(0n);
      });

      // EventStoreDB makes no difference between the two.
      it('"stop" is done with it as "skip" is, and the group goes on', async () => {
        await append(3);
        await group.create();
        const consumer = group.consume(nacking('stop', '1'));
        await eventually('all events', () => consumer.received.length >= 3);
        await settled(group);
        await append(1, 3);
        await eventually('the next one', () => consumer.received.map(typeOf).includes('3'));
        await consumer.stop();
        expect(consumer.received.map(typeOf)).to.deep.equal(numbers(4));
        expect((await stats()).parkedMessageCount).to.equal(0n);
      });

      it('comes again when it is not answered in time', async () => {
        await append(2);
        await group.create({ messageTimeout: 300, maxRetryCount: 5 });
        const consumer = group.consume((delivery, channel) =>
          typeOf(delivery) === '0' && delivery.retryCount < 2 ? undefined : channel.ack(delivery),
        );
        await eventually('the second retry', () => retriesOf(consumer, '0').length === 3);
        await settled(group);
        await consumer.stop();
        expect(retriesOf(consumer, '0')).to.deep.equal([0, 1, 2]);
        expect(retriesOf(consumer, '1')).to.deep.equal([0]);
      });

      for (const way of ['nacks', 'timeouts']) {
        it(`is parked when it was retried as often as it may be, by ${way}`, async () => {
          await append(3);
          await group.create({ maxRetryCount: 2, messageTimeout: way === 'nacks' ? 30_000 : 300 });
          const consumer = group.consume((delivery, channel) => {
            if (typeOf(delivery) !== '1') return channel.ack(delivery);
            return way === 'nacks' ? channel.nack('retry', 'again', delivery) : undefined;
          });
          await isParked(group, 1);
          await settled(group);
          await consumer.stop();
          expect(retriesOf(consumer, '1')).to.deep.equal([0, 1, 2]);
          expect((await parked()).map(({ event }) => event?.type)).to.deep.equal(['1']);
        });
      }
    });
  }
});
