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

      for (const expected of ['no_stream', 'any'] as const) {
        it(`answers a repeat with "${expected}" as it did the first time`, async () => {
          const events = [event('a'), event('b')];
          const first = await append(stream, events, expected);
          await append(stream, [event('c')], 1n);
          const repeat = await append(stream, events, expected);
          expect(repeat).to.deep.equal(first);
          expect(await read(stream)).to.have.length(3);
        });
      }

      it('answers a repeat at an exact revision as it did the first time', async () => {
        await append(stream, [event('a')], 'no_stream');
        const events = [event('b'), event('c')];
        const first = await append(stream, events, 0n);
        expect(await append(stream, events, 0n)).to.deep.equal(first);
        expect(await read(stream)).to.have.length(3);
      });

      it('refuses a repeat that is mixed with something new', async () => {
        const [a, b] = [event('a'), event('b')];
        await append(stream, [a, b], 'no_stream');
        for (const expected of ['no_stream', 'any'] as const) {
          const err = await rejection(append(stream, [a, event('x')], expected));
          expect(err).to.be.instanceOf(WrongExpectedVersionError);
        }
        expect(await read(stream)).to.have.length(2);
      });

      it('takes a used event id again at the right revision', async () => {
        const again = event('a');
        await append(stream, [again], 'no_stream');
        expect((await append(stream, [again], 0n)).nextExpectedRevision).to.equal(1n);
      });
    });
  }
});
