import { crc32 } from 'node:zlib';
import { DamageError } from './record.js';
import { readU64, writeU64 } from './wire.js';

/** What a stream's metadata says about which of its events may still be read. Zero means "not set". */
export interface Truncation {
  /** `$tb`: events below this revision are gone; `deletedBefore` marks a deleted stream */
  before: number;
  /** `$maxCount` */
  maxCount: number;
  /** `$maxAge`, seconds */
  maxAge: number;
}

export interface Head {
  /** -1 while the stream has no event */
  revision: number;
  tombstoned: boolean;
  truncation: Truncation;
}

/** `$tb` of a stream that was deleted and may be written again. */
export const deletedBefore = Number.MAX_SAFE_INTEGER;
export const noTruncation: Truncation = { before: 0, maxCount: 0, maxAge: 0 };

/*
 * STORED FORMAT, version 1. A value of the `heads` table, under its stream id as a big-endian u64 key:
 * u32 crc32 over the key and everything from byte 4 on, u8 flags (1 = tombstoned), three zero bytes,
 * u64 each: number of events ever written (revision + 1), before, maxCount, maxAge.
 */
const headSize = 40;

export function encodeHead(key: Buffer, head: Head): Buffer {
  const value = Buffer.alloc(headSize);
  value[4] = head.tombstoned ? 1 : 0;
  writeU64(value, head.revision + 1, 8);
  writeU64(value, head.truncation.before, 16);
  writeU64(value, head.truncation.maxCount, 24);
  writeU64(value, head.truncation.maxAge, 32);
  value.writeUInt32BE(crc32(value.subarray(4), crc32(key)), 0);
  return value;
}

/** @throws DamageError when the value does not match its checksum */
export function decodeHead(key: Buffer, value: Buffer, stream: string): Head {
  if (value.length !== headSize || value.readUInt32BE(0) !== crc32(value.subarray(4), crc32(key))) {
    throw new DamageError(-1, stream, -1, "the stream's head does not match its checksum");
  }
  return {
    revision: readU64(value, 8) - 1,
    tombstoned: value[4] === 1,
    truncation: { before: readU64(value, 16), maxCount: readU64(value, 24), maxAge: readU64(value, 32) },
  };
}

/** The fields of a metadata event; one that is no JSON object says nothing. */
export function parseMetadata(data: Uint8Array): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(data).toString('utf8'));
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}

/** Reads `$maxCount`, `$maxAge` and `$tb` from a metadata event; what is not a sensible number counts as not set. */
export function parseTruncation(data: Uint8Array): Truncation {
  const metadata = parseMetadata(data);
  const number = (key: string): number => {
    const value = metadata[key];
    return typeof value === 'number' && value > 0 ? Math.min(Math.floor(value), deletedBefore) : 0;
  };
  return { before: number('$tb'), maxCount: number('$maxCount'), maxAge: number('$maxAge') };
}

export const isDeleted = (head: Head): boolean => head.truncation.before === deletedBefore;

/**
 * The first revision that the metadata still lets a reader see; `$maxAge` is checked event by event. A metadata stream
 * shows its newest event only.
 */
export function firstReadable(name: string, head: Head): number {
  const before = head.truncation.before;
  const maxCount = isMetadataStream(name) ? 1 : head.truncation.maxCount;
  return Math.max(before, maxCount > 0 ? head.revision + 1 - maxCount : 0);
}

export const isMetadataStream = (name: string): boolean => name.startsWith('$$');
export const metadataTarget = (name: string): string | undefined =>
  isMetadataStream(name) && name.length > 2 && !name.startsWith('$$$$') ? name.slice(2) : undefined;
