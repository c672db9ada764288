import {
  BACKWARDS,
  END,
  type Position,
  START,
  StreamDeletedError,
  StreamNotFoundError,
  streamNameFilter,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, rejection, typesOf } from '../../../embedded/event-store-server/store-fixture.js';
import { appendWays } from './append-ways.js';
import { describeTargets } from './event-store-targets.js';
import { numbered } from './numbered-events.js';
import { ownEvents } from './own-events.js';

describeTargets('a stream that was deleted', (target) => {
  let stream: string;
  beforeEach(async () => {
    stream = target().fresh('deleted');
    await target().client.appendToStream(stream, numbered(3));
  });

  it('is not found, and goes on at its next revision with what is new', async () => {
    await target().client.deleteStream(stream, { expectedRevision: 2n });
    expect(await rejection(collect(target().client.readStream(stream)))).to.be.instanceOf(StreamNotFoundError);
    await target().restart?.();
    const { client } = target();
    const again = await client.appendToStream(stream, numbered(1, 3), { expectedRevision: 'no_stream' });
    expect(again.nextExpectedRevision).to.equal(3n);
    expect(typesOf(await collect(client.readStream(stream)))).to.deep.equal(['3']);
    expect((await client.getStreamMetadata(stream)).metadata).to.deep.equal({ truncateBefore: 3 });
  });

  it('goes on at the exact revision it had', async () => {
    const { client } = target();
    await client.deleteStream(stream);
    expect(await rejection(client.appendToStream(stream, numbered(1), { expectedRevision: 1n }))).to.be.instanceOf(
      WrongExpectedVersionError,
    );
    const again = await client.appendToStream(stream, numbered(2, 3), { expectedRevision: 2n });
    expect(again.nextExpectedRevision).to.equal(4n);
    expect(
      typesOf(await collect(client.readStream(stream, { direction: BACKWARDS, fromRevision: END }))),
    ).to.deep.equal(['4', '3']);
  });

  it('does not exist, to who appends to an existing one', async () => {
    const { client } = target();
    await client.deleteStream(stream);
    for (const { extra } of appendWays) {
      const err = await rejection(
        client.appendToStream(stream, numbered(1), { expectedRevision: 'stream_exists', ...extra }),
      );
      expect(err).to.be.instanceOf(StreamDeletedError);
      expect((err as StreamDeletedError).streamName).to.equal(stream);
    }
  });

  it('can be deleted again once it was written again', async () => {
    const { client } = target();
    for (const last of [2n, 3n, 4n]) {
      await client.deleteStream(stream, { expectedRevision: last });
      await client.appendToStream(stream, numbered(1, Number(last) + 1), { expectedRevision: 'any' });
    }
    expect(typesOf(await collect(client.readStream(stream)))).to.deep.equal(['5']);
  });

  it('stays hidden when it is given metadata, which keep what else they say', async () => {
    const { client } = target();
    await client.deleteStream(stream);
    await client.setStreamMetadata(stream, { custom: 'new' });
    const read = collect(client.readStream(stream));
    expect(
      typesOf(await read.catch((err: unknown) => (err instanceof StreamNotFoundError ? [] : Promise.reject(err)))),
    ).to.deep.equal([]);
    await client.appendToStream(stream, numbered(1, 3));
    expect(typesOf(await collect(client.readStream(stream)))).to.deep.equal(['3']);
    expect((await client.getStreamMetadata(stream)).metadata).to.deep.equal({ custom: 'new', truncateBefore: 3 });
  });

  it('is not written again by a late repeat of its first append', async () => {
    const { client, fresh } = target();
    for (const { extra } of appendWays) {
      const repeated = fresh('repeated');
      const events = numbered(2);
      const options = { expectedRevision: 'no_stream' as const, ...extra };
      const first = await client.appendToStream(repeated, events, options);
      await client.deleteStream(repeated);
      const repeat = await client.appendToStream(repeated, events, options);
      expect(repeat.nextExpectedRevision).to.equal(first.nextExpectedRevision);
      expect(await rejection(collect(client.readStream(repeated)))).to.be.instanceOf(StreamNotFoundError);
    }
  });

  it('can be deleted once more', async () => {
    const { client } = target();
    await client.deleteStream(stream);
    await client.deleteStream(stream, { expectedRevision: 'any' });
    expect(await rejection(collect(client.readStream(stream)))).to.be.instanceOf(StreamNotFoundError);
  });

  it('leaves its events in $all', async () => {
    const { client, fresh } = target();
    const other = fresh('deleted');
    const { position: from } = (await client.appendToStream(other, numbered(3))) as { position: Position };
    const deleted = await client.deleteStream(other);
    expect(Number(deleted.position?.commit)).to.be.greaterThan(Number(from.commit));
    const last = fresh('last');
    await client.appendToStream(last, numbered(1, 9));
    const subscription = client.subscribeToAll({ filter: streamNameFilter({ prefixes: [other, last] }) });
    const received = await collect(ownEvents(subscription, [other, last]), 4);
    expect(typesOf(received)).to.deep.equal(['0', '1', '2', '9']);
  });

  it('refuses everything once it is tombstoned, also after a restart', async () => {
    await target().client.tombstoneStream(stream, { expectedRevision: 2n });
    await target().restart?.();
    const { client } = target();
    const failures = [
      collect(client.readStream(stream)),
      client.appendToStream(stream, numbered(1)),
      client.appendToStream(stream, numbered(1), { credentials: { username: 'a', password: 'b' } }),
      client.deleteStream(stream),
      collect(client.subscribeToStream(stream, { fromRevision: START })),
    ];
    for (const err of await Promise.all(failures.map(rejection))) {
      expect(err).to.be.instanceOf(StreamDeletedError);
      expect((err as StreamDeletedError).streamName).to.equal(stream);
    }
  });
});
