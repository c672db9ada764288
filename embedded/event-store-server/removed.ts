import { crc32 } from 'node:zlib';
import { durable } from './commit.js';
import { positionKey, streamKey } from './keys.js';
import { DamageError } from './record.js';
import type { Storage } from './storage.js';
import { readU64, writeU64 } from './wire.js';

/*
 * STORED FORMAT, version 2: what a scavenge took out of the log, so that a hole is known from damage.
 *
 *   gaps       first position u64 -> u32 crc32 over key and rest, last position u64; runs never touch each other
 *   scavenged  stream id u64      -> u32 crc32 over key and rest, first revision that is left u64
 *   system     'removed'          -> u32 crc32 over key and rest, number of events removed u64
 */

const removedKey = Buffer.from('removed');

/** A run of positions, both ends included. */
export interface Gap {
  first: number;
  last: number;
}

/** How many events scavenges have removed. @throws DamageError */
export function removedCount(storage: Storage): number {
  return decode(removedKey, storage.system.get(removedKey), 'the number of removed events') ?? 0;
}

/** The first revision of a stream that scavenges left; 0 for a stream they never touched. @throws DamageError */
export function firstKept(storage: Storage, streamId: number): number {
  const key = streamKey(streamId);
  return decode(key, storage.scavenged.get(key), 'what was removed of a stream') ?? 0;
}

/** The position after the gap that `position` lies in; undefined when it lies in none. @throws DamageError */
export function beyondGap(storage: Storage, position: number, direction: 'forwards' | 'backwards'): number | undefined {
  const gap = gapBefore(storage, position);
  if (gap === undefined || gap.last < position) return undefined;
  return direction === 'forwards' ? gap.last + 1 : gap.first - 1;
}

/** Every gap, by rising position. @throws DamageError */
export function* allGaps(storage: Storage): Generator<Gap> {
  for (const { key, value } of storage.gaps.getRange({ snapshot: false })) yield decodeGap(key, value);
}

/** Takes events of one stream out of log and index, and remembers it, in one transaction, durable when it resolves. */
export async function removeEvents(
  storage: Storage,
  streamId: number,
  events: readonly { indexKey: Buffer; position: number }[],
  keep: number,
): Promise<void> {
  const { put, remove } = mergedGaps(
    storage,
    events.map(({ position }) => position).sort((a, b) => a - b),
  );
  const removed = removedCount(storage) + events.length;
  const written = storage.root.batch(() => {
    for (const { indexKey, position } of events) {
      void storage.log.remove(positionKey(position));
      void storage.idx.remove(indexKey);
    }
    for (const first of remove) void storage.gaps.remove(positionKey(first));
    for (const { first, last } of put) putNumber(storage.gaps, positionKey(first), last);
    putNumber(storage.scavenged, streamKey(streamId), keep);
    putNumber(storage.system, removedKey, removed);
  });
  await durable(written);
}

/** The gaps to write and the ones they swallow, when these positions go. */
function mergedGaps(storage: Storage, positions: readonly number[]): { put: Gap[]; remove: number[] } {
  const put: Gap[] = [];
  const remove: number[] = [];
  for (const position of positions) {
    const open = put.at(-1);
    if (open?.last === position - 1) open.last = position;
    else {
      const before = gapBefore(storage, position - 1);
      put.push({ first: before?.last === position - 1 ? before.first : position, last: position });
    }
    const after = storage.gaps.get(positionKey(position + 1));
    const grown = put.at(-1);
    if (after === undefined || grown === undefined) continue;
    remove.push(position + 1);
    grown.last = decodeGap(positionKey(position + 1), after).last;
  }
  return { put, remove };
}

/** The last gap that begins at or before a position. */
function gapBefore(storage: Storage, position: number): Gap | undefined {
  for (const { key, value } of storage.gaps.getRange({ start: positionKey(position), reverse: true, limit: 1 })) {
    return decodeGap(key, value);
  }
  return undefined;
}

function decodeGap(key: Buffer, value: Buffer): Gap {
  const first = readU64(key, 0);
  const last = decode(key, value, 'a gap of the log');
  if (last === undefined || last < first)
    throw new DamageError(first, '?', -1, 'a gap of the log ends before it begins');
  return { first, last };
}

function putNumber(table: Storage['gaps'], key: Buffer, number: number): void {
  const value = Buffer.alloc(12);
  writeU64(value, number, 4);
  value.writeUInt32BE(crc32(value.subarray(4), crc32(key)), 0);
  void table.put(key, value);
}

function decode(key: Buffer, value: Buffer | undefined, what: string): number | undefined {
  if (value === undefined) return undefined;
  if (value.length !== 12 || value.readUInt32BE(0) !== crc32(value.subarray(4), crc32(key))) {
    throw new DamageError(-1, '?', -1, `${what} does not match its checksum`);
  }
  return readU64(value, 4);
}
