import { randomUUID } from 'node:crypto';
import {
  type AppendExpectedRevision,
  binaryEvent,
  jsonEvent,
  MaxAppendSizeExceededError,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, openTestStore, rejection, type TestStore, typesOf } from './store-fixture.js';

const event = (type: string, id: string = randomUUID()) => jsonEvent({ type, id, data: { type } });

/** Credentials on a call make the client use the classic Append instead of the shared BatchAppend. */
const ways = [
  { way: 'batch append', extra: {} },
  { way: 'classic append', extra: { credentials: { username: 'admin', password: 'changeit' } } },
];

describe('appending to the embedded event store', () => {
  let test: TestStore;
  before(async () => {
    test = await openTestStore();
  });
  after(() => test.remove());

  for (const { way, extra } of ways) {
    describe(way, () => {
      const append = (stream: string, events: ReturnType<typeof event>[], expectedRevision: AppendExpectedRevision) =>
        test.client.appendToStream(stream, events, { expectedRevision, ...extra });
      let stream: string;
      beforeEach(() => {
        stream = `append-${randomUUID()}`;
      });

      it('answers with the last revision and position of the append', async () => {
        const first = await append(stream, [event('a'), event('b')], 'no_stream');
        const second = await append(stream, [event('c')], 1n);
        expect(first.success).to.equal(true);
        expect(first.nextExpectedRevision).to.equal(1n);
        expect(second.nextExpectedRevision).to.equal(2n);
        expect(second.position?.commit).to.equal((first.position?.commit ?? 0n) + 1n);
        expect(typesOf(await collect(test.client.readStream(stream)))).to.deep.equal(['a', 'b', 'c']);
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

      it('writes nothing of a refused append', async () => {
        await rejection(append(stream, [event('x'), event('y')], 5n));
        expect(await rejection(collect(test.client.readStream(stream)))).to.be.instanceOf(StreamNotFoundError);
      });

      for (const expected of ['no_stream', 'any'] as const) {
        it(`answers a repeat with "${expected}" as it did the first time`, async () => {
          const events = [event('a'), event('b')];
          const first = await append(stream, events, expected);
          await append(stream, [event('c')], 1n);
          const repeat = await append(stream, events, expected);
          expect(repeat).to.deep.equal(first);
          expect(await collect(test.client.readStream(stream))).to.have.length(3);
        });
      }

      it('answers a repeat at an exact revision as it did the first time', async () => {
        await append(stream, [event('a')], 'no_stream');
        const events = [event('b'), event('c')];
        const first = await append(stream, events, 0n);
        expect(await append(stream, events, 0n)).to.deep.equal(first);
        expect(await collect(test.client.readStream(stream))).to.have.length(3);
      });

      it('refuses a repeat that is mixed with something new', async () => {
        const [a, b] = [event('a'), event('b')];
        await append(stream, [a, b], 'no_stream');
        for (const expected of ['no_stream', 'any'] as const) {
          const err = await rejection(append(stream, [a, event('x')], expected));
          expect(err).to.be.instanceOf(WrongExpectedVersionError);
        }
        expect(await collect(test.client.readStream(stream))).to.have.length(2);
      });

      it('takes a used event id again at the right revision', async () => {
        const again = event('a');
        await append(stream, [again], 'no_stream');
        expect((await append(stream, [again], 0n)).nextExpectedRevision).to.equal(1n);
      });

      it('takes 1 MiB of data and refuses one byte more', async () => {
        const limit = 1024 * 1024;
        const binary = (size: number) => binaryEvent({ type: 'big', data: Buffer.alloc(size, 1) });
        const ok = await test.client.appendToStream(stream, binary(limit), { expectedRevision: 'no_stream', ...extra });
        expect(ok.success).to.equal(true);
        const err = await rejection(test.client.appendToStream(stream, binary(limit + 1), extra));
        expect(err).to.be.instanceOf(MaxAppendSizeExceededError);
        expect((err as MaxAppendSizeExceededError).maxAppendSize).to.equal(limit);
        const [read] = await collect(test.client.readStream(stream));
        expect(read?.event?.data).to.deep.equal(new Uint8Array(limit).fill(1));
      });
    });
  }

  it('keeps data, metadata, id, type and content type as they were sent', async () => {
    const json = jsonEvent({ type: 'json', data: { text: 'Zoë 🛒' }, metadata: { $correlationId: 'c', n: 1 } });
    const binary = binaryEvent({ type: 'binary', data: Buffer.from([0, 255, 1]), metadata: Buffer.from([9, 8]) });
    const before = Date.now();
    await test.client.appendToStream('kept', [json, binary]);
    const [first, second] = await collect(test.client.readStream('kept'));
    expect(first?.event).to.include({ id: json.id, type: 'json', isJson: true, streamId: 'kept', revision: 0n });
    expect(first?.event?.data).to.deep.equal(json.data);
    expect(first?.event?.metadata).to.deep.equal(json.metadata);
    expect(first?.event?.created.getTime()).to.be.within(before, Date.now());
    expect(second?.event).to.include({ id: binary.id, type: 'binary', isJson: false });
    expect(second?.event?.data).to.deep.equal(new Uint8Array([0, 255, 1]));
    expect(second?.event?.metadata).to.deep.equal(new Uint8Array([9, 8]));
  });

  it('takes unusual stream names', async () => {
    const names = [
      'ünïcode-🛒-流れ',
      'a b/c?d=e&f%20',
      '-',
      '$odd',
      'x'.repeat(2_000),
      '流'.repeat(2_000),
      `${'x'.repeat(1_999)}y`,
    ];
    for (const name of names) {
      const { nextExpectedRevision } = await test.client.appendToStream(name, event('a'), {
        expectedRevision: 'no_stream',
      });
      expect(nextExpectedRevision).to.equal(0n);
    }
    for (const name of names) {
      const [read] = await collect(test.client.readStream(name));
      expect(read?.event?.streamId).to.equal(name);
    }
    const err = await rejection(test.client.appendToStream('流-wrong', event('a'), { expectedRevision: 3n }));
    expect((err as WrongExpectedVersionError).streamName).to.equal('流-wrong');
  });

  it('refuses a write to $all and an event id that is no UUID', async () => {
    const all = (await rejection(test.client.appendToStream('$all', event('a')))) as Error;
    expect(all.message).to.match(/\$all/);
    const id = (await rejection(test.client.appendToStream('ids', event('a', 'not-a-uuid')))) as Error;
    expect(id.message).to.match(/UUID/);
  });

  it('keeps order and count under 64 concurrent appenders, one of which wins each contest', async () => {
    const winners: number[] = [];
    const losers: unknown[] = [];
    await Promise.all(
      Array.from({ length: 64 }, async (_, writer) => {
        for (let n = 0; n < 10; n += 1) {
          await test.client.appendToStream(`own-${writer}`, event(String(n)), {
            expectedRevision: n === 0 ? 'no_stream' : BigInt(n - 1),
          });
        }
        try {
          await test.client.appendToStream('contest', event('won'), { expectedRevision: 'no_stream' });
          winners.push(writer);
        } catch (err) {
          losers.push(err);
        }
      }),
    );
    expect(winners).to.have.length(1);
    expect(losers.every((err) => err instanceof WrongExpectedVersionError)).to.equal(true);
    for (let writer = 0; writer < 64; writer += 1) {
      const types = typesOf(await collect(test.client.readStream(`own-${writer}`)));
      expect(types).to.deep.equal(Array.from({ length: 10 }, (_, n) => String(n)));
    }
  });

  it('keeps the parts of interleaved batch appends apart', async () => {
    const many = (prefix: string) => Array.from({ length: 50 }, (_, n) => event(`${prefix}${n}`));
    await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        test.client.appendToStream(`parts-${name}`, many(name), {
          expectedRevision: 'no_stream',
          batchAppendSize: 200,
        }),
      ),
    );
    for (const name of ['a', 'b', 'c']) {
      const types = typesOf(await collect(test.client.readStream(`parts-${name}`)));
      expect(types).to.deep.equal(many(name).map(({ type }) => type));
    }
  });
});
