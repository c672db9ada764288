import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { nameKey } from './keys.js';
import { DamageError } from './record.js';
import { readState, type Storage } from './storage.js';
import { readU64, writeU64 } from './wire.js';

/*
 * STORED FORMAT, version 2: the `names` table, by `nameKey`. u32 crc32 over key and rest, stream id u64, eight bytes of
 * the SHA-256 of the next key in the table (the last one's next is the first), the name. So every name vouches for the
 * one behind it: one that a damaged page has lost is told from one that never was, and a stream that exists is not "not
 * found", nor begun a second time.
 *
 * Version 1 had no digests, and a crc32 over the rest alone.
 */
const headerSize = 20;
const headerSize1 = 12;
const digestSize = 8;
const chainedAtOnce = 10_000;

interface NameEntry {
  key: Buffer;
  streamId: number;
  name: string;
  /** digest of the next key */
  next: Buffer;
}

/** An entry as it is to be stored. */
export interface StoredName {
  key: Buffer;
  value: Buffer;
}

/** @returns undefined for a stream that was never written @throws DamageError where that cannot be told */
export function findStreamId(storage: Storage, name: string): number | undefined {
  const key = nameKey(name);
  const value = storage.names.get(key);
  if (value === undefined) {
    if (storage.format > 1) proveAbsent(storage, key, name);
    return undefined;
  }
  const entry = decode(storage, key, value);
  if (entry.name !== name) throw damaged(name, "the stream's entry names another stream");
  return entry.streamId;
}

/** The neighbours of a key that is not there have to be neighbours by their own word. */
function proveAbsent(storage: Storage, key: Buffer, name: string): void {
  const before = entryBefore(storage, key);
  if (before === undefined) {
    if (readState(storage).nextStreamId === 1) return;
    throw damaged(name, 'the entries of all streams are missing');
  }
  const [after = firstKey(storage)] = storage.names.getKeys({ start: key, limit: 1 });
  if (after === undefined || !before.next.equals(digest(after))) {
    throw damaged(name, 'entries of streams are missing where this one would be');
  }
}

/** What the entries of new streams are, and of the ones before them, which lead to them from now on. @throws DamageError */
export function linkNames(storage: Storage, added: readonly { name: string; streamId: number }[]): StoredName[] {
  const runs = new Map<string, { before: NameEntry | undefined; fresh: NameEntry[] }>();
  const sorted = added
    .map(({ name, streamId }) => ({ key: nameKey(name), name, streamId, next: noDigest }))
    .sort((a, b) => Buffer.compare(a.key, b.key));
  for (const entry of sorted) {
    const before = entryBefore(storage, entry.key);
    const id = before?.key.toString('latin1') ?? '';
    const run = runs.get(id) ?? { before, fresh: [] };
    run.fresh.push(entry);
    runs.set(id, run);
  }
  return [...runs.values()].flatMap(({ before, fresh }) =>
    chained(before, fresh).map((entry) => ({ key: entry.key, value: encode(entry) })),
  );
}

/** Puts sorted new entries behind the one before them; behind the last, the chain goes on at the first. */
function chained(before: NameEntry | undefined, fresh: readonly NameEntry[]): NameEntry[] {
  const isBehind = ({ key }: NameEntry) => before !== undefined && Buffer.compare(key, before.key) > 0;
  const run =
    before === undefined
      ? [...fresh]
      : [before, ...fresh.filter(isBehind), ...fresh.filter((entry) => !isBehind(entry))];
  const end = before?.next ?? digestOf(run[0]);
  return run.map((entry, n) => ({ ...entry, next: n + 1 < run.length ? digestOf(run[n + 1]) : end }));
}

/** Streams in the order of their keys. @throws DamageError */
export function namesAfter(storage: Storage, after: Buffer | undefined, limit: number): NameEntry[] {
  const range = after === undefined ? { limit } : { start: after, exclusiveStart: true, limit };
  return [...storage.names.getRange(range)].map(({ key, value }) => decode(storage, key, value));
}

