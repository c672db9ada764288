import { crc32 } from 'node:zlib';
import type { Database, RootDatabase } from 'lmdb';
import { decodeHead, type Head } from './head.js';
import { revisionKey, streamKey } from './keys.js';
import { findStreamId } from './names.js';
import { DamageError } from './record.js';
import { readU64, writeU64 } from './wire.js';

export type Table = Database<Buffer, Buffer>;

/** The tables of an open data directory (`data-directory.ts`). */
export interface Storage {
  readonly root: RootDatabase<Buffer, Buffer>;
  /** of what is stored; an older one only for who opened the data to look */
  readonly format: number;
  /** position -> record (`record.ts`) */
  readonly log: Table;
  /** stream id, revision -> position */
  readonly idx: Table;
  /** stream name or its hash -> stream id, name, what comes next (`names.ts`) */
  readonly names: Table;
  /** stream id -> head (`head.ts`) */
  readonly heads: Table;
  /** format version, log state, number of removed events */
  readonly system: Table;
  /** first position -> last position of each run that a scavenge removed (`removed.ts`) */
  readonly gaps: Table;
  /** stream id -> first revision that a scavenge left (`removed.ts`) */
  readonly scavenged: Table;
  /** persistent subscription -> settings and progress (`persistent/stored-group.ts`) */
  readonly subscriptions: Table;
  close(): Promise<void>;
}

/** What the last commit left behind. Positions are dense from 1, so `count` (of events ever written) equals `head`. */
export interface LogState {
  head: number;
  count: number;
  nextStreamId: number;
}

/** STORED FORMAT: in `system`, u32 crc32 over the rest, u64 each: head, count, next stream id. */
export const stateKey = Buffer.from('state');

export function encodeState(state: LogState): Buffer {
  const value = Buffer.alloc(28);
  writeU64(value, state.head, 4);
  writeU64(value, state.count, 12);
  writeU64(value, state.nextStreamId, 20);
  value.writeUInt32BE(crc32(value.subarray(4)), 0);
  return value;
}

/** @throws DamageError when it is missing or does not match its checksum */
export function readState(storage: Storage): LogState {
  const value = storage.system.get(stateKey);
  if (value?.length !== 28 || value.readUInt32BE(0) !== crc32(value.subarray(4))) {
    throw new DamageError(-1, '?', -1, "the log's state does not match its checksum");
  }
  return { head: readU64(value, 4), count: readU64(value, 12), nextStreamId: readU64(value, 20) };
}

export function putState(storage: Storage, state: LogState): void {
  void storage.system.put(stateKey, encodeState(state));
}

/** Looks a stream up as the last transaction left it. @throws DamageError also where it cannot be told that there is none */
export function readHead(storage: Storage, name: string): (Head & { streamId: number }) | undefined {
  const streamId = findStreamId(storage, name);
  if (streamId === undefined) return undefined;
  const key = streamKey(streamId);
  const value = storage.heads.get(key);
  if (value === undefined) throw new DamageError(-1, name, -1, "the stream's head is missing");
  const head = decodeHead(key, value, name);
  if (storage.idx.get(revisionKey(streamId, head.revision + 1)) !== undefined) {
    throw new DamageError(-1, name, head.revision + 1, "the stream's head is behind its events");
  }
  return { ...head, streamId };
}
