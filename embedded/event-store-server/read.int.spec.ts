import { randomUUID } from 'node:crypto';
import {
  BACKWARDS,
  END,
  jsonEvent,
  type ReadRevision,
  START,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, openTestStore, rejection, type TestStore, typesOf } from './store-fixture.js';

const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => jsonEvent({ type: String(from + n), data: { n: from + n } }));
const range = (from: number, to: number) =>
  Array.from({ length: Math.abs(to - from) + 1 }, (_, n) => String(from < to ? from + n : from - n));

describe('reading from the embedded event store', () => {
  let now = Date.now();
  let test: TestStore;
  before(async () => {
    test = await openTestStore({ now: () => now });
    await test.client.appendToStream('ten', numbered(10));
    // More than one page of either kind.
    await test.client.appendToStream('long', numbered(700));
  });
  after(() => test.remove());

  describe('a stream', () => {
    const cases: { from: ReadRevision; backwards?: boolean; maxCount?: number; expected: string[] }[] = [
      { from: START, expected: range(0, 9) },
      { from: START, maxCount: 3, expected: range(0, 2) },
      { from: 4n, expected: range(4, 9) },
      { from: 4n, maxCount: 2, expected: range(4, 5) },
      { from: 9n, expected: ['9'] },
      { from: 10n, expected: [] },
      { from: 18446744073709551615n, expected: [] },
      { from: END, expected: [] },
      { from: START, backwards: true, expected: ['0'] },
      { from: 4n, backwards: true, expected: range(4, 0) },
      { from: 4n, backwards: true, maxCount: 2, expected: range(4, 3) },
      { from: END, backwards: true, expected: range(9, 0) },
      { from: END, backwards: true, maxCount: 1, expected: ['9'] },
      { from: 99n, backwards: true, maxCount: 1, expected: ['9'] },
    ];
    for (const { from, backwards = false, maxCount, expected } of cases) {
      it(`${backwards ? 'backwards' : 'forwards'} from ${from}${maxCount === undefined ? '' : `, ${maxCount} at most`}`, async () => {
        const events = test.client.readStream('ten', {
          fromRevision: from,
          ...(backwards ? { direction: BACKWARDS } : {}),
          ...(maxCount === undefined ? {} : { maxCount }),
        });
        expect(typesOf(await collect(events))).to.deep.equal(expected);
      });
    }

    it('over several pages, in both directions', async () => {
      expect(typesOf(await collect(test.client.readStream('long')))).to.deep.equal(range(0, 699));
      const back = await collect(test.client.readStream('long', { direction: BACKWARDS, fromRevision: END }));
      expect(typesOf(back)).to.deep.equal(range(699, 0));
    });

    it('that does not exist is not found, by name', async () => {
      const err = await rejection(collect(test.client.readStream('missing-流')));
      expect(err).to.be.instanceOf(StreamNotFoundError);
      expect((err as StreamNotFoundError).streamName).to.equal('missing-流');
    });

    it('ends where it ended when the read began', async () => {
      const seen: string[] = [];
      for await (const { event } of test.client.readStream('long')) {
        if (seen.length === 0) await test.client.appendToStream('long', numbered(1, 700));
        seen.push(event?.type ?? '');
      }
      expect(seen).to.have.length(700);
    });
  });

  describe('the whole log', () => {
    it('gives every event once, by rising position, in both directions', async () => {
      const forwards = await collect(test.client.readAll());
      const positions = forwards.map(({ event }) => Number(event?.position.commit));
      expect(positions).to.deep.equal(positions.map((_, n) => n + 1));
      const backwards = await collect(test.client.readAll({ direction: BACKWARDS, fromPosition: END }));
      expect(backwards.map(({ event }) => event?.id)).to.deep.equal(forwards.map(({ event }) => event?.id).reverse());
    });

    it('starts at the position it is given, in both directions', async () => {
      const at = { commit: 5n, prepare: 5n };
      expect(typesOf(await collect(test.client.readAll({ fromPosition: at, maxCount: 2 })))).to.deep.equal(['4', '5']);
      const back = await collect(test.client.readAll({ fromPosition: at, maxCount: 2, direction: BACKWARDS }));
      expect(typesOf(back)).to.deep.equal(['4', '3']);
      expect(await collect(test.client.readAll({ fromPosition: END }))).to.have.length(0);
      expect(await collect(test.client.readAll({ fromPosition: START, direction: BACKWARDS }))).to.have.length(0);
    });
  });

  describe('a stream with metadata', () => {
    let stream: string;
    beforeEach(async () => {
      stream = `meta-${randomUUID()}`;
      await test.client.appendToStream(stream, numbered(6));
    });
    const types = async (options = {}) => typesOf(await collect(test.client.readStream(stream, options)));

    it('gives its metadata back, the newest only', async () => {
      expect((await test.client.getStreamMetadata(stream)).metadata).to.equal(undefined);
      await test.client.setStreamMetadata(stream, { maxCount: 5 });
      await test.client.setStreamMetadata(stream, { maxCount: 3, custom: 'x' });
      const { metadata } = await test.client.getStreamMetadata(stream);
      expect(metadata).to.deep.equal({ maxCount: 3, custom: 'x' });
      expect(await collect(test.client.readStream(`$$${stream}`))).to.have.length(1);
    });

    it('hides all but the last $maxCount, also after more appends and a restart', async () => {
      await test.client.setStreamMetadata(stream, { maxCount: 2 });
      expect(await types()).to.deep.equal(['4', '5']);
      expect(await types({ direction: BACKWARDS, fromRevision: END })).to.deep.equal(['5', '4']);
      await test.client.appendToStream(stream, numbered(1, 6), { expectedRevision: 5n });
      await test.restart();
      expect(await types()).to.deep.equal(['5', '6']);
    });

    it('hides what lies before $tb', async () => {
      await test.client.setStreamMetadata(stream, { truncateBefore: 4 });
      expect(await types()).to.deep.equal(['4', '5']);
      expect(await types({ fromRevision: 1n, maxCount: 1 })).to.deep.equal(['4']);
    });

    it('hides what is older than $maxAge', async () => {
      await test.client.setStreamMetadata(stream, { maxAge: 60 });
      expect(await types()).to.have.length(6);
      now += 61_000;
      await test.client.appendToStream(stream, numbered(1, 6));
      expect(await types()).to.deep.equal(['6']);
    });

    it('obeys metadata that were set before the first event', async () => {
      const early = `early-${randomUUID()}`;
      await test.client.setStreamMetadata(early, { maxCount: 1 });
      expect(await rejection(collect(test.client.readStream(early)))).to.be.instanceOf(StreamNotFoundError);
      await test.client.appendToStream(early, numbered(3), { expectedRevision: 'no_stream' });
      expect(typesOf(await collect(test.client.readStream(early)))).to.deep.equal(['2']);
    });
  });

  describe('a stream that was deleted', () => {
    let stream: string;
    beforeEach(async () => {
      stream = `deleted-${randomUUID()}`;
      await test.client.appendToStream(stream, numbered(3));
    });

    it('is not found, and goes on at its next revision with what is new', async () => {
      await test.client.setStreamMetadata(stream, { custom: 'kept' });
      await test.client.deleteStream(stream, { expectedRevision: 2n });
      expect(await rejection(collect(test.client.readStream(stream)))).to.be.instanceOf(StreamNotFoundError);
      await test.restart();
      const again = await test.client.appendToStream(stream, numbered(1, 3), { expectedRevision: 'no_stream' });
      expect(again.nextExpectedRevision).to.equal(3n);
      expect(typesOf(await collect(test.client.readStream(stream)))).to.deep.equal(['3']);
      const { metadata } = await test.client.getStreamMetadata(stream);
      expect(metadata).to.deep.equal({ custom: 'kept', truncateBefore: 3 });
    });

    it('is not deleted at another revision', async () => {
      for (const end of [test.client.deleteStream, test.client.tombstoneStream]) {
        const err = await rejection(end.call(test.client, stream, { expectedRevision: 7n }));
        expect(err).to.be.instanceOf(WrongExpectedVersionError);
        const { streamName, expectedVersion, actualVersion } = err as WrongExpectedVersionError;
        expect([streamName, expectedVersion, actualVersion]).to.deep.equal([stream, 7n, 2n]);
      }
      const err = await rejection(test.client.deleteStream(`${stream}-missing`, { expectedRevision: 0n }));
      expect((err as WrongExpectedVersionError).actualVersion).to.equal('no_stream');
    });

    it('refuses everything once it is tombstoned, also after a restart', async () => {
      await test.client.tombstoneStream(stream, { expectedRevision: 2n });
      await test.restart();
      const failures = [
        collect(test.client.readStream(stream)),
        test.client.appendToStream(stream, numbered(1)),
        test.client.appendToStream(stream, numbered(1), { credentials: { username: 'a', password: 'b' } }),
        test.client.deleteStream(stream),
        collect(test.client.subscribeToStream(stream, { fromRevision: START })),
      ];
      for (const err of await Promise.all(failures.map(rejection))) {
        expect(err).to.be.instanceOf(StreamDeletedError);
        expect((err as StreamDeletedError).streamName).to.equal(stream);
      }
    });
  });

  it('resolves links when asked, and gives the bare link of what is gone', async () => {
    const link = (data: string) => ({ ...jsonEvent({ type: '$>', data: {} }), data: Buffer.from(data) });
    const links = ['3@ten', '99@ten', '0@nowhere'].map((target) => ({
      ...link(target),
      contentType: 'application/octet-stream' as const,
    }));
    await test.client.appendToStream('links', links);
    const resolved = await collect(test.client.readStream('links', { resolveLinkTos: true }));
    expect(resolved.map(({ event, link: bare }) => [event?.streamId, event?.type, bare?.type])).to.deep.equal([
      ['ten', '3', '$>'],
      [undefined, undefined, '$>'],
      [undefined, undefined, '$>'],
    ]);
    const plain = await collect(test.client.readStream('links'));
    expect(plain.every(({ event, link: bare }) => event?.type === '$>' && bare === undefined)).to.equal(true);
  });
});