/** Every stream, in the order of their keys, once it is sure that none is missing before it. @throws DamageError */
export function* allNames(storage: Storage): Generator<{ name: string; streamId: number }> {
  let first: NameEntry | undefined;
  let last: NameEntry | undefined;
  for (const { key, value } of storage.names.getRange({ snapshot: false })) {
    const entry = decode(storage, key, value);
    if (last !== undefined && storage.format > 1 && !last.next.equals(digest(key))) {
      throw damaged(entry.name, 'entries of streams are missing before it');
    }
    first ??= entry;
    last = entry;
    yield entry;
  }
  if (last !== undefined && storage.format > 1 && !last.next.equals(digestOf(first))) {
    throw damaged(last.name, 'entries of streams are missing behind it');
  }
}

/** Brings names of format 1 to this one. Inside a write transaction. @throws DamageError */
export function chainNames(storage: Storage): void {
  const old: Storage = { ...storage, format: 1 };
  const put = (entry: NameEntry) => storage.names.putSync(entry.key, encode(entry));
  const [first] = namesAfter(old, undefined, 1);
  let last = first;
  while (last !== undefined) {
    const some = namesAfter(old, last.key, chainedAtOnce);
    for (const entry of some) {
      put({ ...last, next: digest(entry.key) });
      last = entry;
    }
    if (some.length > 0) continue;
    put({ ...last, next: digestOf(first) });
    return;
  }
}

/** The entry before a key that is not there; before the first comes the last. Undefined where there is none at all. */
function entryBefore(storage: Storage, key: Buffer): NameEntry | undefined {
  for (const range of [{ start: key }, {}]) {
    for (const { key: before, value } of storage.names.getRange({ ...range, reverse: true, limit: 1 })) {
      return decode(storage, before, value);
    }
  }
  return undefined;
}

const firstKey = (storage: Storage): Buffer | undefined => [...storage.names.getKeys({ limit: 1 })][0];
const digest = (key: Buffer): Buffer => createHash('sha256').update(key).digest().subarray(0, digestSize);
/** Stands where no entry leads on: of format 1, or not linked yet. */
const noDigest = Buffer.alloc(digestSize);

function digestOf(entry: NameEntry | undefined): Buffer {
  if (entry === undefined) throw new Error('The chain of names would lead to nothing.');
  return digest(entry.key);
}

function encode({ key, streamId, name, next }: NameEntry): Buffer {
  const bytes = Buffer.from(name, 'utf8');
  const value = Buffer.allocUnsafe(headerSize + bytes.length);
  writeU64(value, streamId, 4);
  value.set(next, headerSize1);
  value.set(bytes, headerSize);
  value.writeUInt32BE(crc32(value.subarray(4), crc32(key)), 0);
  return value;
}

function decode({ format }: Storage, key: Buffer, value: Buffer): NameEntry {
  if (format === 1) return { key, ...decode1(key, value), next: noDigest };
  if (value.length < headerSize || value.readUInt32BE(0) !== crc32(value.subarray(4), crc32(key))) {
    throw damaged(key.toString('utf8', 1), "the stream's entry does not match its checksum");
  }
  const next = value.subarray(headerSize1, headerSize);
  return { key, streamId: readU64(value, 4), name: value.toString('utf8', headerSize), next };
}

function decode1(key: Buffer, value: Buffer): { streamId: number; name: string } {
  if (value.length < headerSize1 || value.readUInt32BE(0) !== crc32(value.subarray(4))) {
    throw damaged(key.toString('utf8', 1), "the stream's entry does not match its checksum");
  }
  return { streamId: readU64(value, 4), name: value.toString('utf8', headerSize1) };
}

const damaged = (name: string, what: string): DamageError => new DamageError(-1, name, -1, what);
