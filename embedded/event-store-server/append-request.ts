import type * as sharedTypes from '@eventstore/db-client/generated/shared_pb.js';
import type * as streamTypes from '@eventstore/db-client/generated/streams_pb.js';
import { invalid, missingProperty } from './errors.js';
import type { Expected } from './expected-revision.js';
import type { ProposedEvent } from './record.js';

const longestName = 16 * 1024;
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function streamName(identifier: sharedTypes.StreamIdentifier | undefined): string {
  const bytes = identifier?.getStreamName_asU8() ?? new Uint8Array();
  if (bytes.length === 0) throw invalid('The call names no stream.');
  if (bytes.length > longestName) throw invalid(`A stream name has at most ${longestName} bytes.`);
  const name = decodeName(bytes);
  if (name === '$all') throw invalid('"$all" is the whole log, not a stream that can be written or deleted.');
  return name;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeName(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw invalid('A stream name has to be UTF-8.');
  }
}

export function expectedRevision(
  options: { hasNoStream(): boolean; hasAny(): boolean; hasStreamExists(): boolean },
  isExact: boolean,
  exact: () => string,
): Expected {
  if (isExact) return BigInt(exact());
  if (options.hasNoStream()) return 'no_stream';
  if (options.hasStreamExists()) return 'stream_exists';
  if (options.hasAny()) return 'any';
  throw invalid('The call says nothing about the revision it expects.');
}

type Proposed = streamTypes.AppendReq.ProposedMessage | streamTypes.BatchAppendReq.ProposedMessage;

export function proposedEvent(message: Proposed): ProposedEvent {
  const metadata = message.getMetadataMap();
  const type = metadata.get('type');
  const contentType = metadata.get('content-type');
  if (type === undefined || type === '') throw missingProperty('type');
  if (contentType === undefined) throw missingProperty('content-type');
  return {
    id: eventId(message.getId()),
    type,
    isJson: contentType === 'application/json',
    data: message.getData_asU8(),
    customMetadata: message.getCustomMetadata_asU8(),
  };
}

export function eventId(id: sharedTypes.UUID | undefined): string {
  const structured = id?.getStructured();
  if (structured !== undefined) {
    const bits = [structured.getMostSignificantBits(), structured.getLeastSignificantBits()]
      .map((half) => BigInt.asUintN(64, BigInt(half)).toString(16).padStart(16, '0'))
      .join('');
    return bits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }
  const text = id?.getString().toLowerCase() ?? '';
  if (!uuidPattern.test(text)) throw invalid('An event id is not a UUID.');
  return text;
}
