import {
  BACKWARDS,
  END,
  jsonEvent,
  START,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import operationsGrpc from '@eventstore/db-client/generated/operations_grpc_pb.js';
import operations from '@eventstore/db-client/generated/operations_pb.js';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { eventually } from '../../test/support/eventually.js';
import { positionKey, revisionKey } from './keys.js';
import { scavenge } from './scavenge.js';
import { readHead } from './storage.js';
import { collect, openParts, openTestStore, type Parts, rejection, type TestStore, typesOf } from './store-fixture.js';
import { verifyDataDir } from './verify.js';

type ScavengeResp = InstanceType<typeof operations.ScavengeResp>;

const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => jsonEvent({ type: String(from + n), data: { n: from + n } }));

describe('a scavenge of the embedded event store', () => {
  let now = Date.now();
  let test: TestStore;
  beforeEach(async () => {
    test = await openTestStore({ now: () => now });
  });
  afterEach(() => test.remove());

  /** Works on the closed store's data, and opens it again. */
  async function offline<T>(work: (parts: Parts) => Promise<T>): Promise<T> {
    await test.stop();
    const parts = await openParts(test.dataDir, () => now);
    const result = await work(parts);
    await parts.close();
    test = await openTestStore({ dataDir: test.dataDir, now: () => now });
    return result;
  }
  const scavenged = () => offline((parts) => scavenge(parts));
  const verified = async () => {
    await test.stop();
    const report = await verifyDataDir(test.dataDir);
    test = await openTestStore({ dataDir: test.dataDir, now: () => now });
    return report;
  };
  const positions = async (options = {}) =>
    (await collect(test.client.readAll(options))).map(({ event }) => Number(event?.position.commit));

  it('removes what $maxCount, $tb and $maxAge hide, deleted and tombstoned streams, and nothing else', async () => {
    const { client } = test;
    await client.appendToStream('whole', numbered(5));
    for (const name of ['count', 'before', 'age', 'deleted', 'ended']) await client.appendToStream(name, numbered(5));
    await client.setStreamMetadata('count', { maxCount: 2 });
    await client.setStreamMetadata('count', { maxCount: 3 });
    await client.setStreamMetadata('before', { truncateBefore: 1 });
    await client.setStreamMetadata('age', { maxAge: 60 });
    now += 61_000;
    await client.appendToStream('age', numbered(1, 5));
    await client.deleteStream('deleted');
    await client.tombstoneStream('ended');
    const all = await positions();

    // count: 2 and an old metadata event; before: 1; age: 5; deleted: 4 of 5; ended: 5, its end marker stays.
    expect(await scavenged()).to.deep.equal({ streams: 6, events: 18, complete: true });
    expect(await scavenged()).to.deep.equal({ streams: 0, events: 0, complete: true });

    expect(typesOf(await collect(test.client.readStream('whole')))).to.deep.equal(['0', '1', '2', '3', '4']);
    expect(typesOf(await collect(test.client.readStream('count')))).to.deep.equal(['2', '3', '4']);
    expect(typesOf(await collect(test.client.readStream('before')))).to.deep.equal(['1', '2', '3', '4']);
    expect(typesOf(await collect(test.client.readStream('age')))).to.deep.equal(['5']);
    expect(await rejection(collect(test.client.readStream('deleted')))).to.be.instanceOf(StreamNotFoundError);
    expect(await rejection(collect(test.client.readStream('ended')))).to.be.instanceOf(StreamDeletedError);
    const left = await positions();
    expect(left).to.have.length(all.length - 18);
    expect(await positions({ direction: BACKWARDS, fromPosition: END })).to.deep.equal([...left].reverse());
    expect(await verified()).to.include({ intact: true, events: left.length });
  });

  it('leaves positions, revisions and heads as they were', async () => {
    await test.client.appendToStream('s', numbered(10));
    await test.client.setStreamMetadata('s', { maxCount: 1 });
    await scavenged();
    const next = await test.client.appendToStream('s', numbered(1, 10), { expectedRevision: 9n });
    expect([next.nextExpectedRevision, next.position?.commit]).to.deep.equal([10n, 12n]);
    // What metadata hid once and a scavenge removed does not come back.
    await test.client.setStreamMetadata('s', {});
    expect(typesOf(await collect(test.client.readStream('s')))).to.deep.equal(['9', '10']);
    expect(typesOf(await collect(test.client.readStream('s', { fromRevision: 3n, maxCount: 1 })))).to.deep.equal(['9']);
    expect(
      typesOf(await collect(test.client.readStream('s', { direction: BACKWARDS, fromRevision: END }))),
    ).to.deep.equal(['10', '9']);
  });

  it('makes a repeat of a removed event a conflict, not a failure', async () => {
    const events = numbered(3);
    await test.client.appendToStream('s', events, { expectedRevision: 'no_stream' });
    await test.client.setStreamMetadata('s', { truncateBefore: 2 });
    await scavenged();
    const err = await rejection(test.client.appendToStream('s', events, { expectedRevision: 'no_stream' }));
    expect(err).to.be.instanceOf(WrongExpectedVersionError);
  });

  it('is passed over by subscribers: every event that is left, once, whatever lies between', async () => {
    for (let n = 0; n < 400; n += 1) await test.client.appendToStream(n % 40 === 0 ? 'kept' : 'bulk', numbered(3));
    await test.client.setStreamMetadata('bulk', { maxCount: 2 });
    await scavenged();
    const left = await positions();
    expect(left).to.have.length(30 + 2 + 1);
    for (const from of [0, 1, 2, 3, 200, 600, 1_199, 1_200]) {
      const expected = left.filter((position) => position > from);
      const fromPosition = from === 0 ? START : { commit: BigInt(from), prepare: BigInt(from) };
      const received = await collect(test.client.subscribeToAll({ fromPosition }), expected.length);
      expect(received.map(({ event }) => Number(event?.position.commit))).to.deep.equal(expected);
      const back = left.filter((position) => position <= from).reverse();
      if (from > 0) expect(await positions({ direction: BACKWARDS, fromPosition })).to.deep.equal(back);
    }
  }).timeout(20_000);

  it('does not make a hole that nobody removed pass for a removed one', async () => {
    await test.client.appendToStream('s', numbered(10));
    await test.client.setStreamMetadata('s', { truncateBefore: 4 });
    await scavenged();
    await offline(async ({ storage }) => {
      const streamId = readHead(storage, 's')?.streamId ?? 0;
      storage.log.removeSync(positionKey(6));
      storage.idx.removeSync(revisionKey(streamId, 5));
      // The numbers of entries are checked at the start, so they have to look right.
      storage.log.putSync(positionKey(1), Buffer.alloc(80));
      storage.idx.putSync(revisionKey(99, 0), positionKey(1));
    });
    const from = { commit: 5n, prepare: 5n };
    for (const options of [{ fromPosition: from }, { direction: BACKWARDS, fromPosition: END }] as const) {
      const err = (await rejection(collect(test.client.readAll(options)))) as Error;
      expect(err.message).to.match(/DATA_LOSS.*position 6/);
    }
    await test.stop();
    expect(await verifyDataDir(test.dataDir)).to.include({ intact: false });
  });

  describe('over the wire', () => {
    let client: InstanceType<typeof operationsGrpc.OperationsClient>;
    beforeEach(() => {
      client = new operationsGrpc.OperationsClient(`127.0.0.1:${test.store.port}`, credentials.createInsecure());
    });
    afterEach(() => client.close());
    const start = () =>
      new Promise<ScavengeResp>((resolve, reject) => {
        client.startScavenge(new operations.StartScavengeReq(), (err, answer) => (err ? reject(err) : resolve(answer)));
      });
    const stop = (scavengeId: string) =>
      new Promise<ServiceError | ScavengeResp>((resolve) => {
        const request = new operations.StopScavengeReq();
        request.setOptions(new operations.StopScavengeReq.Options().setScavengeId(scavengeId));
        client.stopScavenge(request, (err, answer) => resolve(err ?? answer));
      });

    it('runs while appends and reads go on, one at a time', async () => {
      for (let n = 0; n < 20; n += 1) await test.client.appendToStream(`s-${n}`, numbered(300));
      for (let n = 0; n < 20; n += 1) await test.client.setStreamMetadata(`s-${n}`, { maxCount: 1 });
      const first = await start();
      expect(first.getScavengeResult()).to.equal(operations.ScavengeResp.ScavengeResult.STARTED);
      const second = await start();
      expect(second.getScavengeResult()).to.equal(operations.ScavengeResp.ScavengeResult.INPROGRESS);
      expect(second.getScavengeId()).to.equal(first.getScavengeId());
      await Promise.all(Array.from({ length: 20 }, (_, n) => test.client.appendToStream(`s-${n}`, numbered(5, 300))));
      await eventually('the scavenge to end', async () => (await positions()).length < 200);
      for (let n = 0; n < 20; n += 1) {
        expect(typesOf(await collect(test.client.readStream(`s-${n}`)))).to.deep.equal(['304']);
      }
      expect(await verified()).to.include({ intact: true });
    }).timeout(20_000);

    it('can be stopped, and what it did stays done and known', async () => {
      await test.client.appendToStream('long', numbered(9_000));
      await test.client.setStreamMetadata('long', { maxCount: 1 });
      const scavengeId = (await start()).getScavengeId();
      expect((await stop('another')) as ServiceError).to.include({ code: status.NOT_FOUND });
      const answer = (await stop(scavengeId)) as ScavengeResp;
      expect(answer.getScavengeResult()).to.equal(operations.ScavengeResp.ScavengeResult.STOPPED);
      await eventually('the scavenge to be over', async () => (await stop(scavengeId)) instanceof Error);
      expect(await verified()).to.include({ intact: true });
      expect((await scavenged()).complete).to.equal(true);
      expect(await verified()).to.include({ intact: true, events: 2 });
    }).timeout(20_000);
  });
});
