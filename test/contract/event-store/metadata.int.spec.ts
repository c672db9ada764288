import { once } from 'node:events';
import {
  BACKWARDS,
  END,
  StreamNotFoundError,
  streamNameFilter,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, rejection, typesOf } from '../../../embedded/event-store-server/store-fixture.js';
import { eventually } from '../../support/eventually.js';
import { describeTargets } from './event-store-targets.js';
import { numbered } from './numbered-events.js';
import { ownEvents } from './own-events.js';

describeTargets('a stream with metadata', (target) => {
  let stream: string;
  beforeEach(async () => {
    stream = target().fresh('meta');
    await target().client.appendToStream(stream, numbered(6));
  });
  const types = async (options = {}) => typesOf(await collect(target().client.readStream(stream, options)));

  it('gives its metadata back, the newest only', async () => {
    const { client } = target();
    expect((await client.getStreamMetadata(stream)).metadata).to.equal(undefined);
    await client.setStreamMetadata(stream, { maxCount: 5 });
    await client.setStreamMetadata(stream, { maxCount: 3, custom: 'x' });
    const { metadata } = await client.getStreamMetadata(stream);
    expect(metadata).to.deep.equal({ maxCount: 3, custom: 'x' });
    expect(await collect(client.readStream(`$$${stream}`))).to.have.length(1);
  });

  it('hides all but the last $maxCount, also after more appends and a restart', async () => {
    await target().client.setStreamMetadata(stream, { maxCount: 2 });
    expect(await types()).to.deep.equal(['4', '5']);
    expect(await types({ direction: BACKWARDS, fromRevision: END })).to.deep.equal(['5', '4']);
    await target().client.appendToStream(stream, numbered(1, 6), { expectedRevision: 5n });
    await target().restart?.();
    expect(await types()).to.deep.equal(['5', '6']);
  });

  it('hides what lies before $tb', async () => {
    await target().client.setStreamMetadata(stream, { truncateBefore: 4 });
    expect(await types()).to.deep.equal(['4', '5']);
    expect(await types({ fromRevision: 1n, maxCount: 1 })).to.deep.equal(['4']);
  });

  it('hides what is older than $maxAge', async () => {
    const { client } = target();
    await client.setStreamMetadata(stream, { maxAge: 1 });
    await eventually('the events to grow old', async () => (await types()).length === 0);
    await client.appendToStream(stream, numbered(1, 6), { expectedRevision: 5n });
    await client.setStreamMetadata(stream, { maxAge: 3_600 });
    expect(await types({ direction: BACKWARDS, fromRevision: END, maxCount: 1 })).to.deep.equal(['6']);
  });

  it('hides what any of several limits hides', async () => {
    const { client } = target();
    await client.setStreamMetadata(stream, { maxCount: 4, truncateBefore: 3 });
    expect(await types()).to.deep.equal(['3', '4', '5']);
    await client.setStreamMetadata(stream, { maxCount: 2, truncateBefore: 3 });
    expect(await types()).to.deep.equal(['4', '5']);
    await client.setStreamMetadata(stream, { maxCount: 2, truncateBefore: 5, maxAge: 3_600 });
    expect(await types()).to.deep.equal(['5']);
    await client.setStreamMetadata(stream, { maxCount: 2, truncateBefore: 1, maxAge: 1 });
    await eventually('the events to grow old', async () => (await types()).length === 0);
  });

  it('hides from reads that start before, within and after what is hidden, in both directions', async () => {
    await target().client.setStreamMetadata(stream, { truncateBefore: 2 });
    expect(await types({ fromRevision: 0n })).to.deep.equal(['2', '3', '4', '5']);
    expect(await types({ fromRevision: 1n, maxCount: 2 })).to.deep.equal(['2', '3']);
    expect(await types({ fromRevision: 3n })).to.deep.equal(['3', '4', '5']);
    expect(await types({ direction: BACKWARDS, fromRevision: 3n })).to.deep.equal(['3', '2']);
    expect(await types({ direction: BACKWARDS, fromRevision: 1n })).to.deep.equal([]);
  });

  it('hides nothing from $all', async () => {
    const { client, fresh } = target();
    await client.setStreamMetadata(stream, { maxCount: 1 });
    const last = fresh('last');
    await client.appendToStream(last, numbered(1, 9));
    const filter = streamNameFilter({ prefixes: [stream, last] });
    const received = await collect(ownEvents(client.subscribeToAll({ filter }), [stream, last]), 7);
    expect(typesOf(received)).to.deep.equal(['0', '1', '2', '3', '4', '5', '9']);
  });

  it('hides from subscribers what was hidden before they came', async () => {
    const { client } = target();
    await client.setStreamMetadata(stream, { maxCount: 2 });
    const subscription = client.subscribeToStream(stream);
    const caughtUp = once(subscription, 'caughtUp');
    const received = collect(subscription, 5);
    await caughtUp;
    for (let n = 6; n < 9; n += 1) await client.appendToStream(stream, numbered(1, n));
    expect(typesOf(await received)).to.deep.equal(['4', '5', '6', '7', '8']);
  });

  it('takes metadata at the revision it expects only', async () => {
    const { client } = target();
    await client.setStreamMetadata(stream, { maxCount: 5 }, { expectedRevision: 'no_stream' });
    await client.setStreamMetadata(stream, { maxCount: 4 }, { expectedRevision: 0n });
    const err = await rejection(client.setStreamMetadata(stream, { maxCount: 1 }, { expectedRevision: 0n }));
    expect(err).to.be.instanceOf(WrongExpectedVersionError);
    expect((err as WrongExpectedVersionError).streamName).to.equal(`$$${stream}`);
    expect(await types()).to.have.length(4);
  });

  it('obeys metadata that were set before the first event', async () => {
    const { client } = target();
    const early = target().fresh('early');
    await client.setStreamMetadata(early, { maxCount: 1 });
    expect(await rejection(collect(client.readStream(early)))).to.be.instanceOf(StreamNotFoundError);
    await client.appendToStream(early, numbered(3), { expectedRevision: 'no_stream' });
    expect(typesOf(await collect(client.readStream(early)))).to.deep.equal(['2']);
  });

  it('counts as one that exists, before its first event', async () => {
    const { client, fresh } = target();
    const [written, deleted] = [fresh('early'), fresh('early')];
    for (const name of [written, deleted]) await client.setStreamMetadata(name, { custom: 'x' });
    const first = await client.appendToStream(written, numbered(1), { expectedRevision: 'stream_exists' });
    expect(first.nextExpectedRevision).to.equal(0n);
    await client.deleteStream(deleted, { expectedRevision: 'no_stream' });
    expect(await rejection(collect(client.readStream(deleted)))).to.be.instanceOf(StreamNotFoundError);
  });
});
