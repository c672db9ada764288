import { crc32 } from 'node:zlib';
import { delimitedSize, numberSize, readU64, WireWriter, writeU64 } from './wire.js';

/*
 * STORED FORMAT, version 1. A value of the `log` table, under its position as a big-endian u64 key:
 *
 *   0  u32  crc32 over the position and everything from byte 4 on
 *   4  u8   flags: 1 = JSON;  5-7 zero
 *   8  u64  stream id
 *  16  u64  revision
 *  24  u64  created, milliseconds since 1970
 *  32  16 B event id
 *  48  u32  offset and u32 length of the stream name within the record's message
 *  56  u32  offset and u32 length of the event type
 *  64  u32  offset and u32 length of the data
 *  72  the event as an encoded `event_store.client.streams.ReadResp.ReadEvent.RecordedEvent`
 */
const headerSize = 72;
const jsonFlag = 1;
const jsonContentType = 'application/json';
const binaryContentType = 'application/octet-stream';
const ticksPerMillisecond = '0000';

export interface ProposedEvent {
  /** canonical lower-case UUID */
  id: string;
  type: string;
  isJson: boolean;
  data: Uint8Array;
  customMetadata: Uint8Array;
}

export interface RecordPlace {
  position: number;
  streamId: number;
  /** UTF-8 */
  streamName: Uint8Array;
  revision: number;
  /** milliseconds since 1970 */
  created: number;
}

/** A record that is missing or does not match its checksum or its place; it is never served. */
export class DamageError extends Error {
  override readonly name = 'DamageError';
  constructor(
    readonly position: number,
    readonly stream: string,
    readonly revision: number,
    what: string,
  ) {
    super(
      `The stored data is damaged: ${what} (stream "${stream}", revision ${revision}, position ${position}). Run with --verify and restore a backup.`,
    );
  }
}

export function encodeRecord(event: ProposedEvent, place: RecordPlace): Buffer {
  const type = Buffer.from(event.type, 'utf8');
  const contentType = event.isJson ? jsonContentType : binaryContentType;
  const created = `${place.created}${ticksPerMillisecond}`;
  const idSize = delimitedSize(event.id.length);
  const nameSize = delimitedSize(place.streamName.length);
  const typeEntry = 2 + 'type'.length + delimitedSize(type.length);
  const createdEntry = 2 + 'created'.length + delimitedSize(created.length);
  const contentTypeEntry = 2 + 'content-type'.length + delimitedSize(contentType.length);
  const size =
    headerSize +
    delimitedSize(idSize) +
    delimitedSize(nameSize) +
    numberSize(place.revision) +
    2 * numberSize(place.position) +
    delimitedSize(typeEntry) +
    delimitedSize(createdEntry) +
    delimitedSize(contentTypeEntry) +
    delimitedSize(event.customMetadata.length) +
    delimitedSize(event.data.length);

  const record = Buffer.allocUnsafe(size);
  const out = new WireWriter(record, headerSize);
  out.open(1, idSize);
  out.ascii(2, event.id);
  out.open(2, nameSize);
  out.bytes(3, place.streamName);
  const nameEnd = out.offset;
  out.number(3, place.revision);
  out.number(4, place.position);
  out.number(5, place.position);
  out.open(6, typeEntry);
  out.ascii(1, 'type');
  out.bytes(2, type);
  const typeEnd = out.offset;
  out.open(6, createdEntry);
  out.ascii(1, 'created');
  out.ascii(2, created);
  out.open(6, contentTypeEntry);
  out.ascii(1, 'content-type');
  out.ascii(2, contentType);
  out.bytes(7, event.customMetadata);
  out.bytes(8, event.data);
  if (out.offset !== size) throw new Error(`An event was encoded into ${out.offset} bytes instead of ${size}.`);

  record.fill(0, 0, 8);
  record[4] = event.isJson ? jsonFlag : 0;
  writeU64(record, place.streamId, 8);
  writeU64(record, place.revision, 16);
  writeU64(record, place.created, 24);
  record.write(event.id.replaceAll('-', ''), 32, 16, 'hex');
  record.writeUInt32BE(nameEnd - place.streamName.length - headerSize, 48);
  record.writeUInt32BE(place.streamName.length, 52);
  record.writeUInt32BE(typeEnd - type.length - headerSize, 56);
  record.writeUInt32BE(type.length, 60);
  record.writeUInt32BE(size - event.data.length - headerSize, 64);
  record.writeUInt32BE(event.data.length, 68);
  record.writeUInt32BE(recordChecksum(record, place.position), 0);
  return record;
}

const positionBytes = Buffer.alloc(8);

/** The checksum covers the position too, so that a record under a foreign key is found out. */
export function recordChecksum(record: Buffer, position: number): number {
  writeU64(positionBytes, position, 0);
  return crc32(record.subarray(4), crc32(positionBytes));
}

export function isIntact(record: Buffer, position: number): boolean {
  return record.length >= headerSize && record.readUInt32BE(0) === recordChecksum(record, position);
}

export const recordStreamId = (record: Buffer): number => readU64(record, 8);
export const recordRevision = (record: Buffer): number => readU64(record, 16);
export const recordCreated = (record: Buffer): number => readU64(record, 24);
export const recordStream = (record: Buffer): string => text(record, 48);
export const recordType = (record: Buffer): string => text(record, 56);
/** The event as an encoded RecordedEvent message. */
export const recordMessage = (record: Buffer): Buffer => record.subarray(headerSize);

export function recordData(record: Buffer): Buffer {
  const start = headerSize + record.readUInt32BE(64);
  return record.subarray(start, start + record.readUInt32BE(68));
}

/** The event id as a map key: sixteen bytes as characters. */
export const recordIdKey = (record: Buffer): string => record.toString('latin1', 32, 48);
export const idKey = (id: string): string => Buffer.from(id.replaceAll('-', ''), 'hex').toString('latin1');

function text(record: Buffer, at: number): string {
  const start = headerSize + record.readUInt32BE(at);
  return record.toString('utf8', start, Math.min(record.length, start + record.readUInt32BE(at + 4)));
}

/** The refusal for a record that failed its check; what it says of itself is only a hint then. */
export function damagedRecord(record: Buffer | undefined, position: number, stream?: string, revision?: number) {
  if (record === undefined) return new DamageError(position, stream ?? '?', revision ?? -1, 'a record is missing');
  const readable = record.length >= headerSize;
  return new DamageError(
    position,
    stream ?? (readable ? recordStream(record) : '?'),
    revision ?? (readable ? recordRevision(record) : -1),
    'a record does not match its checksum',
  );
}
