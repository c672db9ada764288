import { once } from 'node:events';
import { BACKWARDS, binaryEvent, END, type ResolvedEvent, streamNameFilter } from '@eventstore/db-client';
import { expect } from 'chai';
import { collect } from '../../../embedded/event-store-server/store-fixture.js';
import { eventually } from '../../support/eventually.js';
import { describeTargets } from './event-store-targets.js';
import { numbered } from './numbered-events.js';

const linkTo = (revision: number, stream: string) =>
  binaryEvent({ type: '$>', data: Buffer.from(`${revision}@${stream}`) });

describeTargets('links', (target) => {
  it('are resolved when asked, and given bare where their event is gone', async () => {
    const { client, fresh } = target();
    const [ten, links] = [fresh('ten'), fresh('links')];
    await client.appendToStream(ten, numbered(10));
    await client.appendToStream(links, [linkTo(3, ten), linkTo(99, ten), linkTo(0, fresh('nowhere'))]);
    const resolved = await collect(client.readStream(links, { resolveLinkTos: true }));
    expect(resolved.map(({ event, link: bare }) => [event?.streamId, event?.type, bare?.type])).to.deep.equal([
      [ten, '3', '$>'],
      [undefined, undefined, '$>'],
      [undefined, undefined, '$>'],
    ]);
    const plain = await collect(client.readStream(links));
    expect(plain.every(({ event, link: bare }) => event?.type === '$>' && bare === undefined)).to.equal(true);
  });

  it('are given bare where their event is hidden, deleted or tombstoned', async () => {
    const { client, fresh } = target();
    const gone = ['truncated', 'counted', 'deleted', 'tombstoned', 'aged'].map(fresh);
    const [truncated = '', counted = '', deleted = '', tombstoned = '', aged = ''] = gone;
    for (const stream of gone) await client.appendToStream(stream, numbered(4));
    await client.setStreamMetadata(truncated, { truncateBefore: 2 });
    await client.setStreamMetadata(counted, { maxCount: 1 });
    await client.deleteStream(deleted);
    await client.tombstoneStream(tombstoned);
    await client.setStreamMetadata(aged, { maxAge: 1 });
    const links = fresh('links');
    await client.appendToStream(links, [...gone.map((stream) => linkTo(1, stream)), linkTo(3, truncated)]);
    const resolved = () => collect(client.readStream(links, { resolveLinkTos: true }));
    await eventually('the last event to grow old', async () => (await resolved())[4]?.event === undefined);
    const read = await resolved();
    expect(read.map(({ event }) => event?.streamId)).to.deep.equal([...gone.map(() => undefined), truncated]);
    expect(read.every(({ link }) => link?.streamId === links)).to.equal(true);
  });

  it('keep their own revisions and order, in both directions', async () => {
    const { client, fresh } = target();
    const [one, two, links] = [fresh('one'), fresh('two'), fresh('links')];
    for (const stream of [one, two]) await client.appendToStream(stream, numbered(2));
    await client.appendToStream(links, [linkTo(1, two), linkTo(0, one), linkTo(0, two)]);
    const back = await collect(
      client.readStream(links, { resolveLinkTos: true, direction: BACKWARDS, fromRevision: END }),
    );
    expect(back.map(({ event, link }) => [event?.streamId, event?.revision, link?.revision])).to.deep.equal([
      [two, 0n, 2n],
      [one, 0n, 1n],
      [two, 1n, 0n],
    ]);
  });

  it('are resolved for subscribers to a stream and to $all, what is there and what comes', async () => {
    const { client, fresh } = target();
    const [ten, links] = [fresh('ten'), fresh('links')];
    await client.appendToStream(ten, numbered(10));
    await client.appendToStream(links, [linkTo(3, ten), linkTo(99, ten)]);
    const filter = streamNameFilter({ prefixes: [links] });
    const subscriptions = [
      client.subscribeToStream(links, { resolveLinkTos: true }),
      client.subscribeToAll({ resolveLinkTos: true, filter }),
    ];
    const ready = subscriptions.map((subscription) => once(subscription, 'caughtUp'));
    const received = subscriptions.map((subscription) => collect<ResolvedEvent>(subscription, 3));
    await Promise.all(ready);
    await client.appendToStream(links, linkTo(5, ten));
    for (const events of await Promise.all(received)) {
      expect(events.map(({ event, link }) => [event?.type, link?.revision])).to.deep.equal([
        ['3', 0n],
        [undefined, 1n],
        ['5', 2n],
      ]);
    }
  });
});
