import { AccessDeniedError, jsonEvent } from '@eventstore/db-client';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { expect } from 'chai';
import {
  featuresDefinition,
  gossipDefinition,
  operationsDefinition,
  persistentDefinition,
  refusedServices,
  streamsDefinition,
} from './protocol.js';
import { connect, openTestStore, rejection, type TestStore } from './store-fixture.js';

const password = 'naïve: p@ss';
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const pathsOf = (definition: object) =>
  Object.values(definition as Record<string, { path: string }>).map(({ path }) => path);

describe('an embedded event store with a password', () => {
  let test: TestStore;
  let wire: Client;
  before(async () => {
    test = await openTestStore({ password });
    wire = new Client(`127.0.0.1:${test.store.port}`, credentials.createInsecure());
  });
  after(async () => {
    wire.close();
    await test.remove();
  });

  /** How a call with an empty message ends; on the wire all kinds of calls look alike. */
  const ask = (path: string, authorization?: string): Promise<Pick<ServiceError, 'code' | 'metadata'>> => {
    const metadata = new Metadata();
    if (authorization !== undefined) metadata.set('authorization', authorization);
    const bytes = (message: Buffer) => message;
    const call = wire.makeServerStreamRequest(path, bytes, bytes, Buffer.alloc(0), metadata, {
      deadline: Date.now() + 5_000,
    });
    call.on('data', () => {}).on('error', () => {});
    return new Promise((resolve) => call.once('status', resolve));
  };
  const guarded = [
    streamsDefinition,
    persistentDefinition,
    operationsDefinition,
    ...refusedServices.map(({ definition }) => definition),
  ].flatMap(pathsOf);

  it('refuses every call of every service without it or with another', async () => {
    const faults = [undefined, basic(`admin:${password}x`), basic(`root:${password}`), basic(password), 'Basic', 'x'];
    for (const path of guarded) {
      for (const authorization of faults) {
        const { code, metadata } = await ask(path, authorization);
        expect(code, `${path} ${authorization}`).to.equal(status.UNAUTHENTICATED);
        expect(metadata.get('exception')).to.deep.equal(['access-denied']);
      }
    }
    expect(guarded.length).to.be.greaterThan(25);
  });

  it('serves every call that brings it', async () => {
    for (const path of guarded) {
      const { code } = await ask(path, basic(`admin:${password}`));
      expect(code, path).to.not.equal(status.UNAUTHENTICATED);
    }
  });

  it('tells everybody its features and its address', async () => {
    for (const path of [featuresDefinition, gossipDefinition].flatMap(pathsOf)) {
      const { code } = await ask(path);
      expect(code, path).to.not.equal(status.UNAUTHENTICATED);
    }
  });

  it('names no password where it says how it is reached', () => {
    expect(test.store.connectionString).to.equal(`esdb://127.0.0.1:${test.store.port}?tls=false`);
  });

  it('is closed to the official client without TLS, which sends no credentials then', async () => {
    const client = connect(`esdb://admin:${encodeURIComponent(password)}@127.0.0.1:${test.store.port}?tls=false`);
    expect(await rejection(client.appendToStream('s', jsonEvent({ type: 'a', data: {} })))).to.be.instanceOf(
      AccessDeniedError,
    );
    await client.dispose();
  });
});
