import { jsonEvent } from '@eventstore/db-client';
import operationsGrpc from '@eventstore/db-client/generated/operations_grpc_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { collect, connect, openTestStore, rejection, type TestStore } from './store-fixture.js';

const event = (type: string) => jsonEvent({ type, data: {} });

describe('the embedded event store as a node', () => {
  let test: TestStore;
  before(async () => {
    test = await openTestStore();
  });
  after(() => test.remove());

  it('names itself the leader, so that clients that discover a cluster find it', async () => {
    const { port } = test.store;
    const clustered = connect(`esdb://127.0.0.1:${port},127.0.0.1:${port}?tls=false&nodePreference=leader`);
    await clustered.appendToStream('discovered', event('a'));
    expect(await collect(clustered.readStream('discovered'))).to.have.length(1);
    await clustered.dispose();
  });

  it('names the address it is told to advertise', async () => {
    const other = await openTestStore({ advertise: `127.0.0.1:${test.store.port}` });
    const { port } = other.store;
    const client = connect(`esdb://127.0.0.1:${port},127.0.0.1:${port}?tls=false`);
    await client.appendToStream('advertised', event('a'));
    // The append went to the advertised store.
    expect(await collect(test.client.readStream('advertised'))).to.have.length(1);
    await client.dispose();
    await other.remove();
  });

  it('refuses projections, users and what one node cannot do, with a sentence', async () => {
    const projection = (await rejection(test.client.createProjection('p', 'fromAll()'))) as Error;
    expect(projection.message).to.match(/UNIMPLEMENTED: .*embedded event store/);
    const operations = new operationsGrpc.OperationsClient(
      `127.0.0.1:${test.store.port}`,
      credentials.createInsecure(),
    );
    for (const refuse of ['shutdown', 'mergeIndexes', 'resignNode'] as const) {
      const err = await new Promise((resolve) => operations[refuse](new shared.Empty(), resolve));
      expect((err as ServiceError).code, refuse).to.equal(status.UNIMPLEMENTED);
    }
    operations.close();
  });

  it('starts and closes many times in one process', async () => {
    for (let n = 0; n < 10; n += 1) {
      const store = await openTestStore();
      await store.client.appendToStream('s', event('a'));
      await store.remove();
    }
  });
});
