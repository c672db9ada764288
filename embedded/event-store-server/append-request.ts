import type * as sharedTypes from '@eventstore/db-client/generated/shared_pb.js';
import type * as streamTypes from '@eventstore/db-client/generated/streams_pb.js';
import { invalid, missingProperty } from './errors.js';
import type { Expected } from './expected-revision.js';
import type { ProposedEvent } from './record.js';

export const longestName = 16 * 1024;
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function streamName(identifier: sharedTypes.StreamIdentifier | undefined): string {
  return checkedName(identifier?.getStreamName_asU8() ?? new Uint8Array());
}

/** @throws CallError when no stream may be called so */
export function checkedName(bytes: Uint8Array): string {
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

interface RevisionOptions {
  hasNoStream(): boolean;
  hasAny(): boolean;
  hasStreamExists(): boolean;
}

export function expectedRevision(options: RevisionOptions, isExact: boolean, exact: () => string): Expected {
  return checkedRevision(statedRevision(options, isExact, exact));
}

export function statedRevision(options: RevisionOptions, isExact: boolean, exact: () => string): Expected | undefined {
  if (isExact) return BigInt(exact());
  if (options.hasNoStream()) return 'no_stream';
  if (options.hasStreamExists()) return 'stream_exists';
  return options.hasAny() ? 'any' : undefined;
}

/** @throws CallError when nothing was stated */
export function checkedRevision(expected: Expected | undefined): Expected {
  if (expected === undefined) throw invalid('The call says nothing about the revision it expects.');
  return expected;
}

type Proposed = streamTypes.AppendReq.ProposedMessage | streamTypes.BatchAppendReq.ProposedMessage;

/** A proposed event as its caller sent it: nothing is checked yet. */
export interface ProposedFields {
  /** empty when there is none */
  id: string;
  type: string | undefined;
  contentType: string | undefined;
  data: Uint8Array;
  customMetadata: Uint8Array;
}

export function proposedFields(message: Proposed): ProposedFields {
  const metadata = message.getMetadataMap();
  return {
    id: idText(message.getId()),
    type: metadata.get('type'),
    contentType: metadata.get('content-type'),
    data: message.getData_asU8(),
    customMetadata: message.getCustomMetadata_asU8(),
  };
}

/** @throws CallError when it says too little, or what is not so */
function proposedEvent({ id, type, contentType, data, customMetadata }: ProposedFields): ProposedEvent {
  if (type === undefined || type === '') throw missingProperty('type');
  if (contentType === undefined) throw missingProperty('content-type');
  return { id: checkedId(id), type, isJson: contentType === 'application/json', data, customMetadata };
}

/** The events of one append as they come in, and how much of it they are. */
export class GatheredEvents {
  events: ProposedEvent[] = [];
  private size = 0;
  private overhead = 0;

  /** @param limit bytes of data and metadata, and as many of what else events cost: one of nothing but names ends too */
  constructor(private readonly limit: number) {}

  /** bytes in memory */
  get held(): number {
    return this.size + this.overhead;
  }

  /** @returns whether the append is still within its limit @throws CallError as `proposedEvent` does */
  add(fields: ProposedFields): boolean {
    const event = proposedEvent(fields);
    this.size += event.data.length + event.customMetadata.length;
    this.overhead += 32 + Buffer.byteLength(event.type);
    this.events.push(event);
    return this.size <= this.limit && this.overhead <= this.limit;
  }
}

export function eventId(id: sharedTypes.UUID | undefined): string {
  return checkedId(idText(id));
}

function checkedId(text: string): string {
  const id = text.toLowerCase();
  if (!uuidPattern.test(id)) throw invalid('An event id is not a UUID.');
  return id;
}

function idText(id: sharedTypes.UUID | undefined): string {
  const structured = id?.getStructured();
  if (structured === undefined) return id?.getString() ?? '';
  const bits = [structured.getMostSignificantBits(), structured.getLeastSignificantBits()]
    .map((half) => BigInt.asUintN(64, BigInt(half)).toString(16).padStart(16, '0'))
    .join('');
  return bits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
