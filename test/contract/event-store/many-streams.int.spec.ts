import { randomUUID } from 'node:crypto';
import {
  BACKWARDS,
  binaryEvent,
  END,
  START,
  streamNameFilter,
  type WrongExpectedVersionError,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, rejection } from '../../../embedded/event-store-server/store-fixture.js';
import { describeTargets } from './event-store-targets.js';

const count = 100_000;
const inFlight = 400;

describeTargets('100,000 streams', (target) => {
  it('are each written, read and continued, and $all has them all', async function () {
    this.timeout(180_000);
    const { client, fresh } = target();
    const word = fresh('many');
    const name = (n: number) => `${word}-${n}`;
    const event = (n: number, text: string) =>
      binaryEvent({ id: randomUUID(), type: 'one', data: Buffer.from(`${text}${n}`) });
    let next = 0;
    const write = async () => {
      for (let n = next++; n < count; n = next++) {
        const { nextExpectedRevision } = await client.appendToStream(name(n), event(n, 'first '), {
          expectedRevision: 'no_stream',
        });
        if (nextExpectedRevision !== 0n) throw new Error(`Stream ${n} begins at ${nextExpectedRevision}.`);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, write));

    const seen = new Set<string>();
    const filter = streamNameFilter({ prefixes: [`${word}-`], maxSearchWindow: 1_000 });
    for await (const { event: got } of client.subscribeToAll({ fromPosition: START, filter })) {
      if (got !== undefined) seen.add(got.streamId);
      if (seen.size === count) break;
    }
    expect(seen.has(name(0)) && seen.has(name(count - 1))).to.equal(true);

    // From every part of the set, long after most of them were forgotten in memory.
    for (let n = 0; n < count; n += 487) {
      const options = { direction: BACKWARDS, fromRevision: END, maxCount: 1 } as const;
      const [last] = await collect(client.readStream(name(n), options));
      expect(last?.event?.revision).to.equal(0n);
      expect(Buffer.from(last?.event?.data as Uint8Array).toString()).to.equal(`first ${n}`);
      const err = await rejection(client.appendToStream(name(n), event(n, 'x'), { expectedRevision: 'no_stream' }));
      expect((err as WrongExpectedVersionError).actualVersion).to.equal(0n);
      const second = await client.appendToStream(name(n), event(n, 'second '), { expectedRevision: 0n });
      expect(second.nextExpectedRevision).to.equal(1n);
    }
  });
});
