import { rmSync } from 'node:fs';
import {
  AccessDeniedError,
  type EventStoreDBClient,
  eventTypeFilter,
  jsonEvent,
  persistentSubscriptionToAllSettingsFromDefaults,
  persistentSubscriptionToStreamSettingsFromDefaults,
  START,
} from '@eventstore/db-client';
import { expect } from 'chai';
import {
  collect,
  connect,
  makeDataDir,
  openTestStore,
  rejection,
  type TestStore,
  typesOf,
} from '../../../embedded/event-store-server/store-fixture.js';
import { silentLogger } from '../../../runtime/logger.js';
import { makeCertificate } from '../../support/certificate.js';
import { eventually } from '../../support/eventually.js';
import { addressOf, describeTargets } from './event-store-targets.js';
import { startConsumer } from './persistent-groups.js';

const event = (type: string) => jsonEvent({ type, data: {} });
const settings = {
  stream: persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: START }),
  all: persistentSubscriptionToAllSettingsFromDefaults({ startFrom: START }),
};
const filter = eventTypeFilter({ prefixes: ['only'] });

describeTargets('a store that asks for no password', (target) => {
  for (const [what, user] of [
    ['with', 'somebody:something@'],
    ['without', ''],
  ] as const) {
    it(`serves a client ${what} credentials, and calls with other ones`, async () => {
      const address = addressOf(target().connectionString);
      const client = connect(`esdb://${user}${address}?tls=false`);
      const credentials = { username: 'somebody', password: 'else' };
      const stream = target().fresh('anybody');
      await client.appendToStream(stream, event('a'));
      await client.appendToStream(stream, event('b'), { credentials });
      expect(typesOf(await collect(client.readStream(stream, { credentials })))).to.deep.equal(['a', 'b']);
      expect(typesOf(await collect(client.subscribeToStream(stream, { credentials }), 2))).to.deep.equal(['a', 'b']);
      await client.dispose();
    });
  }
});

/** Over TLS: the official client sends credentials over nothing else. */
describe('a store that asks for a password: the embedded event store', () => {
  const password = 'naïve: p@ss';
  let folder: string;
  let certFile: string;
  let test: TestStore | undefined;
  let clients: EventStoreDBClient[] = [];
  before(async function () {
    folder = makeDataDir();
    const certificate = makeCertificate(folder);
    if (certificate === undefined) this.skip();
    certFile = certificate.certFile;
    const { cert, key } = certificate;
    const options = { password, tls: { cert, key }, log: silentLogger };
    test = await openTestStore(options);
  });
  after(async () => {
    await test?.remove();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    for (const client of clients) await client.dispose();
    clients = [];
  });

  const connectAs = (user: string) => {
    const client = connect(`esdb://${user}localhost:${test?.store.port}?tlsCAFile=${encodeURIComponent(certFile)}`);
    clients.push(client);
    return client;
  };
  const right = `admin:${encodeURIComponent(password)}@`;

  it('serves who has it: appends of both kinds, reads, subscriptions and persistent ones', async () => {
    const client = connectAs(right);
    await client.appendToStream('s', event('a'));
    await client.appendToStream('s', event('b'), { credentials: { username: 'admin', password } });
    expect(typesOf(await collect(client.readStream('s')))).to.deep.equal(['a', 'b']);
    expect(typesOf(await collect(client.subscribeToAll(), 2))).to.deep.equal(['a', 'b']);
    await client.createPersistentSubscriptionToStream('s', 'group', settings.stream);
    const consumer = startConsumer(client.subscribeToPersistentSubscriptionToStream('s', 'group'));
    await eventually('both events', () => consumer.received.length === 2);
    await consumer.stop();
    await client.deleteStream('s');
  });

  it('takes it from a call of a client that has none, for that call', async () => {
    const credentials = { username: 'admin', password };
    const client = connectAs('');
    await client.appendToStream('t', event('a'), { credentials });
    expect(await collect(client.readStream('t', { credentials }))).to.have.length(1);
    expect(await rejection(collect(client.readStream('t')))).to.be.instanceOf(AccessDeniedError);
  });

  for (const [what, user] of [
    ['another password', 'admin:wrong@'],
    ['another name', `root:${encodeURIComponent(password)}@`],
    ['no credentials', ''],
  ] as const) {
    it(`denies a client with ${what} everything`, async () => {
      const client = connectAs(user);
      const calls: (() => Promise<unknown>)[] = [
        () => client.appendToStream('u', event('a')),
        () => client.appendToStream('u', event('a'), { credentials: { username: 'admin', password: 'wrong' } }),
        () => client.deleteStream('u'),
        () => client.tombstoneStream('u'),
        () => client.setStreamMetadata('u', { maxCount: 1 }),
        () => client.getStreamMetadata('u'),
        () => collect(client.readStream('u')),
        () => collect(client.readAll()),
        () => collect(client.subscribeToStream('u'), 1),
        () => collect(client.subscribeToAll(), 1),
        () => client.createPersistentSubscriptionToStream('u', 'g', settings.stream),
        () => client.updatePersistentSubscriptionToStream('u', 'g', settings.stream),
        () => client.createPersistentSubscriptionToAll('g', settings.all, { filter }),
        () => client.updatePersistentSubscriptionToAll('g', settings.all),
        () => collect(client.subscribeToPersistentSubscriptionToStream('u', 'g'), 1),
        () => collect(client.subscribeToPersistentSubscriptionToAll('g'), 1),
        () => client.getPersistentSubscriptionToStreamInfo('u', 'g'),
        () => client.getPersistentSubscriptionToAllInfo('g'),
        () => client.replayParkedMessagesToStream('u', 'g'),
        () => client.replayParkedMessagesToAll('g'),
        () => client.listAllPersistentSubscriptions(),
        () => client.listPersistentSubscriptionsToStream('u'),
        () => client.listPersistentSubscriptionsToAll(),
        () => client.restartPersistentSubscriptionSubsystem(),
        () => client.deletePersistentSubscriptionToStream('u', 'g'),
        () => client.deletePersistentSubscriptionToAll('g'),
      ];
      for (const call of calls) expect(await rejection(call()), String(call)).to.be.instanceOf(AccessDeniedError);
      const inFlight = Array.from({ length: 20 }, () => rejection(client.appendToStream('u', event('a'))));
      for (const err of await Promise.all(inFlight)) expect(err).to.be.instanceOf(AccessDeniedError);
      const all = await collect(connectAs(right).readAll());
      expect(all.some(({ event: stored }) => stored?.streamId.endsWith('u'))).to.equal(false);
      const groups = await connectAs(right).listAllPersistentSubscriptions();
      expect(groups.some(({ groupName }) => groupName === 'g')).to.equal(false);
    });
  }
});
