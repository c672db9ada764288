import type * as streamTypes from '@eventstore/db-client/generated/streams_pb.js';
import { type ProposedFields, proposedFields, statedRevision } from './append-request.js';
import type { Expected } from './expected-revision.js';
import { WireReader, wireBytes, wireVarint } from './wire.js';

/** A part of a batch append as its caller sent it: nothing is checked yet. */
export interface BatchRequest {
  /** the UUID message, and a text that tells it from others; undefined when the caller sent none */
  correlation: { message: Uint8Array; key: string } | undefined;
  options: { streamName: Uint8Array; expected: Expected | undefined } | undefined;
  proposed: ProposedFields[];
  isFinal: boolean;
}

const none = Buffer.alloc(0);

/** A request of the generated class, which reads whatever protobuf allows. */
export function batchRequestOf(request: streamTypes.BatchAppendReq): BatchRequest {
  const id = request.getCorrelationId();
  const options = request.getOptions();
  return {
    correlation: id && {
      message: id.serializeBinary(),
      key: id.hasString() ? id.getString() : JSON.stringify(id.toObject()),
    },
    options: options && {
      streamName: options.getStreamIdentifier()?.getStreamName_asU8() ?? none,
      expected: statedRevision(options, options.hasStreamPosition(), () => options.getStreamPosition()),
    },
    proposed: request.getProposedMessagesList().map(proposedFields),
    isFinal: request.getIsFinal(),
  };
}

const bytes = (field: number): number => field * 8 + wireBytes;
const varint = (field: number): number => field * 8 + wireVarint;

/**
 * Reads a request without the generated class, which costs several times as much. Names and data are views of the
 * message.
 *
 * @returns undefined for what the official client does not send, well formed or not: the generated class knows
 */
export function readBatchRequest(message: Buffer): BatchRequest | undefined {
  const input = new WireReader(message);
  let correlation: BatchRequest['correlation'];
  let options: BatchRequest['options'];
  let isFinal: boolean | undefined;
  const proposed: ProposedFields[] = [];
  while (input.more()) {
    switch (input.tag()) {
      case bytes(1): {
        const outer = input.enter();
        const id = input.view();
        correlation = { message: id, key: readText(input, 2) };
        input.leave(outer);
        break;
      }
      case bytes(2): {
        const outer = input.enter();
        options = readOptions(input);
        input.leave(outer);
        break;
      }
      case bytes(3): {
        const outer = input.enter();
        proposed.push(readProposed(input));
        input.leave(outer);
        break;
      }
      case varint(4):
        isFinal = input.flag();
        break;
      default:
        input.giveUp();
    }
  }
  return input.gaveUp ? undefined : { correlation, options, proposed, isFinal: isFinal ?? false };
}

/** The one text that a UUID or a map entry goes on with. */
function readText(input: WireReader, field: number): string {
  if (input.tag() === bytes(field)) return input.ascii();
  input.giveUp();
  return '';
}

/** Options { stream_identifier, expected_stream_position, deadline } */
function readOptions(input: WireReader): BatchRequest['options'] {
  let streamName: Uint8Array | undefined;
  let expected: Expected | undefined;
  const alternative = (value: Expected): Expected => {
    if (input.varint() !== 0) input.giveUp();
    return value;
  };
  while (input.more()) {
    const field = input.tag();
    if (field === bytes(1)) {
      const outer = input.enter();
      if (input.tag() === bytes(3)) streamName = input.bytes();
      else input.giveUp();
      input.leave(outer);
    } else if (field === bytes(6)) {
      skipDeadline(input);
    } else {
      if (field === varint(2)) expected = BigInt(input.varint());
      else if (field === bytes(3)) expected = alternative('no_stream');
      else if (field === bytes(4)) expected = alternative('any');
      else if (field === bytes(5)) expected = alternative('stream_exists');
      else input.giveUp();
    }
  }
  return { streamName: streamName ?? none, expected };
}

/** Timestamp { seconds, nanos }, which nobody asks for. */
function skipDeadline(input: WireReader): void {
  const outer = input.enter();
  while (input.more()) {
    const field = input.tag();
    if (field === varint(1) || field === varint(2)) input.skipVarint();
    else input.giveUp();
  }
  input.leave(outer);
}

/** ProposedMessage { id, metadata, custom_metadata, data } */
function readProposed(input: WireReader): ProposedFields {
  let id: string | undefined;
  let type: string | undefined;
  let contentType: string | undefined;
  let data: Uint8Array | undefined;
  let customMetadata: Uint8Array | undefined;
  while (input.more()) {
    switch (input.tag()) {
      case bytes(1): {
        const outer = input.enter();
        id = readText(input, 2);
        input.leave(outer);
        break;
      }
      case bytes(2): {
        const outer = input.enter();
        const key = readText(input, 1);
        const value = readText(input, 2);
        if (key === 'type') type = value;
        else if (key === 'content-type') contentType = value;
        else input.giveUp();
        input.leave(outer);
        break;
      }
      case bytes(3):
        customMetadata = input.bytes();
        break;
      case bytes(4):
        data = input.bytes();
        break;
      default:
        input.giveUp();
    }
  }
  return { id: id ?? '', type, contentType, data: data ?? none, customMetadata: customMetadata ?? none };
}
