import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { jsonEvent, StreamDeletedError, StreamNotFoundError, WrongExpectedVersionError } from '@eventstore/db-client';
import { expect } from 'chai';
import { openStorage } from './data-directory.js';
import { collect, makeDataDir, openTestStore, rejection, type TestStore, typesOf } from './store-fixture.js';
import { verifyDataDir } from './verify.js';

/** The source folder's golden files, also when the compiled copy runs. */
function golden(name: string): Buffer {
  let root = import.meta.dirname;
  while (!existsSync(join(root, 'package.json'))) root = dirname(root);
  return gunzipSync(readFileSync(join(root, 'embedded/event-store-server/golden', name)));
}

function dataDirOf(name: string): string {
  const dataDir = makeDataDir();
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(join(dataDir, 'events.mdb'), golden(name));
  writeFileSync(join(dataDir, 'FORMAT'), 'shopledger event store\n');
  return dataDir;
}

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const event = (n: number, type: string) =>
  jsonEvent({ id: id(n), type, data: { n, city: 'Delft' }, metadata: { $correlationId: 'golden' } });

/** What every version of the format has to give back; the files are never written again. */
function holdsTheGoldenEvents(open: () => TestStore): void {
  it('passes --verify', async () => {
    await open().stop();
    expect(await verifyDataDir(open().dataDir)).to.include({ intact: true });
  });

  it('is read as it was written: order, ids, data, metadata, time', async () => {
    const { client } = open();
    const order = await collect(client.readStream('order-1'));
    expect(typesOf(order)).to.deep.equal(['order.created', 'order.paid', 'order.confirmed']);
    expect(order[1]?.event).to.include({ id: id(2), revision: 1n });
    expect(order[1]?.event?.data).to.deep.equal({ n: 2, city: 'Delft' });
    expect(order[1]?.event?.metadata).to.deep.equal({ $correlationId: 'golden' });
    expect(order[1]?.event?.created.getTime()).to.equal(Date.UTC(2026, 10, 21, 12));
    const [binary] = await collect(client.readStream('binary-1'));
    expect(binary?.event?.data).to.deep.equal(new Uint8Array([0, 255, 1]));
    expect(typesOf(await collect(client.readStream('流'.repeat(900))))).to.deep.equal(['long']);
  });

  it('keeps metadata, deletions and tombstones', async () => {
    const { client } = open();
    expect(typesOf(await collect(client.readStream('kept-1')))).to.deep.equal(['b', 'c']);
    expect((await client.getStreamMetadata('kept-1')).metadata).to.deep.equal({ maxCount: 2, owner: 'golden' });
    expect(await rejection(collect(client.readStream('deleted-1')))).to.be.instanceOf(StreamNotFoundError);
    expect(await rejection(collect(client.readStream('ended-1')))).to.be.instanceOf(StreamDeletedError);
  });

  it('goes on: repeats are known, revisions and positions continue', async () => {
    const { client } = open();
    const repeat = await client.appendToStream('order-1', event(11, 'order.confirmed'), { expectedRevision: 1n });
    expect(repeat.nextExpectedRevision).to.equal(2n);
    const err = await rejection(client.appendToStream('order-1', event(99, 'x'), { expectedRevision: 1n }));
    expect(err).to.be.instanceOf(WrongExpectedVersionError);
    const next = await client.appendToStream('order-1', event(12, 'order.shipped'), { expectedRevision: 2n });
    expect(Number(next.position?.commit)).to.be.greaterThan(Number(repeat.position?.commit));
    await open().stop();
    expect(await verifyDataDir(open().dataDir)).to.include({ intact: true });
  });
}

describe('a data directory of format 1', () => {
  let test: TestStore;
  beforeEach(async () => {
    test = await openTestStore({ dataDir: dataDirOf('format-1.mdb.gz') });
  });
  afterEach(() => test.remove());

  holdsTheGoldenEvents(() => test);

  it('holds every event it held, and says format 2 from then on', async () => {
    expect(await collect(test.client.readAll())).to.have.length(14);
    await test.stop();
    const storage = await openStorage(test.dataDir);
    expect(storage.system.get(Buffer.from('format'))?.toString()).to.equal('2');
    await storage.close();
  });
});

describe('a data directory of format 2', () => {
  let test: TestStore;
  beforeEach(async () => {
    test = await openTestStore({ dataDir: dataDirOf('format-2.mdb.gz') });
  });
  afterEach(() => test.remove());

  holdsTheGoldenEvents(() => test);

  it('passes over what a scavenge removed', async () => {
    const positions = (await collect(test.client.readAll())).map((read) => Number(read.event?.position.commit));
    expect(positions).to.deep.equal([1, 2, 3, 5, 6, 7, 9, 10, 12, 13, 14, 15]);
  });

  it('keeps persistent subscriptions: settings, filters, progress, parked events', async () => {
    const info = await test.client.getPersistentSubscriptionToStreamInfo('order-1', 'golden');
    expect(info.settings).to.include({ startFrom: 'start', maxRetryCount: 3, consumerStrategyName: 'RoundRobin' });
    expect(info.stats).to.include({ lastCheckpointedEventRevision: 1n, parkedMessageCount: 1n });
    const subscription = test.client.subscribeToPersistentSubscriptionToStream('order-1', 'golden');
    const [next] = await collect(subscription, 1);
    expect(next?.event?.type).to.equal('order.confirmed');
    const all = await test.client.getPersistentSubscriptionToAllInfo('golden');
    expect(all.settings).to.include({ consumerStrategyName: 'Pinned' });
    const filtered = test.client.subscribeToPersistentSubscriptionToAll('golden');
    expect(typesOf(await collect(filtered, 3))).to.deep.equal(['order.created', 'order.paid', 'order.confirmed']);
  });
});
