import { BACKWARDS, END, jsonEvent, START } from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, openTestStore, type TestStore, typesOf } from './store-fixture.js';

const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => jsonEvent({ type: String(from + n), data: { n: from + n } }));

/** What the contract suite (`test/contract/event-store/`) does not ask, because it is this store's own. */
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

  it('ends where the stream ended when the read began', async () => {
    const seen: string[] = [];
    for await (const { event } of test.client.readStream('long')) {
      if (seen.length === 0) await test.client.appendToStream('long', numbered(1, 700));
      seen.push(event?.type ?? '');
    }
    expect(seen).to.have.length(700);
  });

  it('gives the whole log without a gap, in both directions', async () => {
    const forwards = await collect(test.client.readAll());
    const positions = forwards.map(({ event }) => Number(event?.position.commit));
    expect(positions).to.deep.equal(positions.map((_, n) => n + 1));
    const backwards = await collect(test.client.readAll({ direction: BACKWARDS, fromPosition: END }));
    expect(backwards.map(({ event }) => event?.id)).to.deep.equal(forwards.map(({ event }) => event?.id).reverse());
  });

  it('starts in the whole log at the position it is given', async () => {
    const at = { commit: 5n, prepare: 5n };
    expect(typesOf(await collect(test.client.readAll({ fromPosition: at, maxCount: 2 })))).to.deep.equal(['4', '5']);
    const back = await collect(test.client.readAll({ fromPosition: at, maxCount: 2, direction: BACKWARDS }));
    expect(typesOf(back)).to.deep.equal(['4', '3']);
    expect(await collect(test.client.readAll({ fromPosition: END }))).to.have.length(0);
    expect(await collect(test.client.readAll({ fromPosition: START, direction: BACKWARDS }))).to.have.length(0);
  });

  it('hides what is older than $maxAge', async () => {
    await test.client.appendToStream('aging', numbered(6));
    await test.client.setStreamMetadata('aging', { maxAge: 60 });
    expect(await collect(test.client.readStream('aging'))).to.have.length(6);
    now += 61_000;
    await test.client.appendToStream('aging', numbered(1, 6));
    expect(typesOf(await collect(test.client.readStream('aging')))).to.deep.equal(['6']);
  });

  it('keeps the other metadata of a stream that is deleted and written again', async () => {
    await test.client.appendToStream('deleted', numbered(3));
    await test.client.setStreamMetadata('deleted', { custom: 'kept' });
    await test.client.deleteStream('deleted', { expectedRevision: 2n });
    await test.client.appendToStream('deleted', numbered(1, 3), { expectedRevision: 'no_stream' });
    const { metadata } = await test.client.getStreamMetadata('deleted');
    expect(metadata).to.deep.equal({ custom: 'kept', truncateBefore: 3 });
  });
});
