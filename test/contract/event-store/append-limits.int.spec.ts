import { binaryEvent, MaxAppendSizeExceededError } from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, rejection } from '../../../embedded/event-store-server/store-fixture.js';
import { appendWays } from './append-ways.js';
import { describeTargets } from './event-store-targets.js';

const limit = 1024 * 1024;
const binary = (size: number) => binaryEvent({ type: 'big', data: Buffer.alloc(size, 1) });

describeTargets('an append of 1 MiB', (target) => {
  for (const { way, extra } of appendWays) {
    it(`is taken, and refused with one byte more: ${way}`, async () => {
      const { client, isEmbedded } = target();
      const stream = target().fresh('big');
      // EventStoreDB counts the type too.
      const most = isEmbedded ? limit : limit - 1_000;
      const ok = await client.appendToStream(stream, binary(most), { expectedRevision: 'no_stream', ...extra });
      expect(ok.success).to.equal(true);
      const err = await rejection(client.appendToStream(stream, binary(limit + 1), extra));
      expect(err).to.be.instanceOf(MaxAppendSizeExceededError);
      expect((err as MaxAppendSizeExceededError).maxAppendSize).to.equal(limit);
      const [read, ...more] = await collect(client.readStream(stream));
      expect(read?.event?.data).to.deep.equal(new Uint8Array(most).fill(1));
      expect(more).to.have.length(0);
    });
  }
});
