import { BACKWARDS, END, jsonEvent, StreamNotFoundError } from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, rejection, typesOf } from '../../../embedded/event-store-server/store-fixture.js';
import { describeTargets } from './event-store-targets.js';

const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => jsonEvent({ type: String(from + n), data: { n: from + n } }));

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

  it('obeys metadata that were set before the first event', async () => {
    const { client } = target();
    const early = target().fresh('early');
    await client.setStreamMetadata(early, { maxCount: 1 });
    expect(await rejection(collect(client.readStream(early)))).to.be.instanceOf(StreamNotFoundError);
    await client.appendToStream(early, numbered(3), { expectedRevision: 'no_stream' });
    expect(typesOf(await collect(client.readStream(early)))).to.deep.equal(['2']);
  });
});
