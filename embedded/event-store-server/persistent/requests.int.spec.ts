import {
  jsonEvent,
  persistentSubscriptionToAllSettingsFromDefaults,
  persistentSubscriptionToStreamSettingsFromDefaults,
} from '@eventstore/db-client';
import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { collect, openTestStore, rejection, type TestStore } from '../store-fixture.js';

/** What the contract suite (`test/contract/event-store/`) does not ask, because it is this store's own. */
describe('asking the embedded event store for a persistent subscription', () => {
  let test: TestStore;
  beforeEach(async () => {
    test = await openTestStore();
  });
  afterEach(() => test.remove());

  it('is refused by names that would make two of them share a parked stream', async () => {
    const settings = persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: 'start' });
    const create = (stream: string, group: string) =>
      test.client.createPersistentSubscriptionToStream(stream, group, settings);
    for (const group of ['g1::x', ':g', '::', 'g::']) {
      expect(await rejection(create('s', group)), group).to.include({ code: status.INVALID_ARGUMENT });
    }
    for (const group of ['g:1', 'g:', 'x']) await create('s::g1:', group);
    const { length } = await test.client.listAllPersistentSubscriptions();
    expect(length).to.equal(3);
  });

  it('understands the largest position as the end', async () => {
    const largest = 0xffff_ffff_ffff_ffffn;
    const startFrom = { commit: largest, prepare: largest };
    const settings = persistentSubscriptionToAllSettingsFromDefaults({ startFrom });
    await test.client.appendToStream('s', jsonEvent({ type: 'before', data: {} }));
    await test.client.createPersistentSubscriptionToAll('g', settings);
    await test.client.appendToStream('s', jsonEvent({ type: 'after', data: {} }));
    const [first] = await collect(test.client.subscribeToPersistentSubscriptionToAll('g'), 1);
    expect(first?.event?.type).to.equal('after');
  });
});
