import { LRUCache } from 'lru-cache';
import { type Head, noTruncation } from './head.js';
import { readHead, type Storage } from './storage.js';

export interface PendingHead extends Head {
  name: string;
  /** 0 until the stream is first written */
  streamId: number;
  isNew: boolean;
  /** the newest transaction that writes it */
  batch: number;
}

const cachedHeads = 20_000;

/** The heads of streams as the writer has decided them, which may be ahead of disk. Bounded: start-up loads none. */
export class PendingHeads {
  private readonly cache = new LRUCache<string, PendingHead>({ max: cachedHeads });
  /** heads that are ahead of disk: they may not fall out of memory */
  private readonly pinned = new Map<string, PendingHead>();

  constructor(private readonly storage: Storage) {}

  /** @throws DamageError when the stored head is damaged */
  get(name: string): PendingHead {
    const known = this.pinned.get(name) ?? this.cache.get(name);
    if (known !== undefined) return known;
    const stored = readHead(this.storage, name);
    const head: PendingHead = {
      name,
      isNew: stored === undefined,
      batch: 0,
      ...(stored ?? { streamId: 0, revision: -1, tombstoned: false, truncation: noTruncation }),
    };
    this.cache.set(name, head);
    return head;
  }

  /** Marks a head as written by a transaction that is still to come. */
  pin(head: PendingHead, batch: number): void {
    head.batch = batch;
    this.pinned.set(head.name, head);
  }

  isPinned(head: PendingHead): boolean {
    return this.pinned.has(head.name);
  }

  /** The heads that a transaction has to write. */
  of(batch: number): PendingHead[] {
    return [...this.pinned.values()].filter((head) => head.batch === batch);
  }

  /** A transaction is on disk: what no later one writes again may be forgotten. */
  settle(heads: readonly PendingHead[], batch: number): void {
    for (const head of heads) {
      if (head.batch !== batch) continue;
      this.pinned.delete(head.name);
      this.cache.set(head.name, head);
    }
  }
}
