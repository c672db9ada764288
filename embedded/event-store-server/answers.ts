import { status } from '@grpc/grpc-js';
import type { AppendOutcome, Expected } from './expected-revision.js';
import { messages } from './protocol.js';
import { recordMessage } from './record.js';
import { delimitedSize, numberSize, varintSize, WireWriter, wireVarint } from './wire.js';

/*
 * Encodes the answers of `event_store.client.streams.Streams`. Events and successes are written by hand, because there
 * are many of them; refusals use the generated classes.
 */

/**
 * ReadResp { event: ReadEvent { event, link, commit_position, retry_count } }, the stored bytes spliced in. The answers
 * of persistent subscriptions are the same, and they alone have a retry count.
 */
export function encodeEvent(position: number, event: Buffer | undefined, link?: Buffer, retryCount = 0): Buffer {
  const eventMessage = event === undefined ? undefined : recordMessage(event);
  const linkMessage = link === undefined ? undefined : recordMessage(link);
  const size =
    (eventMessage === undefined ? 0 : delimitedSize(eventMessage.length)) +
    (linkMessage === undefined ? 0 : delimitedSize(linkMessage.length)) +
    numberSize(position) +
    numberSize(retryCount);
  const out = new WireWriter(Buffer.allocUnsafe(delimitedSize(size)));
  out.open(1, size);
  if (eventMessage !== undefined) out.bytes(1, eventMessage);
  if (linkMessage !== undefined) out.bytes(2, linkMessage);
  out.number(3, position);
  out.number(5, retryCount);
  return out.target;
}

export function encodeConfirmation(subscriptionId: string): Buffer {
  const out = new WireWriter(Buffer.allocUnsafe(delimitedSize(delimitedSize(subscriptionId.length))));
  out.open(2, delimitedSize(subscriptionId.length));
  out.ascii(1, subscriptionId);
  return out.target;
}

export function encodeCheckpoint(position: number): Buffer {
  const size = 2 * numberSize(position);
  const out = new WireWriter(Buffer.allocUnsafe(delimitedSize(size)));
  out.open(3, size);
  out.number(1, position);
  out.number(2, position);
  return out.target;
}

export function encodeStreamNotFound(stream: string): Buffer {
  const name = Buffer.from(stream, 'utf8');
  const identifier = delimitedSize(name.length);
  const out = new WireWriter(Buffer.allocUnsafe(delimitedSize(delimitedSize(identifier))));
  out.open(4, delimitedSize(identifier));
  out.open(1, identifier);
  out.bytes(3, name);
  return out.target;
}

export function encodeCaughtUp(): Buffer {
  const out = new WireWriter(Buffer.allocUnsafe(2));
  out.open(8, 0);
  return out.target;
}

type Appended = Extract<AppendOutcome, { kind: 'appended' }>;
type Wrong = Extract<AppendOutcome, { kind: 'wrong-expected-version' }>;

/** The fields of Success, which Append and BatchAppend share. */
function success({ revision, position }: Appended): Buffer {
  const positionSize = position === undefined ? 0 : 2 * numberSize(position);
  const size = (revision < 0 ? 2 : 1 + varintSize(revision)) + delimitedSize(positionSize);
  const out = new WireWriter(Buffer.allocUnsafe(size));
  if (revision < 0) {
    out.open(2, 0);
  } else {
    // One of two alternatives: zero must be written out.
    out.tag(1, wireVarint);
    out.varint(revision);
  }
  out.open(position === undefined ? 4 : 3, positionSize);
  if (position !== undefined) {
    out.number(1, position);
    out.number(2, position);
  }
  return out.target;
}

/** AppendResp { success }. */
export function encodeAppended(outcome: Appended): Buffer {
  const fields = success(outcome);
  const out = new WireWriter(Buffer.allocUnsafe(delimitedSize(fields.length)));
  out.bytes(1, fields);
  return out.target;
}

/** AppendResp { wrong_expected_version }, in the fields that clients since 20.6.1 read. */
export function encodeWrongExpectedVersion({ expected, actual }: Wrong): Buffer {
  const fields = new WireWriter(Buffer.allocUnsafe(40));
  if (actual < 0) {
    fields.open(7, 0);
  } else {
    fields.tag(6, wireVarint);
    fields.varint(actual);
  }
  if (typeof expected === 'bigint') {
    fields.tag(8, wireVarint);
    fields.varint(Number(expected));
  } else {
    fields.open({ any: 9, stream_exists: 10, no_stream: 11 }[expected], 0);
  }
  const bytes = fields.target.subarray(0, fields.offset);
  const out = new WireWriter(Buffer.allocUnsafe(delimitedSize(bytes.length)));
  out.bytes(2, bytes);
  return out.target;
}

