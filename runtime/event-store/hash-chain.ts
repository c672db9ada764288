import type { DomainEvent } from '../../domain/core/decider.js';
import type { EventCatalog, JsonObject } from '../../domain/core/event-codec.js';
import type { EventMetadata } from '../../domain/core/event-metadata.js';
import { canonicalJson, idOf, sha256 } from '../ids.js';
import type { ProposedEvent } from './event-log.js';

/** The hash before a stream's first event. */
export const chainStart = '0'.repeat(64);

/** Streams whose events carry no hash and that the verifier passes over: the system's own and the side streams. */
export function isUnchained(stream: string): boolean {
  return stream.startsWith('$') || stream.startsWith('snapshot-') || stream.startsWith('checkpoint-');
}

/**
 * The hash of an event in its place: over stream, revision, the stream's previous hash, type, data and metadata without
 * `hash`, the last two as canonical JSON.
 */
export function eventHash(
  stream: string,
  revision: bigint,
  previous: string,
  type: string,
  data: unknown,
  metadata: JsonObject,
): string {
  const { hash: _, ...rest } = metadata;
  return chained(stream, revision, previous, type, canonicalJson(data), canonicalJson(rest));
}

function chained(stream: string, revision: bigint, previous: string, type: string, data: string, metadata: string) {
  return sha256(`${stream}\n${revision}\n${previous}\n${type}\n${data}\n${metadata}`);
}

/** Metadata of an event before its place in a stream is known. */
export type MetadataSource = Omit<EventMetadata, 'event_version' | 'hash'>;

/**
 * Encodes an event for its place in a stream. The id is derived from the hash, so that a repeat of the very same bytes
 * is the same event to the store.
 *
 * @returns the event as it is appended, and about how many bytes it takes
 * @throws DecodeError when the event does not fit its own stored contract
 */
export function encodeEvent(
  catalog: EventCatalog,
  stream: string,
  revision: bigint,
  previous: string,
  event: DomainEvent,
  source: MetadataSource,
): ProposedEvent & { metadata: EventMetadata; bytes: number } {
  const { version, data } = catalog.encode(event);
  const unsigned = { event_version: version, ...source };
  const dataText = canonicalJson(data);
  const hash = chained(stream, revision, previous, event.type, dataText, canonicalJson(unsigned));
  const bytes = Buffer.byteLength(dataText) + 700;
  return { id: idOf(hash), type: event.type, data, metadata: { ...unsigned, hash }, bytes };
}
