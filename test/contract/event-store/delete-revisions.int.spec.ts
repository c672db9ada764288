import {
  type ExpectedRevision,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import { expect } from 'chai';
import { collect, rejection } from '../../../embedded/event-store-server/store-fixture.js';
import { addressOf, describeTargets } from './event-store-targets.js';
import { numbered } from './numbered-events.js';

const ends = [
  { what: 'delete', method: 'deleteStream' },
  { what: 'tombstone', method: 'tombstoneStream' },
] as const;

describeTargets('the revision that a delete expects', (target) => {
  for (const { what, method } of ends) {
    const end = (stream: string, expectedRevision: ExpectedRevision) =>
      target().client[method](stream, { expectedRevision });

    for (const expected of ['any', 2n] as const) {
      it(`${what}: "${expected}" is taken, and answered with a position`, async () => {
        const { client, fresh } = target();
        const stream = fresh('ended');
        const { position } = await client.appendToStream(stream, numbered(3));
        const ended = await end(stream, expected);
        expect(Number(ended.position?.commit)).to.be.greaterThan(Number(position?.commit));
        expect(await rejection(collect(client.readStream(stream)))).to.be.instanceOf(
          what === 'delete' ? StreamNotFoundError : StreamDeletedError,
        );
      });
    }

    const refused: [ExpectedRevision, bigint][] = [
      ['no_stream', -1n],
      [1n, 1n],
      [7n, 7n],
    ];
    for (const [expected, named] of refused) {
      it(`${what}: "${expected}" of an existing stream is refused, naming what it found`, async () => {
        const { client, fresh } = target();
        const stream = fresh('stays');
        await client.appendToStream(stream, numbered(3));
        const err = await rejection(end(stream, expected));
        expect(err).to.be.instanceOf(WrongExpectedVersionError);
        const { streamName, expectedVersion, actualVersion } = err as WrongExpectedVersionError;
        expect([streamName, expectedVersion, actualVersion]).to.deep.equal([stream, named, 2n]);
        expect(await collect(client.readStream(stream))).to.have.length(3);
      });
    }

    it(`${what}: an exact one of a missing stream is refused`, async () => {
      const missing = target().fresh('missing');
      const err = await rejection(end(missing, 0n));
      expect(err).to.be.instanceOf(WrongExpectedVersionError);
      const { streamName, expectedVersion, actualVersion } = err as WrongExpectedVersionError;
      expect([streamName, expectedVersion]).to.deep.equal([missing, 0n]);
      expect(actualVersion).to.be.oneOf(['no_stream', -1n]);
    });

    it(`${what}: any other of a missing stream ${what === 'delete' ? 'is refused' : 'ends its name'}`, async () => {
      for (const expected of ['any', 'no_stream'] as const) {
        const missing = target().fresh('missing');
        if (what === 'delete') {
          expect(await rejection(end(missing, expected))).to.be.instanceOf(WrongExpectedVersionError);
          continue;
        }
        await end(missing, expected);
        const err = await rejection(target().client.appendToStream(missing, numbered(1)));
        expect(err).to.be.instanceOf(StreamDeletedError);
      }
    });

    it(`${what}: none is right for a tombstoned stream`, async () => {
      const { client, fresh } = target();
      const stream = fresh('tombstoned');
      await client.appendToStream(stream, numbered(3));
      await client.tombstoneStream(stream);
      for (const expected of ['any', 'no_stream', 2n] as const) {
        const err = await rejection(end(stream, expected));
        expect(err, String(expected)).to.be.instanceOf(StreamDeletedError);
        expect((err as StreamDeletedError).streamName).to.equal(stream);
      }
    });
  }

  describe('"stream_exists", which the official client cannot say', () => {
    let raw: InstanceType<typeof streamsGrpc.StreamsClient>;
    before(() => {
      raw = new streamsGrpc.StreamsClient(addressOf(target().connectionString), credentials.createInsecure());
    });
    after(() => raw.close());
    const asked = (stream: string) => {
      const identifier = new shared.StreamIdentifier();
      identifier.setStreamName(Buffer.from(stream));
      return identifier;
    };
    const calls: Record<(typeof ends)[number]['what'], (stream: string) => Promise<unknown>> = {
      delete: (stream) => {
        const options = new streams.DeleteReq.Options();
        options.setStreamIdentifier(asked(stream)).setStreamExists(new shared.Empty());
        const req = new streams.DeleteReq().setOptions(options);
        return new Promise((resolve, reject) =>
          raw.delete(req, (err, answer) => (err ? reject(err) : resolve(answer))),
        );
      },
      tombstone: (stream) => {
        const options = new streams.TombstoneReq.Options();
        options.setStreamIdentifier(asked(stream)).setStreamExists(new shared.Empty());
        const req = new streams.TombstoneReq().setOptions(options);
        return new Promise((resolve, reject) =>
          raw.tombstone(req, (err, answer) => (err ? reject(err) : resolve(answer))),
        );
      },
    };
    for (const { what } of ends) {
      it(`${what}: is taken of an existing stream and refused of a missing one`, async () => {
        const stream = target().fresh('exists');
        await target().client.appendToStream(stream, numbered(1));
        await calls[what](stream);
        const missing = target().fresh('missing');
        const { metadata } = (await rejection(calls[what](missing))) as ServiceError;
        expect(['exception', 'stream-name', 'expected-version'].map((key) => metadata.get(key)[0])).to.deep.equal([
          'wrong-expected-version',
          missing,
          '-4',
        ]);
      });
    }
  });
});
