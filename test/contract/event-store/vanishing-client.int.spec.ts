import { randomUUID } from 'node:crypto';
import { EventStoreDBClient, jsonEvent, StreamNotFoundError } from '@eventstore/db-client';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { credentials } from '@grpc/grpc-js';
import { expect } from 'chai';
import { collect, rejection } from '../../../embedded/event-store-server/store-fixture.js';
import { eventually } from '../../support/eventually.js';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js';
import { addressOf, describeTargets } from './event-store-targets.js';

type BatchReq = InstanceType<typeof streams.BatchAppendReq>;
type BatchResp = InstanceType<typeof streams.BatchAppendResp>;

const event = (type: string) => jsonEvent({ type, data: {} });

describeTargets('a client that vanishes in the middle of its appends', (target) => {
  let upstream: number;
  let proxy: TcpProxy;
  let raw: InstanceType<typeof streamsGrpc.StreamsClient>;
  beforeEach(async function () {
    const [host = '', port = ''] = addressOf(target().connectionString).split(':');
    // The relay knows this machine only.
    if (!['127.0.0.1', 'localhost'].includes(host)) this.skip();
    upstream = Number(port);
    proxy = await startTcpProxy(upstream);
    raw = new streamsGrpc.StreamsClient(`127.0.0.1:${proxy.port}`, credentials.createInsecure());
  });
  afterEach(async () => {
    raw?.close();
    await proxy?.close();
  });

  const isNotThere = async (stream: string) => {
    const err = await rejection(collect(target().client.readStream(stream)));
    expect(err).to.be.instanceOf(StreamNotFoundError);
    const { nextExpectedRevision } = await target().client.appendToStream(stream, event('new'), {
      expectedRevision: 'no_stream',
    });
    expect(nextExpectedRevision).to.equal(0n);
    expect(await collect(target().client.readStream(stream))).to.have.length(1);
  };

  it('leaves nothing of a batch append whose last part did not come', async () => {
    const { client, fresh } = target();
    const [half, whole] = [fresh('half'), fresh('whole')];
    const call = raw.batchAppend();
    const lost = new Promise((resolve) => call.once('error', resolve));
    const answered = new Promise<BatchResp>((resolve) => call.once('data', resolve));
    for (let n = 0; n < 3; n += 1) call.write(part(half, 'half', { options: n === 0, isFinal: false }));
    call.write(part(whole, 'whole', { options: true, isFinal: true }));
    // What came before on the same call is with the store too, once this is answered.
    expect((await answered).hasSuccess()).to.equal(true);
    proxy.reset();
    await lost;
    expect(await collect(client.readStream(whole))).to.have.length(2);
    await isNotThere(half);
  });

  it('leaves nothing of a classic append that it did not end', async () => {
    const { client, fresh } = target();
    const [stream, whole] = [fresh('half'), fresh('whole')];
    const { call, lost } = openAppend(raw);
    const options = new streams.AppendReq.Options();
    options.setStreamIdentifier(identifier(stream)).setAny(new shared.Empty());
    call.write(new streams.AppendReq().setOptions(options));
    for (let n = 0; n < 3; n += 1) {
      const proposed = new streams.AppendReq.ProposedMessage();
      proposed.setId(uuid(randomUUID()));
      proposed.getMetadataMap().set('type', 'half').set('content-type', 'application/json');
      await new Promise((resolve) => call.write(new streams.AppendReq().setProposedMessage(proposed), resolve));
    }
    const after = raw.batchAppend();
    after.on('error', () => undefined);
    const answered = new Promise((resolve) => after.once('data', resolve));
    after.write(part(whole, 'whole', { options: true, isFinal: true }));
    await answered;
    proxy.reset();
    expect(await lost).to.be.instanceOf(Error);
    expect(await collect(client.readStream(whole))).to.have.length(2);
    await isNotThere(stream);
  });

  it('leaves every append whole or not at all, and all that were acknowledged', async () => {
    const { client, fresh } = target();
    const acknowledged = new Set<string>();
    const tried: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      // Another port each round: clients of one address share what is left of a broken connection.
      const relay = await startTcpProxy(upstream);
      const vanishing = EventStoreDBClient.connectionString(`esdb://127.0.0.1:${relay.port}?tls=false`);
      await vanishing.appendToStream(fresh('warm-up'), event('x'));
      const before = acknowledged.size;
      const appends = Array.from({ length: 200 }, async () => {
        const stream = fresh('torn');
        tried.push(stream);
        const events = Array.from({ length: 20 }, (_, n) => event(String(n)));
        await vanishing.appendToStream(stream, events, { expectedRevision: 'no_stream', batchAppendSize: 300 });
        acknowledged.add(stream);
      });
      const settled = Promise.allSettled(appends);
      await eventually('some to be acknowledged', () => acknowledged.size >= before + 20);
      relay.reset();
      await settled;
      await vanishing.dispose();
      await relay.close();
    }
    expect(acknowledged.size).to.be.at.least(60);
    for (const stream of tried) {
      const lengthOf = collect(client.readStream(stream)).then((events) => events.length);
      const length = await lengthOf.catch((err: unknown) =>
        err instanceof StreamNotFoundError ? 0 : Promise.reject(err),
      );
      expect(length, stream).to.be.oneOf(acknowledged.has(stream) ? [20] : [0, 20]);
    }
  });
});

/** A classic append, and what it is answered with in the end. */
function openAppend(client: InstanceType<typeof streamsGrpc.StreamsClient>) {
  let settle: (answer: unknown) => void = () => undefined;
  const lost = new Promise((resolve) => {
    settle = resolve;
  });
  return { call: client.append((err, answer) => settle(err ?? answer)), lost };
}

function uuid(text: string): InstanceType<typeof shared.UUID> {
  return new shared.UUID().setString(text);
}

function identifier(stream: string): InstanceType<typeof shared.StreamIdentifier> {
  return new shared.StreamIdentifier().setStreamName(Buffer.from(stream));
}

const correlations = new Map<string, string>();

/** One part, of two events, of the batch append that goes by this name. */
function part(stream: string, name: string, { options, isFinal }: { options: boolean; isFinal: boolean }): BatchReq {
  const correlation = correlations.get(stream) ?? randomUUID();
  correlations.set(stream, correlation);
  const req = new streams.BatchAppendReq();
  req.setCorrelationId(uuid(correlation)).setIsFinal(isFinal);
  if (options) {
    const given = new streams.BatchAppendReq.Options();
    req.setOptions(given.setStreamIdentifier(identifier(stream)).setAny(new shared.Empty()));
  }
  for (let n = 0; n < 2; n += 1) {
    const proposed = new streams.BatchAppendReq.ProposedMessage();
    proposed.setId(uuid(randomUUID()));
    proposed.getMetadataMap().set('type', name).set('content-type', 'application/json');
    req.addProposedMessages(proposed);
  }
  return req;
}
