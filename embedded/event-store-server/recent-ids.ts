import { isIntact, recordIdKey, recordRevision, recordStreamId } from './record.js';
import type { Storage } from './storage.js';
import { readU64 } from './wire.js';

export interface EventPlace {
  streamId: number;
  revision: number;
  position: number;
}

const remembered = 10_000;
const rebuildBytes = 16 * 1024 * 1024;

/**
 * Where the most recent event ids were written, for repeats with revision "any". Bounded; events that are not yet
 * committed never fall out. Built anew at start from the tail of the log.
 */
export class RecentIds {
  private readonly places = new Map<string, EventPlace>();

  get(key: string): EventPlace | undefined {
    return this.places.get(key);
  }

  add(key: string, place: EventPlace): void {
    this.places.delete(key);
    this.places.set(key, place);
  }

  /** Forgets the oldest ids beyond the bound, up to the last committed position. */
  trim(committed: number): void {
    for (const [key, place] of this.places) {
      if (this.places.size <= remembered || place.position > committed) return;
      this.places.delete(key);
    }
  }

  loadTail(storage: Storage): void {
    const tail: [string, EventPlace][] = [];
    let bytes = 0;
    for (const { key, value } of storage.log.getRange({ reverse: true, limit: remembered })) {
      bytes += value.length;
      if (bytes > rebuildBytes) break;
      const position = readU64(key, 0);
      if (!isIntact(value, position)) continue;
      tail.push([recordIdKey(value), { streamId: recordStreamId(value), revision: recordRevision(value), position }]);
    }
    for (const [key, place] of tail.reverse()) this.places.set(key, place);
  }
}
