import { randomUUID } from 'node:crypto';
import { jsonEvent } from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, openTestStore, rejection, type TestStore } from './store-fixture.js';

const event = (type: string, id: string = randomUUID()) => jsonEvent({ type, id, data: { type } });

/** What the contract suite (`test/contract/event-store/`) does not ask, because it is this store's own. */
describe('appending to the embedded event store', () => {
  let test: TestStore;
  before(async () => {
    test = await openTestStore();
  });
  after(() => test.remove());

  it('gives dense positions, from 1 on', async () => {
    const first = await test.client.appendToStream('dense-a', [event('a'), event('b')]);
    const second = await test.client.appendToStream('dense-b', event('c'));
    expect([first.position, second.position]).to.deep.equal([
      { commit: 2n, prepare: 2n },
      { commit: 3n, prepare: 3n },
    ]);
  });

  it('dates events by the clock', async () => {
    const before = Date.now();
    await test.client.appendToStream('dated', event('a'));
    const [read] = await collect(test.client.readStream('dated'));
    expect(read?.event?.created.getTime()).to.be.within(before, Date.now());
  });

  it('refuses a write to $all and an event id that is no UUID', async () => {
    const all = (await rejection(test.client.appendToStream('$all', event('a')))) as Error;
    expect(all.message).to.match(/\$all/);
    const id = (await rejection(test.client.appendToStream('ids', event('a', 'not-a-uuid')))) as Error;
    expect(id.message).to.match(/UUID/);
  });
});
