import streams from '@eventstore/db-client/generated/streams_pb.js';
import { expect } from 'chai';
import fc from 'fast-check';
import { encodeCaughtUp, encodeCheckpoint, encodeConfirmation, encodeEvent, encodeStreamNotFound } from './answers.js';
import {
  encodeRecord,
  idKey,
  isIntact,
  recordCreated,
  recordData,
  recordIdKey,
  recordMessage,
  recordRevision,
  recordStream,
  recordStreamId,
  recordType,
} from './record.js';

const number = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const record = fc.record({
  event: fc.record({
    id: fc.uuid(),
    type: fc.string({ minLength: 1, unit: 'binary' }),
    isJson: fc.boolean(),
    data: fc.uint8Array({ maxLength: 300 }),
    customMetadata: fc.uint8Array({ maxLength: 300 }),
  }),
  place: fc.record({
    position: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    streamId: number,
    stream: fc.string({ minLength: 1, maxLength: 300, unit: 'binary' }),
    revision: number,
    created: fc.integer({ min: 0, max: 8.64e15 }),
  }),
});

const encode = ({ event, place: { stream, ...place } }: typeof record extends fc.Arbitrary<infer T> ? T : never) =>
  encodeRecord(event, { ...place, streamName: Buffer.from(stream, 'utf8') });

describe('a stored record', () => {
  it('gives back what it was made of', () => {
    fc.assert(
      fc.property(record, (given) => {
        const stored = encode(given);
        const { event, place } = given;
        expect(isIntact(stored, place.position)).to.equal(true);
        expect(recordStreamId(stored)).to.equal(place.streamId);
        expect(recordRevision(stored)).to.equal(place.revision);
        expect(recordCreated(stored)).to.equal(place.created);
        expect(recordStream(stored)).to.equal(place.stream);
        expect(recordType(stored)).to.equal(event.type);
        expect(recordIdKey(stored)).to.equal(idKey(event.id));
        expect(new Uint8Array(recordData(stored))).to.deep.equal(event.data);
      }),
    );
  });

  it('holds a message that the client reads as the same event', () => {
    fc.assert(
      fc.property(record, (given) => {
        const { event, place } = given;
        const read = streams.ReadResp.ReadEvent.RecordedEvent.deserializeBinary(recordMessage(encode(given)));
        expect(read.getId()?.getString()).to.equal(event.id);
        expect(Buffer.from(read.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString()).to.equal(place.stream);
        expect(read.getStreamRevision()).to.equal(String(place.revision));
        expect(read.getPreparePosition()).to.equal(String(place.position));
        expect(read.getCommitPosition()).to.equal(String(place.position));
        expect(new Map(read.getMetadataMap().toArray() as [string, string][])).to.deep.equal(
          new Map([
            ['type', event.type],
            ['created', `${place.created}0000`],
            ['content-type', event.isJson ? 'application/json' : 'application/octet-stream'],
          ]),
        );
        expect(new Uint8Array(read.getData_asU8())).to.deep.equal(event.data);
        expect(new Uint8Array(read.getCustomMetadata_asU8())).to.deep.equal(event.customMetadata);
      }),
    );
  });

  it('is not intact with any byte changed, nor under another position', () => {
    fc.assert(
      fc.property(record, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, at, flip) => {
        const stored = encode(given);
        expect(isIntact(stored, given.place.position - 1)).to.equal(false);
        const index = at % stored.length;
        stored[index] = (stored[index] ?? 0) ^ flip;
        expect(isIntact(stored, given.place.position)).to.equal(false);
        expect(isIntact(stored.subarray(0, at % stored.length), given.place.position)).to.equal(false);
      }),
    );
  });
});

describe('an answer to a read', () => {
  const decode = (bytes: Buffer) => streams.ReadResp.deserializeBinary(bytes);

  it('carries event, link and position', () => {
    fc.assert(
      fc.property(record, record, (event, link) => {
        const position = event.place.position;
        const read = decode(encodeEvent(position, encode(event), encode(link))).getEvent();
        expect(read?.getCommitPosition()).to.equal(String(position));
        expect(read?.getEvent()?.getId()?.getString()).to.equal(event.event.id);
        expect(read?.getLink()?.getId()?.getString()).to.equal(link.event.id);
        expect(
          decode(encodeEvent(position, encode(event)))
            .getEvent()
            ?.hasLink(),
        ).to.equal(false);
      }),
    );
  });

  it('is a confirmation, a checkpoint, a missing stream or the end of catching up', () => {
    expect(decode(encodeConfirmation('id')).getConfirmation()?.getSubscriptionId()).to.equal('id');
    const checkpoint = decode(encodeCheckpoint(2 ** 40)).getCheckpoint();
    expect(checkpoint?.getCommitPosition()).to.equal(String(2 ** 40));
    expect(checkpoint?.getPreparePosition()).to.equal(String(2 ** 40));
    const name = decode(encodeStreamNotFound('ü')).getStreamNotFound()?.getStreamIdentifier()?.getStreamName_asU8();
    expect(Buffer.from(name ?? []).toString()).to.equal('ü');
    expect(decode(encodeCaughtUp()).hasCaughtUp()).to.equal(true);
  });
});
