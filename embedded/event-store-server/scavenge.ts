import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { Logger } from '../../runtime/logger.js';
import type { DiskRoom } from '../disk-room.js';
import { firstReadable, type Head, isDeleted } from './head.js';
import { revisionKey } from './keys.js';
import { namesAfter } from './names.js';
import { readEvent } from './reader.js';
import { DamageError, recordCreated } from './record.js';
import { firstKept, removeEvents } from './removed.js';
import { removalNeeds } from './room-needed.js';
import { readHead, type Storage } from './storage.js';

/** What a scavenge did. */
export interface Scavenged {
  streams: number;
  events: number;
  /** false when it was stopped before it had seen every stream, or had to leave a damaged one */
  complete: boolean;
}

export interface ScavengeDeps {
  storage: Storage;
  room: DiskRoom;
  log: Logger;
  /** milliseconds since 1970 */
  now: () => number;
}

const namesAtOnce = 500;
const eventsAtOnce = 200;
/** Where the disk is nearly full: a removal needs room too. */
const eventsAtLeast = 20;

/**
 * Takes out of the log what no reader of its stream may see any more: events before `$tb` and beyond `$maxCount`,
 * older than `$maxAge`, of deleted and tombstoned streams. The last event of a stream stays. Appends and reads go on
 * meanwhile; the room is used again by later appends, the file does not shrink.
 *
 * @param isStopped asked before each step
 * @throws NoRoomError; what was removed before it stays removed, and known to be
 */
export async function scavenge(deps: ScavengeDeps, isStopped: () => boolean = () => false): Promise<Scavenged> {
  const { storage, log, now } = deps;
  const done: Scavenged = { streams: 0, events: 0, complete: true };
  let after: Buffer | undefined;
  for (;;) {
    const names = namesAfter(storage, after, namesAtOnce);
    after = names.at(-1)?.key;
    if (after === undefined) return done;
    for (const { name } of names) {
      let removed = 0;
      try {
        for (let step = await removeSome(deps, name, now()); step > 0; step = await removeSome(deps, name, now())) {
          removed += step;
          if (isStopped()) break;
        }
      } catch (err) {
        if (!(err instanceof DamageError)) throw err;
        log.error('a damaged stream was left as it is', { stream: name, err });
        done.complete = false;
      }
      done.events += removed;
      if (removed > 0) done.streams += 1;
      if (isStopped()) return { ...done, complete: false };
    }
    await turn();
  }
}

/** Removes the oldest of what may go. @returns how many events */
async function removeSome(
  { storage, room }: Pick<ScavengeDeps, 'storage' | 'room'>,
  name: string,
  now: number,
): Promise<number> {
  if (removable(storage, name, now) === undefined) return 0;
  const most = room.has(removalNeeds(eventsAtOnce)) ? eventsAtOnce : eventsAtLeast;
  return room.using(removalNeeds(most), async () => {
    // Looked at again: metadata may have changed while room was made.
    const found = removable(storage, name, now);
    if (found === undefined) return 0;
    const { streamId, first } = found;
    const keep = Math.min(found.keep, first + most);
    const events = [];
    for (let revision = first; revision < keep; revision += 1) {
      const { position } = readEvent(storage, streamId, name, revision);
      events.push({ indexKey: revisionKey(streamId, revision), position });
    }
    await removeEvents(storage, streamId, events, keep);
    return events.length;
  });
}

/** What may go of a stream: from `first` on, before `keep`. Undefined where there is nothing. */
function removable(
  storage: Storage,
  name: string,
  now: number,
): { streamId: number; first: number; keep: number } | undefined {
  const head = readHead(storage, name);
  if (head === undefined || head.revision < 1) return undefined;
  const first = firstKept(storage, head.streamId);
  const keep = firstToKeep(storage, name, head, first, now);
  return keep > first ? { streamId: head.streamId, first, keep } : undefined;
}

function firstToKeep(
  storage: Storage,
  name: string,
  head: Head & { streamId: number },
  from: number,
  now: number,
): number {
  if (head.tombstoned || isDeleted(head)) return head.revision;
  let keep = Math.min(Math.max(from, firstReadable(name, head)), head.revision);
  const { maxAge } = head.truncation;
  if (maxAge === 0) return keep;
  const oldest = now - maxAge * 1000;
  const enough = from + eventsAtOnce;
  while (keep < head.revision && keep < enough) {
    if (recordCreated(readEvent(storage, head.streamId, name, keep).record) >= oldest) break;
    keep += 1;
  }
  return keep;
}

/** Runs scavenges in the background of a serving store, one at a time. */
export interface Scavenger {
  /** @returns the id of the scavenge that runs now, and whether it had been running before */
  start(): { id: string; wasRunning: boolean };
  /** @returns false when no scavenge of this id runs */
  stop(id: string): boolean;
  /** Stops what runs and waits until it has stopped. */
  close(): Promise<void>;
}

export function createScavenger(deps: ScavengeDeps): Scavenger {
  const { log } = deps;
  let running: { id: string; stopped: boolean; over: Promise<void> } | undefined;
  return {
    start() {
      if (running !== undefined) return { id: running.id, wasRunning: true };
      const run = { id: randomUUID(), stopped: false, over: Promise.resolve() };
      running = run;
      log.info('a scavenge began', { scavengeId: run.id });
      run.over = scavenge(deps, () => run.stopped)
        .then((done) => log.info('a scavenge ended', { scavengeId: run.id, ...done }))
        .catch((err: unknown) => log.error('a scavenge failed', { scavengeId: run.id, err }))
        .finally(() => {
          running = undefined;
        });
      return { id: run.id, wasRunning: false };
    },
    stop(id) {
      if (running?.id !== id) return false;
      running.stopped = true;
      return true;
    },
    async close() {
      if (running === undefined) return;
      running.stopped = true;
      await running.over;
    },
  };
}
