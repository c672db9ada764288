import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AccessDeniedError, type EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
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
import { collect, connect, makeDataDir, openTestStore, rejection, type TestStore, typesOf } from './store-fixture.js';

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

describe('an embedded event store with a password and TLS', () => {
  let folder: string;
  let test: TestStore | undefined;
  let clients: EventStoreDBClient[];
  before(async function () {
    folder = makeDataDir();
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    try {
      const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
      const fresh = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
      execFileSync('openssl', [...fresh, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    } catch {
      this.skip();
    }
    test = await openTestStore({ password, tls: { cert: readFileSync(cert), key: readFileSync(key) } });
  });
  after(async () => {
    await test?.remove();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    clients = [];
  });
  afterEach(() => Promise.all(clients.map((client) => client.dispose())));

  const connectAs = (user?: string) => {
    const who = user === undefined ? '' : `${user}@`;
    const ca = encodeURIComponent(join(folder, 'cert.pem'));
    const client = connect(`esdb://${who}127.0.0.1:${test?.store.port}?tlsCAFile=${ca}`);
    clients.push(client);
    return client;
  };
  const right = `admin:${encodeURIComponent(password)}`;
  const event = (type: string) => jsonEvent({ type, data: {} });

  it('serves the official client with the right credentials', async () => {
    const client = connectAs(right);
    await client.appendToStream('s', [event('a'), event('b')]);
    expect(typesOf(await collect(client.readStream('s')))).to.deep.equal(['a', 'b']);
    const live = client.subscribeToStream('s');
    expect(typesOf(await collect(live, 2))).to.deep.equal(['a', 'b']);
    await client.deleteStream('s');
  });

  it('takes credentials from each call, and those of the client where a call has none', async () => {
    const client = connectAs();
    const credentials = { username: 'admin', password };
    await client.appendToStream('t', event('a'), { credentials });
    expect(await collect(client.readStream('t', { credentials }))).to.have.length(1);
    expect(await rejection(collect(client.readStream('t')))).to.be.instanceOf(AccessDeniedError);
  });

  for (const [what, user] of [
    ['wrong', 'admin:wrong'],
    ['missing', undefined],
  ] as const) {
    it(`denies the official client every kind of call when credentials are ${what}`, async () => {
      const client = connectAs(user);
      const credentials = { username: 'admin', password: 'wrong' };
      const calls: (() => Promise<unknown>)[] = [
        () => client.appendToStream('u', event('a')),
        () => client.appendToStream('u', event('a')),
        () => client.appendToStream('u', event('a'), { credentials }),
        () => client.deleteStream('u'),
        () => client.tombstoneStream('u'),
        () => collect(client.readStream('u')),
        () => collect(client.readAll()),
        () => collect(client.subscribeToAll(), 1),
        () => collect(client.subscribeToStream('u'), 1),
        () => client.listAllPersistentSubscriptions(),
      ];
      for (const call of calls) expect(await rejection(call()), String(call)).to.be.instanceOf(AccessDeniedError);
      const inFlight = await Promise.all(
        Array.from({ length: 20 }, () => rejection(client.appendToStream('u', event('a')))),
      );
      for (const err of inFlight) expect(err).to.be.instanceOf(AccessDeniedError);
      const known = await collect(connectAs(right).readAll());
      expect(known.some(({ event: stored }) => stored?.streamId === 'u')).to.equal(false);
    }).timeout(20_000);
  }
});

describe('an embedded event store without a password', () => {
  it('ignores credentials', async () => {
    const test = await openTestStore();
    const client = connect(`esdb://somebody:something@127.0.0.1:${test.store.port}?tls=false`);
    await client.appendToStream('s', jsonEvent({ type: 'a', data: {} }));
    await client.dispose();
    await test.remove();
  });
});
