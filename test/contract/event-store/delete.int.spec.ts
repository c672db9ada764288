import {
  jsonEvent,
  START,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, rejection, typesOf } from '../../../embedded/event-store-server/store-fixture.js';
import { describeTargets } from './event-store-targets.js';

const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => jsonEvent({ type: String(from + n), data: { n: from + n } }));

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

  it('is not deleted at another revision', async () => {
    const { client } = target();
    for (const end of [client.deleteStream, client.tombstoneStream]) {
      const err = await rejection(end.call(client, stream, { expectedRevision: 7n }));
      expect(err).to.be.instanceOf(WrongExpectedVersionError);
      const { streamName, expectedVersion, actualVersion } = err as WrongExpectedVersionError;
      expect([streamName, expectedVersion, actualVersion]).to.deep.equal([stream, 7n, 2n]);
    }
    expect(await collect(client.readStream(stream))).to.have.length(3);
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
