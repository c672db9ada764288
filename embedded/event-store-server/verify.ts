import { DataDirError } from '../lmdb-file.js';
import { hasData, openStorage } from './data-directory.js';
import { decodeHead, type Head, metadataTarget, noTruncation, parseTruncation } from './head.js';
import { positionKey, revisionKey } from './keys.js';
import { allNames } from './names.js';
import { loadGroups } from './persistent/stored-group.js';
import { readEvent } from './reader.js';
import {
  DamageError,
  damagedRecord,
  isIntact,
  recordData,
  recordRevision,
  recordStream,
  recordStreamId,
  recordType,
} from './record.js';
import { allGaps, firstKept, removedCount } from './removed.js';
import { readHead, readState, type Storage } from './storage.js';
import { readU64 } from './wire.js';

export type VerifyReport =
  | { intact: true; events: number; streams: number }
  /** `position` and `revision` are -1 when the damage is not in one event */
  | { intact: false; position: number; stream: string; revision: number; message: string };

/** told every so often how many events were looked at */
type Progress = (checked: number) => void;

const turnEvery = 2_000;
const toldEvery = 100_000;

/**
 * Checks a closed data directory from end to end: every position from 1 to the head with its checksum, every index in
 * both directions, every head against the events it summarises. Reports the first damage it meets.
 *
 * @throws LockedError, DataDirError when the directory cannot be opened
 */
export async function verifyDataDir(dataDir: string, progress: Progress = () => {}): Promise<VerifyReport> {
  if (!hasData(dataDir)) throw new DataDirError(`${dataDir} holds no event store data.`);
  const storage = await openStorage(dataDir, { serve: false });
  try {
    const events = await checkLog(storage, progress);
    await checkIndex(storage);
    const streams = await checkStreams(storage);
    loadGroups(storage);
    return { intact: true, events, streams };
  } catch (err) {
    if (!(err instanceof DamageError)) throw err;
    const { position, stream, revision, message } = err;
    return { intact: false, position, stream, revision, message };
  } finally {
    await storage.close();
  }
}

/** Log to index and names. What is not there has to lie in a gap, and nothing else may. */
async function checkLog(storage: Storage, progress: Progress): Promise<number> {
  const { head, count } = readState(storage);
  const gaps = allGaps(storage);
  let gap = gaps.next().value;
  let removed = 0;
  for (let position = 1; position <= head; position += 1) {
    if (position % turnEvery === 0) await turn();
    if (position % toldEvery === 0) progress(position);
    const record = storage.log.get(positionKey(position));
    if (gap?.first === position) {
      removed += gap.last - gap.first + 1;
      position = gap.last;
      gap = gaps.next().value;
      continue;
    }
    if (record === undefined || !isIntact(record, position)) throw damagedRecord(record, position);
    const [stream, streamId, revision] = [recordStream(record), recordStreamId(record), recordRevision(record)];
    const place = storage.idx.get(revisionKey(streamId, revision));
    if (place?.length !== 8 || readU64(place, 0) !== position) {
      throw new DamageError(position, stream, revision, 'the index does not lead to a record');
    }
    if (readHead(storage, stream)?.streamId !== streamId) {
      throw new DamageError(position, stream, revision, 'the stream of a record is not known by its name');
    }
  }
  const entries = storage.log.getCount();
  const expected = count - removedCount(storage);
  if (entries !== expected || count !== head || removed !== head - entries || gap !== undefined) {
    throw new DamageError(head, '?', -1, `the log holds ${entries} records instead of ${expected}`);
  }
  return entries;
}

/** Index to log: nothing may lead to another event, and revisions run without a gap. */
async function checkIndex(storage: Storage): Promise<void> {
  let [streamId, revision, seen] = [0, -1, 0];
  for (const { key, value } of storage.idx.getRange({ snapshot: false })) {
    const [nextStream, nextRevision, position] = [readU64(key, 0), readU64(key, 8), readU64(value, 0)];
    const record = storage.log.get(positionKey(position));
    const stream = record === undefined ? '?' : recordStream(record);
    if (record === undefined || recordStreamId(record) !== nextStream || recordRevision(record) !== nextRevision) {
      throw new DamageError(position, stream, nextRevision, 'an index entry leads to another event');
    }
    if (nextRevision !== (nextStream === streamId ? revision + 1 : firstKept(storage, nextStream))) {
      throw new DamageError(position, stream, nextRevision, 'the revisions of a stream have a gap');
    }
    [streamId, revision] = [nextStream, nextRevision];
    seen += 1;
    if (seen % turnEvery === 0) await turn();
  }
}

/** Names to heads, and heads to the events they summarise. */
async function checkStreams(storage: Storage): Promise<number> {
  const { nextStreamId } = readState(storage);
  let streams = 0;
  for (const { name } of allNames(storage)) {
    const head = readHead(storage, name);
    if (head === undefined || head.streamId >= nextStreamId) {
      throw new DamageError(-1, name, -1, "the stream's entry leads nowhere");
    }
    checkHead(storage, name, head);
    streams += 1;
    if (streams % turnEvery === 0) await turn();
  }
  const heads = storage.heads.getCount();
  if (heads !== streams) throw new DamageError(-1, '?', -1, `there are ${streams} stream names and ${heads} heads`);
  for (const { key, value } of storage.heads.getRange()) decodeHead(key, value, '?');
  return streams;
}

function checkHead(storage: Storage, name: string, head: Head & { streamId: number }): void {
  const last = head.revision < 0 ? undefined : readEvent(storage, head.streamId, name, head.revision);
  if (head.tombstoned !== (last !== undefined && recordType(last.record) === '$streamDeleted')) {
    throw new DamageError(last?.position ?? -1, name, head.revision, "the stream's end is not what its head says");
  }
  const metadata = metadataTarget(`$$${name}`) === undefined ? undefined : readHead(storage, `$$${name}`);
  const expected =
    metadata === undefined || metadata.revision < 0
      ? noTruncation
      : parseTruncation(recordData(readEvent(storage, metadata.streamId, `$$${name}`, metadata.revision).record));
  const { before, maxCount, maxAge } = head.truncation;
  if (before !== expected.before || maxCount !== expected.maxCount || maxAge !== expected.maxAge) {
    throw new DamageError(-1, name, head.revision, "the stream's head does not follow its metadata");
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