/** DeleteResp and TombstoneResp { position }. */
export function encodeDeleted(position: number): Buffer {
  const size = 2 * numberSize(position);
  const out = new WireWriter(Buffer.allocUnsafe(delimitedSize(size)));
  out.open(1, size);
  out.number(1, position);
  out.number(2, position);
  return out.target;
}

/** A refusal inside a batch append. */
export interface BatchRefusal {
  /** a gRPC status */
  code: number;
  sentence: string;
  /** the message's name below `event_store.client` */
  detail: string;
  bytes: Uint8Array;
}

export function wrongExpectedVersionRefusal({ expected, actual }: Wrong): BatchRefusal {
  const empty = new messages.empty.Empty();
  const detail = new messages.shared.WrongExpectedVersion();
  if (actual < 0) detail.setCurrentNoStream(empty);
  else detail.setCurrentStreamRevision(String(actual));
  if (typeof expected === 'bigint') detail.setExpectedStreamPosition(expected.toString());
  else if (expected === 'any') detail.setExpectedAny(empty);
  else if (expected === 'stream_exists') detail.setExpectedStreamExists(empty);
  else detail.setExpectedNoStream(empty);
  return {
    code: status.FAILED_PRECONDITION,
    sentence: `Append failed due to a wrong expected version: ${describe(expected)} was expected, the stream is at ${actual}.`,
    detail: 'WrongExpectedVersion',
    bytes: detail.serializeBinary(),
  };
}

const describe = (expected: Expected): string => (typeof expected === 'bigint' ? expected.toString() : expected);

export function streamDeletedRefusal(stream: string): BatchRefusal {
  const identifier = new messages.shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(stream, 'utf8'));
  const detail = new messages.shared.StreamDeleted();
  detail.setStreamIdentifier(identifier);
  return {
    code: status.FAILED_PRECONDITION,
    sentence: 'The stream is deleted.',
    detail: 'StreamDeleted',
    bytes: detail.serializeBinary(),
  };
}

export function tooLargeRefusal(maxAppendSize: number): BatchRefusal {
  const detail = new messages.shared.MaximumAppendSizeExceeded();
  detail.setMaxappendsize(maxAppendSize);
  return {
    code: status.INVALID_ARGUMENT,
    sentence: `Maximum Append Size of ${maxAppendSize} exceeded.`,
    detail: 'MaximumAppendSizeExceeded',
    bytes: detail.serializeBinary(),
  };
}

export function plainRefusal(code: number, sentence: string): BatchRefusal {
  const detail = new messages.shared.BadRequest();
  detail.setMessage(sentence);
  return { code, sentence, detail: 'BadRequest', bytes: detail.serializeBinary() };
}

/** BatchAppendResp: the correlation id and the stream come first, because the client throws without them. */
function batchAnswer(correlationId: Buffer, streamName: Uint8Array, field: number, content: Uint8Array): Buffer {
  const nameSize = delimitedSize(streamName.length);
  const size = delimitedSize(correlationId.length) + delimitedSize(nameSize) + delimitedSize(content.length);
  const out = new WireWriter(Buffer.allocUnsafe(size));
  out.bytes(1, correlationId);
  out.open(4, nameSize);
  out.bytes(3, streamName);
  out.bytes(field, content);
  return out.target;
}

/** @param correlationId the UUID message as the caller sent it */
export function encodeBatchAppended(correlationId: Buffer, streamName: Uint8Array, outcome: Appended): Buffer {
  return batchAnswer(correlationId, streamName, 3, success(outcome));
}

export function encodeBatchRefusal(correlationId: Buffer, streamName: Uint8Array, refusal: BatchRefusal): Buffer {
  const detail = new messages.any.Any();
  detail.pack(refusal.bytes, `event_store.client.${refusal.detail}`);
  const answer = new messages.status.Status();
  answer.setCode(refusal.code);
  answer.setMessage(refusal.sentence);
  answer.setDetails(detail);
  return batchAnswer(correlationId, streamName, 2, answer.serializeBinary());
}
