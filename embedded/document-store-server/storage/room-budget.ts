import { fixedPages, pageBytes } from '../../disk-room.js';

/** What a change may add to the data file: entries it enters or removes at any place of a table, and bytes it stores. */
export interface Cost {
  data?: number;
  ids?: number;
  index?: number;
  bytes: number;
}

type TableName = 'data' | 'ids' | 'index';
const tableNames = ['data', 'ids', 'index'] as const;

/** A value longer than this gets pages of its own. */
const sharedPageValue = 2_000;
/** The leaf that an entry stands in is written anew, and what leads to it. */
const pagesAnEntry = 2;

/**
 * Raised before a change that the room in the file is too small for. What was changed before it in the same transaction
 * is whole and is kept; the work is done again, from where it got to, when there is room.
 */
export class RoomNeeded extends Error {
  override readonly name = 'RoomNeeded';

  /** @param bytes that a transaction needs in which nothing else is changed */
  constructor(readonly bytes: number) {
    super(`a write needs room for ${bytes} bytes`);
  }
}

/** The bytes that an entry's key and value need: pages are split, long values have pages of their own. */
export function entryBytes(keyLength: number, valueLength = 0): number {
  if (valueLength > sharedPageValue) return 2 * keyLength + valueLength + pageBytes + 200;
  return 2 * (keyLength + valueLength) + 200;
}

/** The bytes of the list of free pages that the removal of a value makes longer. */
export function freedBytes(valueLength: number): number {
  return Math.ceil(valueLength / pageBytes) * 16;
}

/** Counts what a transaction may add to the file at most, so that LMDB never meets a full disk. */
export class RoomBudget {
  private allowed = 0;
  private bytes = 0;
  private readonly entries = { data: 0, ids: 0, index: 0 };

  /** @param pagesOf how many pages a table has: no transaction copies more of it than there is */
  constructor(private readonly pagesOf: (table: TableName) => number) {}

  /** A transaction begins. */
  restart(): void {
    this.bytes = 0;
    for (const name of tableNames) this.entries[name] = 0;
  }

  /** @param bytes that are there for the transaction from its beginning */
  allow(bytes: number): void {
    this.allowed = bytes;
  }

  /** To be called before the change it speaks of. @throws RoomNeeded */
  spend(cost: Cost): void {
    const bytes = this.bytes + cost.bytes;
    const entries = tableNames.map((name) => [name, this.entries[name] + (cost[name] ?? 0)] as const);
    if (this.sum(bytes, entries) > this.allowed) {
      throw new RoomNeeded(
        this.sum(
          cost.bytes,
          tableNames.map((name) => [name, cost[name] ?? 0] as const),
        ),
      );
    }
    this.bytes = bytes;
    for (const [name, count] of entries) this.entries[name] = count;
  }

  /** What the transaction may add to the file at most, as far as it got. */
  get total(): number {
    return this.sum(
      this.bytes,
      tableNames.map((name) => [name, this.entries[name]] as const),
      0,
    );
  }

  private sum(bytes: number, entries: (readonly [TableName, number])[], enough = this.allowed): number {
    const most = entries.reduce((all, [, count]) => all + pagesAnEntry * count, fixedPages) * pageBytes + bytes;
    if (most <= enough) return most;
    const pages = entries.reduce(
      (all, [name, count]) => all + Math.min(pagesAnEntry * count, fixedPages + this.pagesOf(name)),
      fixedPages,
    );
    return pages * pageBytes + bytes;
  }
}
