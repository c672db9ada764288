import { randomUUID } from 'node:crypto';
import { type AppendExpectedRevision, jsonEvent, WrongExpectedVersionError } from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, rejection } from '../../../embedded/event-store-server/store-fixture.js';
import { appendWays } from './append-ways.js';
import { describeTargets } from './event-store-targets.js';

const event = (type: string, id: string = randomUUID()) => jsonEvent({ type, id, data: { type } });

describeTargets('repeating an append', (target) => {
  for (const { way, extra } of appendWays) {
    describe(way, () => {
      const append = (stream: string, events: ReturnType<typeof event>[], expectedRevision: AppendExpectedRevision) =>
        target().client.appendToStream(stream, events, { expectedRevision, ...extra });
      const read = (stream: string) => collect(target().client.readStream(stream));
      let stream: string;
      beforeEach(() => {
        stream = target().fresh('repeat');
      });

      /** What lies in the stream before the append that is repeated. */
      const before: [AppendExpectedRevision, number][] = [
        ['no_stream', 0],
        ['any', 0],
        ['any', 2],
        ['stream_exists', 2],
        [1n, 2],
      ];
      for (const [expected, existing] of before) {
        for (const restarted of [false, true]) {
          it(`answers a repeat with "${expected}" after ${existing} events as the first time${restarted ? ', also after a restart' : ''}`, async function () {
            if (restarted && target().restart === undefined) this.skip();
            for (let n = 0; n < existing; n += 1) await append(stream, [event('early')], 'any');
            const events = [event('a'), event('b')];
            const first = await append(stream, events, expected);
            await append(stream, [event('c')], BigInt(existing) + 1n);
            if (restarted) await target().restart?.();
            expect(await append(stream, events, expected)).to.deep.equal(first);
            expect(await read(stream)).to.have.length(existing + 3);
          });
        }
      }

      it('answers a repeat of the first part by what it wrote then', async () => {
        const [a, b, c] = [event('a'), event('b'), event('c')];
        const { position } = await append(stream, [a, b, c], 'no_stream');
        for (const expected of ['no_stream', 'any', 'stream_exists'] as const) {
          const repeat = await append(stream, [a, b], expected);
          expect(repeat.nextExpectedRevision, expected).to.equal(1n);
          expect(Number(repeat.position?.commit)).to.be.lessThan(Number(position?.commit));
        }
        expect(await read(stream)).to.have.length(3);
      });

      it('answers a repeat of the last part by what it wrote then', async () => {
        const [a, b, c] = [event('a'), event('b'), event('c')];
        const first = await append(stream, [a, b, c], 'no_stream');
        for (const expected of [0n, 'any', 'stream_exists'] as const) {
          expect(await append(stream, [b, c], expected), String(expected)).to.deep.equal(first);
        }
        expect(await read(stream)).to.have.length(3);
      });

      it('answers a repeat that spans two appends as the second', async () => {
        const [a, b] = [event('a'), event('b')];
        await append(stream, [a], 'no_stream');
        const second = await append(stream, [b], 0n);
        for (const expected of ['no_stream', 'any', 'stream_exists'] as const) {
          expect(await append(stream, [a, b], expected), expected).to.deep.equal(second);
        }
        expect(await read(stream)).to.have.length(2);
      });

      const mixed: [string, (known: ReturnType<typeof event>[]) => ReturnType<typeof event>[]][] = [
        ['something else in the middle', ([a, , c]) => [a, event('x'), c].filter((each) => each !== undefined)],
        ['something else at its end', ([a, b]) => [a, b, event('x')].filter((each) => each !== undefined)],
        ['more than was written', (known) => [...known, event('x')]],
      ];
      for (const [what, mix] of mixed) {
        it(`refuses a repeat with ${what}, at every revision`, async () => {
          const known = [event('a'), event('b'), event('c')];
          await append(stream, known, 'no_stream');
          for (const expected of ['no_stream', 'any', 'stream_exists'] as const) {
            const err = await rejection(append(stream, mix(known), expected));
            expect(err, expected).to.be.instanceOf(WrongExpectedVersionError);
            const { streamName, expectedVersion, actualVersion } = err as WrongExpectedVersionError;
            expect([streamName, expectedVersion, actualVersion]).to.deep.equal([stream, expected, 2n]);
          }
          expect(await read(stream)).to.have.length(3);
        });
      }

      it('refuses the same ids at another exact revision', async () => {
        const [a, b] = [event('a'), event('b')];
        await append(stream, [a, b], 'no_stream');
        expect(await rejection(append(stream, [a], 0n))).to.be.instanceOf(WrongExpectedVersionError);
        expect(await rejection(append(stream, [b], 7n))).to.be.instanceOf(WrongExpectedVersionError);
        expect(await read(stream)).to.have.length(2);
      });

      it('takes the same ids in another stream as new', async () => {
        const events = [event('a'), event('b')];
        const other = target().fresh('other');
        await append(stream, events, 'any');
        expect((await append(other, events, 'any')).nextExpectedRevision).to.equal(1n);
        expect(await read(other)).to.have.length(2);
      });

      it('writes once what is sent twice at the same time', async function () {
        // EventStoreDB may leave the second unanswered while the first is on its way.
        if (!target().isEmbedded) this.skip();
        for (const expected of ['no_stream', 'any', 0n] as const) {
          const name = target().fresh('twice');
          if (expected === 0n) await append(name, [event('early')], 'no_stream');
          const events = [event('a'), event('b')];
          const [one, two] = await Promise.all([append(name, events, expected), append(name, events, expected)]);
          expect(two).to.deep.equal(one);
          expect(await read(name)).to.have.length(expected === 0n ? 3 : 2);
        }
      });

      it('takes a used event id again at the right revision', async () => {
        const again = event('a');
        await append(stream, [again], 'no_stream');
        expect((await append(stream, [again], 0n)).nextExpectedRevision).to.equal(1n);
      });
    });
  }
});
