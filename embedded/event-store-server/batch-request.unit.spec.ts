import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { expect } from 'chai';
import fc from 'fast-check';
import timestamps from 'google-protobuf/google/protobuf/timestamp_pb.js';
import { type BatchRequest, batchRequestOf, readBatchRequest } from './batch-request.js';
import { delimitedSize, WireWriter } from './wire.js';

const none = new Uint8Array();
const ascii = fc.string({ unit: 'binary-ascii' });
const bytes = fc.uint8Array({ maxLength: 300 });
const seconds = fc.integer({ min: -(2 ** 40), max: 2 ** 40 });
const position = fc.bigInt({ min: 0n, max: 2n ** 49n - 1n });
const alternatives = fc.constantFrom('noStream' as const, 'any' as const, 'streamExists' as const);
const event = (text: fc.Arbitrary<string>) =>
  fc.record({ id: fc.uuid(), type: text, contentType: text, data: bytes, customMetadata: bytes });
const requestOf = (text: fc.Arbitrary<string>, expected: fc.Arbitrary<bigint | 'noStream' | 'any' | 'streamExists'>) =>
  fc.record({
    correlation: fc.uuid(),
    options: fc.option(fc.record({ streamName: fc.string({ unit: 'binary', minLength: 1 }), expected, seconds })),
    events: fc.array(event(text), { maxLength: 5 }),
    isFinal: fc.boolean(),
  });

/** What the official client sends. */
const usual = requestOf(ascii, fc.oneof(position, alternatives));
type Request = typeof usual extends fc.Arbitrary<infer T> ? T : never;
const unusual = requestOf(fc.string({ unit: 'binary' }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));

function encode({ correlation, options, events, isFinal }: Request) {
  const request = new streams.BatchAppendReq();
  const uuid = (text: string) => new shared.UUID().setString(text);
  request.setCorrelationId(uuid(correlation));
  if (options !== null) {
    const { streamName, expected } = options;
    const given = new streams.BatchAppendReq.Options();
    given.setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(streamName)));
    given.setDeadline(new timestamps.Timestamp().setSeconds(options.seconds).setNanos(options.seconds % 1e9));
    if (typeof expected === 'bigint') given.setStreamPosition(expected.toString());
    else if (expected === 'any') given.setAny(new shared.Empty());
    else if (expected === 'noStream') given.setNoStream(new shared.Empty());
    else given.setStreamExists(new shared.Empty());
    request.setOptions(given);
  }
  for (const { id, type, contentType, data, customMetadata } of events) {
    const message = new streams.BatchAppendReq.ProposedMessage().setId(uuid(id)).setData(data);
    message.setCustomMetadata(customMetadata).getMetadataMap().set('type', type).set('content-type', contentType);
    request.addProposedMessages(message);
  }
  return Buffer.from(request.setIsFinal(isFinal).serializeBinary());
}

const generated = (message: Buffer) =>
  batchRequestOf(streams.BatchAppendReq.deserializeBinary(new Uint8Array(message)));
const hex = (value: Uint8Array) => Buffer.from(value).toString('hex');
const plain = ({ correlation, options, proposed, isFinal }: BatchRequest) => ({
  correlation: correlation && { key: correlation.key, message: hex(correlation.message) },
  options: options && { ...options, streamName: hex(options.streamName) },
  proposed: proposed.map((one) => ({ ...one, data: hex(one.data), customMetadata: hex(one.customMetadata) })),
  isFinal,
});

/** It may leave a request to the generated class, and never differs from it. @returns whether it read the request */
function agrees(message: Buffer): boolean {
  const read = readBatchRequest(message);
  if (read === undefined) return false;
  expect(plain(read)).to.deep.equal(plain(generated(message)));
  return true;
}

describe('a batch append request', () => {
  it('is read as the generated class reads it, when it is as the official client sends it', () => {
    fc.assert(fc.property(usual, (request) => agrees(encode(request))));
  });

  it('is left to the generated class, or read the same, with other texts and revisions', () => {
    fc.assert(fc.property(unusual, (request) => void agrees(encode(request))));
  });

  it('is left to the generated class, or read the same, when two are sent as one', () => {
    fc.assert(fc.property(usual, usual, (one, other) => void agrees(Buffer.concat([encode(one), encode(other)]))));
  });

  it('is left to the generated class, or read the same, wherever it is cut off', () => {
    fc.assert(
      fc.property(usual, (request) => {
        const message = encode(request);
        for (let length = 0; length <= message.length; length += 1) agrees(message.subarray(0, length));
      }),
      { numRuns: 30 },
    );
  });

  const change = fc
    .tuple(fc.nat(), fc.uint8Array({ maxLength: 3 }), fc.oneof(fc.constant(undefined), fc.nat({ max: 3 })))
    .map(([at, insert, remove]) => ({ at, insert, remove: remove ?? insert.length }));

  it('is left to the generated class, or read the same, whatever happens to its bytes', () => {
    let read = 0;
    fc.assert(
      fc.property(usual, fc.array(change, { minLength: 1, maxLength: 3 }), (request, changes) => {
        let message = encode(request);
        for (const { at, remove, insert } of changes) {
          const from = at % (message.length + 1);
          message = Buffer.concat([message.subarray(0, from), insert, message.subarray(from + remove)]);
        }
        if (agrees(message)) read += 1;
      }),
      { numRuns: 2_000 },
    );
    expect(read).to.be.greaterThan(0);
  });

  it('is read the same when its options and events have fields twice', () => {
    const nested = (field: number, ...parts: Uint8Array[]) => {
      const content = Buffer.concat(parts);
      const out = new WireWriter(Buffer.alloc(delimitedSize(content.length)));
      out.bytes(field, content);
      return out.target;
    };
    const partsOf = (request: Request) => {
      const message = streams.BatchAppendReq.deserializeBinary(new Uint8Array(encode(request)));
      return [message.getOptions(), message.getProposedMessagesList()[0]].map(
        (part) => part?.serializeBinary() ?? none,
      );
    };
    fc.assert(
      fc.property(usual, usual, (one, other) => {
        const [options = none, event = none] = partsOf(one);
        const [moreOptions = none, moreEvent = none] = partsOf(other);
        return agrees(Buffer.concat([nested(2, options, moreOptions), nested(3, event, moreEvent)]));
      }),
    );
  });

  it('is left to the generated class with an unknown field, an odd flag, a structured id and a text that is not ASCII', () => {
    const unknown = Buffer.from([0x78, 1]);
    const structured = new streams.BatchAppendReq();
    structured.setCorrelationId(new shared.UUID().setStructured(new shared.UUID.Structured()));
    const message = encode({ correlation: 'é', options: null, events: [], isFinal: true });
    const flags = [Buffer.from([0x20, 2]), Buffer.from([0x20, 0x81, 0])];
    for (const odd of [unknown, ...flags, Buffer.from(structured.serializeBinary()), message]) {
      expect(readBatchRequest(odd)).to.equal(undefined);
    }
  });
});
