import { firstReadable, isDeleted } from './head.js';
import { positionKey, revisionKey } from './keys.js';
import { DamageError, damagedRecord, isIntact, recordCreated, recordRevision, recordStreamId } from './record.js';
import { beyondGap, firstKept } from './removed.js';
import { readHead, readState, type Storage } from './storage.js';
import { readU64 } from './wire.js';

export interface StoredEvent {
  position: number;
  record: Buffer;
}

export interface Page {
  events: StoredEvent[];
  /** where the next page begins: a revision or a position */
  next: number;
  /** nothing more to read in this direction, as of this page */
  atEnd: boolean;
}

export type Direction = 'forwards' | 'backwards';

const pageEvents = 256;
const pageBytes = 1024 * 1024;

/** A stream as its readers see it: deleted and never written are the same, tombstoned is not. */
export function streamStatus(storage: Storage, name: string): 'found' | 'not-found' | 'tombstoned' {
  const head = readHead(storage, name);
  if (head?.tombstoned) return 'tombstoned';
  return head === undefined || head.revision < 0 || isDeleted(head) ? 'not-found' : 'found';
}

/** One event by its revision. @throws DamageError when it is missing, damaged or another one than the index says */
export function readEvent(storage: Storage, streamId: number, stream: string, revision: number): StoredEvent {
  const place = storage.idx.get(revisionKey(streamId, revision));
  if (place?.length !== 8) throw new DamageError(-1, stream, revision, 'an index entry is missing');
  const position = readU64(place, 0);
  const record = storage.log.get(positionKey(position));
  if (record === undefined || !isIntact(record, position)) throw damagedRecord(record, position, stream, revision);
  if (recordStreamId(record) !== streamId || recordRevision(record) !== revision) {
    throw new DamageError(position, stream, revision, 'an index entry leads to another event');
  }
  return { position, record };
}

/**
 * Reads one page of a stream, starting at revision `from` and ending at `until` when it reads forwards. Truncated and
 * expired events are left out; a missing or damaged one ends the page, and the next page throws.
 */
export function readStreamPage(
  storage: Storage,
  name: string,
  now: number,
  from: number,
  direction: Direction,
  limit: number,
  until: number,
): Page {
  const head = readHead(storage, name);
  if (head === undefined || head.revision < 0) return { events: [], next: from, atEnd: true };
  const first = Math.max(firstReadable(name, head), firstKept(storage, head.streamId));
  const last = Math.min(head.revision, until);
  const oldest = head.truncation.maxAge > 0 ? now - head.truncation.maxAge * 1000 : 0;
  const step = direction === 'forwards' ? 1 : -1;
  // A deleted stream hides all it has, and nothing of what it gets when it is written again.
  let revision = direction === 'forwards' ? Math.max(from, Math.min(first, head.revision + 1)) : Math.min(from, last);
  const inRange = () => revision >= first && revision <= last;
  const events: StoredEvent[] = [];
  let bytes = 0;
  for (let examined = 0; inRange() && examined < pageEvents && events.length < limit; examined += 1) {
    let event: StoredEvent;
    try {
      event = readEvent(storage, head.streamId, name, revision);
    } catch (err) {
      // What comes before the damage is delivered first.
      if (events.length > 0) break;
      throw err;
    }
    revision += step;
    if (recordCreated(event.record) < oldest) continue;
    events.push(event);
    bytes += event.record.length;
    if (bytes >= pageBytes) break;
  }
  return { events, next: revision, atEnd: !inRange() };
}

/**
 * Reads one page of the whole log, from position `from` on. Every position up to the head is there, or was removed by a
 * scavenge and is known to be, or it throws.
 */
export function readAllPage(storage: Storage, from: number, direction: Direction, limit: number, until: number): Page {
  const forwards = direction === 'forwards';
  const last = Math.min(readState(storage).head, until);
  const start = forwards ? Math.max(1, from) : Math.min(from, last);
  const isOver = (position: number) => (forwards ? position > last : position < 1);
  if (isOver(start) || limit <= 0) return { events: [], next: start, atEnd: true };
  const step = forwards ? 1 : -1;
  const events: StoredEvent[] = [];
  let bytes = 0;
  let position = start;
  const range = { start: positionKey(start), reverse: !forwards, limit: Math.min(limit, pageEvents) };
  for (const { key, value } of storage.log.getRange(range)) {
    const found = readU64(key, 0);
    if (found !== position) {
      const beyond = beyondGap(storage, position, direction);
      if (beyond === undefined || isOver(beyond)) break;
      position = beyond;
    }
    if (found !== position || !isIntact(value, position)) break;
    events.push({ position, record: value });
    position += step;
    bytes += value.length;
    if (isOver(position) || bytes >= pageBytes) break;
  }
  // What was removed at the end of the page is passed with it: the next page would begin with nothing to give.
  const next = isOver(position) ? position : (beyondGap(storage, position, direction) ?? position);
  if (events.length === 0 && next === start) throw damagedRecord(storage.log.get(positionKey(position)), position);
  return { events, next, atEnd: isOver(next) };
}
