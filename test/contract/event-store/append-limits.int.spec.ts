import { binaryEvent, MaxAppendSizeExceededError } from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, rejection } from '../../../embedded/event-store-server/store-fixture.js';
import { appendWays } from './append-ways.js';
import { describeTargets } from './event-store-targets.js';

const limit = 1024 * 1024;
const binary = (size: number, metadata = 0) =>
  binaryEvent({
    type: 'big',
    data: Buffer.alloc(size, 1),
    ...(metadata > 0 ? { metadata: new Uint8Array(metadata).fill(2) } : {}),
  });
const quarters = [limit / 4, limit / 4, limit / 4];

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

    it(`is the sum of its events, in whatever parts they arrive: ${way}`, async () => {
      const { client, isEmbedded, fresh } = target();
      const last = isEmbedded ? limit / 4 : limit / 4 - 1_000;
      for (const batchAppendSize of [3 * limit, limit / 3]) {
        const stream = fresh('several');
        const options = { expectedRevision: 'no_stream' as const, batchAppendSize, ...extra };
        const over = [...quarters, limit / 4 + 1].map((size) => binary(size));
        const err = await rejection(client.appendToStream(stream, over, options));
        expect(err).to.be.instanceOf(MaxAppendSizeExceededError);
        expect((err as MaxAppendSizeExceededError).maxAppendSize).to.equal(limit);
        // Nothing of the refused one is there, and the next one is as good as the first.
        const most = [...quarters, last].map((size) => binary(size));
        expect((await client.appendToStream(stream, most, options)).nextExpectedRevision).to.equal(3n);
        const read = await collect(client.readStream(stream));
        expect(read.map(({ event }) => (event?.data instanceof Uint8Array ? event.data.length : 0))).to.deep.equal([
          ...quarters,
          last,
        ]);
      }
    });

    it(`counts metadata: ${way}`, async function () {
      // EventStoreDB 23.10 counts the data alone.
      if (!target().isEmbedded) this.skip();
      const stream = target().fresh('metadata');
      const options = { expectedRevision: 'no_stream' as const, ...extra };
      const over = binary(limit - 100, 101);
      const err = await rejection(target().client.appendToStream(stream, over, options));
      expect(err).to.be.instanceOf(MaxAppendSizeExceededError);
      await target().client.appendToStream(stream, binary(limit - 100, 100), options);
      const [read] = await collect(target().client.readStream(stream));
      expect(read?.event?.metadata).to.deep.equal(new Uint8Array(100).fill(2));
    });
  }
});
