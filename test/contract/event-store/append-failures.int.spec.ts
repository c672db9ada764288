import {
  binaryEvent,
  type EventStoreDBClient,
  jsonEvent,
  MaxAppendSizeExceededError,
  StreamDeletedError,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, rejection } from '../../../embedded/event-store-server/store-fixture.js';
import { appendWays } from './append-ways.js';
import { describeTargets } from './event-store-targets.js';

const event = () => jsonEvent({ type: 'a', data: {} });

describeTargets('a client that asks not to throw', (target) => {
  let client: EventStoreDBClient;
  before(() => {
    client = target().connect('throwOnAppendFailure=false');
  });

  for (const { way, extra } of appendWays) {
    describe(way, () => {
      let stream: string;
      beforeEach(async () => {
        stream = target().fresh('unthrown');
        const first = await client.appendToStream(stream, [event(), event(), event()], extra);
        expect(first.success).to.equal(true);
      });

      for (const expectedRevision of ['no_stream', 0n, 7n] as const) {
        it(`is told of a wrong expected revision (${expectedRevision}) in the answer`, async () => {
          const { success, nextExpectedRevision, position } = await client.appendToStream(stream, event(), {
            expectedRevision,
            ...extra,
          });
          expect({ success, position }).to.deep.equal({ success: false, position: undefined });
          // Of a batch append the client makes 1 whatever the revision is: its own fault.
          if ('credentials' in extra) expect(nextExpectedRevision).to.equal(2n);
          expect(await collect(client.readStream(stream))).to.have.length(3);
        });
      }

      for (const expectedRevision of ['stream_exists', 0n] as const) {
        it(`is told that there is no stream (${expectedRevision})`, async () => {
          const missing = target().fresh('missing');
          const answer = await client.appendToStream(missing, event(), { expectedRevision, ...extra });
          expect(answer).to.deep.equal({ success: false, nextExpectedRevision: -1n, position: undefined });
        });
      }

      it('is thrown the rest', async () => {
        const big = binaryEvent({ type: 'big', data: Buffer.alloc(1024 * 1024 + 1) });
        const tooLarge = await rejection(client.appendToStream(stream, big, extra));
        expect(tooLarge).to.be.instanceOf(MaxAppendSizeExceededError);
        await client.tombstoneStream(stream);
        const deleted = await rejection(client.appendToStream(stream, event(), extra));
        expect(deleted).to.be.instanceOf(StreamDeletedError);
      });
    });
  }
});
