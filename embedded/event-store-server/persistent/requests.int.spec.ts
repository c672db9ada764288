import {
  jsonEvent,
  persistentSubscriptionToAllSettingsFromDefaults,
  persistentSubscriptionToStreamSettingsFromDefaults,
} from '@eventstore/db-client';
import persistentGrpc from '@eventstore/db-client/generated/persistent_grpc_pb.js';
import { Client, credentials, status } from '@grpc/grpc-js';
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

  it('is refused by a name that is no text, and told so, and the server goes on', async () => {
    const service = persistentGrpc.PersistentSubscriptionsService;
    const wire = new Client(`127.0.0.1:${test.store.port}`, credentials.createInsecure());
    // The stream "s" and a group whose bytes are half of a surrogate pair, as no generated class writes them.
    const [stream, half] = ['0a031a0173', '03eda080'];
    for (const [{ path }, field] of [
      [service.getInfo, '1a'],
      [service.delete, '12'],
    ] as const) {
      const message = Buffer.from(`0a0a${stream}${field}${half}`, 'hex');
      const err = await new Promise((resolve) =>
        wire.makeUnaryRequest(
          path,
          (bytes: Buffer) => bytes,
          (bytes) => bytes,
          message,
          resolve,
        ),
      );
      expect(err, String(err)).to.include({ code: status.INVALID_ARGUMENT });
    }
    wire.close();
    await test.client.appendToStream('s', jsonEvent({ type: 'a', data: {} }));
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
