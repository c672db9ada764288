import { randomUUID } from 'node:crypto';
import {
  type AppendExpectedRevision,
  binaryEvent,
  jsonEvent,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, rejection, typesOf } from '../../../embedded/event-store-server/store-fixture.js';
import { appendWays } from './append-ways.js';
import { describeTargets } from './event-store-targets.js';

const event = (type: string, id: string = randomUUID()) => jsonEvent({ type, id, data: { type } });

describeTargets('appending', (target) => {
  for (const { way, extra } of appendWays) {
    describe(way, () => {
      const append = (stream: string, events: ReturnType<typeof event>[], expectedRevision: AppendExpectedRevision) =>
        target().client.appendToStream(stream, events, { expectedRevision, ...extra });
      let stream: string;
      beforeEach(() => {
        stream = target().fresh('append');
      });

      it('answers with the last revision and position of the append', async () => {
        const first = await append(stream, [event('a'), event('b')], 'no_stream');
        const second = await append(stream, [event('c')], 1n);
        expect(first.success).to.equal(true);
        expect(first.nextExpectedRevision).to.equal(1n);
        expect(second.nextExpectedRevision).to.equal(2n);
        const read = await collect(target().client.readStream(stream));
        expect(typesOf(read)).to.deep.equal(['a', 'b', 'c']);
        expect(read.map(({ event: got }) => got?.position)).to.deep.include.members([first.position, second.position]);
        expect(Number(second.position?.commit)).to.be.greaterThan(Number(first.position?.commit));
      });

      it('takes "any" and "stream_exists" on an existing stream', async () => {
        await append(stream, [event('a')], 'any');
        const last = await append(stream, [event('b')], 'stream_exists');
        expect(last.nextExpectedRevision).to.equal(1n);
      });

      const refused: [string, AppendExpectedRevision, number, bigint | 'no_stream'][] = [
        ['an exact revision of a missing stream', 0n, 0, 'no_stream'],
        ['"stream_exists" of a missing stream', 'stream_exists', 0, 'no_stream'],
        ['"no_stream" of an existing stream', 'no_stream', 1, 0n],
        ['an older revision', 0n, 3, 2n],
        ['a newer revision', 7n, 3, 2n],
      ];
      for (const [what, expected, existing, actual] of refused) {
        it(`refuses ${what}, naming what it found`, async () => {
          if (existing > 0)
            await append(
              stream,
              Array.from({ length: existing }, () => event('a')),
              'no_stream',
            );
          const err = await rejection(append(stream, [event('x')], expected));
          expect(err).to.be.instanceOf(WrongExpectedVersionError);
          const { streamName, expectedVersion, actualVersion } = err as WrongExpectedVersionError;
          expect({ streamName, expectedVersion, actualVersion }).to.deep.equal({
            streamName: stream,
            expectedVersion: expected,
            actualVersion: actual,
          });
        });
      }

      it('takes an exact revision, and the next one', async () => {
        await append(stream, [event('a'), event('b')], 'no_stream');
        expect((await append(stream, [event('c')], 1n)).nextExpectedRevision).to.equal(2n);
        expect((await append(stream, [event('d')], 2n)).nextExpectedRevision).to.equal(3n);
      });

      it('refuses every revision of a tombstoned stream, naming it', async () => {
        await append(stream, [event('a')], 'no_stream');
        await target().client.tombstoneStream(stream);
        for (const expected of ['no_stream', 'any', 'stream_exists', 0n] as const) {
          const err = await rejection(append(stream, [event('x')], expected));
          expect(err, String(expected)).to.be.instanceOf(StreamDeletedError);
          expect((err as StreamDeletedError).streamName).to.equal(stream);
        }
      });

      it('writes nothing of a refused append', async () => {
        await rejection(append(stream, [event('x'), event('y')], 5n));
        expect(await rejection(collect(target().client.readStream(stream)))).to.be.instanceOf(StreamNotFoundError);
      });
    });
  }

  it('keeps data, metadata, id, type and content type as they were sent', async () => {
    const stream = target().fresh('kept');
    const json = jsonEvent({ type: 'json', data: { text: 'Zoë 🛒' }, metadata: { $correlationId: 'c', n: 1 } });
    const binary = binaryEvent({ type: 'binary', data: Buffer.from([0, 255, 1]), metadata: Buffer.from([9, 8]) });
    await target().client.appendToStream(stream, [json, binary]);
    const [first, second] = await collect(target().client.readStream(stream));
    expect(first?.event).to.include({ id: json.id, type: 'json', isJson: true });
    expect(first?.event?.data).to.deep.equal(json.data);
    expect(first?.event?.metadata).to.deep.equal(json.metadata);
    expect(second?.event).to.include({ id: binary.id, type: 'binary', isJson: false });
    expect(second?.event?.data).to.deep.equal(new Uint8Array([0, 255, 1]));
    expect(second?.event?.metadata).to.deep.equal(new Uint8Array([9, 8]));
  });

  it('takes unusual stream names', async () => {
    const { client, prefix } = target();
    const names = [
      `${prefix}ünïcode-🛒-流れ`,
      `${prefix}a b/c?d=e&f%20`,
      `-${prefix}`,
      `${prefix}-`,
      `$${prefix}`,
      `${prefix}${'x'.repeat(2_000)}`,
      `${prefix}${'流'.repeat(2_000)}`,
      `${prefix}${'x'.repeat(1_999)}y`,
    ];
    for (const name of names) {
      const { nextExpectedRevision } = await client.appendToStream(name, event('a'), { expectedRevision: 'no_stream' });
      expect(nextExpectedRevision).to.equal(0n);
    }
    for (const name of names) {
      const [read] = await collect(client.readStream(name));
      expect(read?.event?.streamId).to.equal(name);
    }
    const wrong = `${prefix}流-wrong`;
    const err = await rejection(client.appendToStream(wrong, event('a'), { expectedRevision: 3n }));
    expect((err as WrongExpectedVersionError).streamName).to.equal(wrong);
  });

  it('keeps order and count under 64 concurrent appenders, one of which wins each contest', async () => {
    const { client, fresh } = target();
    const contest = fresh('contest');
    const own = Array.from({ length: 64 }, () => fresh('own'));
    const winners: string[] = [];
    const losers: unknown[] = [];
    await Promise.all(
      own.map(async (stream) => {
        for (let n = 0; n < 10; n += 1) {
          await client.appendToStream(stream, event(String(n)), {
            expectedRevision: n === 0 ? 'no_stream' : BigInt(n - 1),
          });
        }
        try {
          await client.appendToStream(contest, event('won'), { expectedRevision: 'no_stream' });
          winners.push(stream);
        } catch (err) {
          losers.push(err);
        }
      }),
    );
    expect(winners).to.have.length(1);
    expect(losers.every((err) => err instanceof WrongExpectedVersionError)).to.equal(true);
    for (const stream of own) {
      const types = typesOf(await collect(client.readStream(stream)));
      expect(types).to.deep.equal(Array.from({ length: 10 }, (_, n) => String(n)));
    }
  });

  it('keeps the parts of interleaved batch appends apart', async () => {
    const { client, fresh } = target();
    const many = (prefix: string) => Array.from({ length: 50 }, (_, n) => event(`${prefix}${n}`));
    const parts = new Map(['a', 'b', 'c'].map((letter) => [fresh(`parts-${letter}`), many(letter)]));
    await Promise.all(
      [...parts].map(([stream, events]) =>
        client.appendToStream(stream, events, { expectedRevision: 'no_stream', batchAppendSize: 200 }),
      ),
    );
    for (const [stream, events] of parts) {
      const types = typesOf(await collect(client.readStream(stream)));
      expect(types).to.deep.equal(events.map(({ type }) => type));
    }
  });
});
