import { type AppendOutcome, type Expected, wrong } from './expected-revision.js';
import { isDeleted } from './head.js';
import type { PendingHead, PendingHeads } from './pending-heads.js';
import { readEvent } from './reader.js';
import type { RecentIds } from './recent-ids.js';
import { idKey, type ProposedEvent, recordIdKey } from './record.js';
import { firstKept } from './removed.js';
import { readHead, type Storage } from './storage.js';

/** What a writer knows of the events there are: those on disk, and those that will be. */
export interface Known {
  storage: Storage;
  heads: PendingHeads;
  recent: RecentIds;
}

/**
 * A repeat of what is stored already is answered as it was the first time.
 *
 * @returns undefined where the events are new
 * @throws DamageError when a record that has to be compared is damaged
 */
export function findRepeat(
  known: Known,
  head: PendingHead,
  expected: Expected,
  events: readonly ProposedEvent[],
): AppendOutcome | undefined {
  const first = events[0];
  if (first === undefined || head.revision < 0) return undefined;
  if (expected === 'any' || expected === 'stream_exists') {
    const start = known.recent.get(idKey(first.id));
    if (start?.streamId !== head.streamId) return undefined;
    // What comes after a delete is new, unless it is all a repeat.
    return repeatAt(known, head, start.revision, events) ?? (isDeleted(head) ? undefined : wrong(head, expected));
  }
  const at = expected === 'no_stream' ? 0 : Number(expected) + 1;
  return at <= head.revision ? repeatAt(known, head, at, events) : undefined;
}

function repeatAt(
  known: Known,
  head: PendingHead,
  at: number,
  events: readonly ProposedEvent[],
): AppendOutcome | undefined {
  let position = 0;
  for (const [index, event] of events.entries()) {
    const found = positionIfSame(known, head, at + index, idKey(event.id));
    if (found === undefined) return undefined;
    position = found;
  }
  return { kind: 'appended', revision: at + events.length - 1, position };
}

function positionIfSame(
  { storage, heads, recent }: Known,
  head: PendingHead,
  revision: number,
  key: string,
): number | undefined {
  const place = recent.get(key);
  if (place?.streamId === head.streamId && place.revision === revision) return place.position;
  if (revision > head.revision || heads.isPinned(head)) {
    // What is not on disk yet is among the recent ids, and was not found there.
    const stored = readHead(storage, head.name);
    if (stored === undefined || revision > stored.revision) return undefined;
  }
  if (revision < firstKept(storage, head.streamId)) return undefined;
  const { position, record } = readEvent(storage, head.streamId, head.name, revision);
  return recordIdKey(record) === key ? position : undefined;
}
