import { type Database, open, type RootDatabase } from 'lmdb';
import type { Logger } from '../../../runtime/logger.js';
import { type DiskRoom, openDiskRoom, usedBytes } from '../../disk-room.js';
import { CommandError, code, StartError } from '../errors.js';
import { Catalogue } from './catalogue.js';
import { claimDataDirectory, dataFileOf, syncDirectory } from './data-directory.js';
import { type Cost, RoomBudget } from './room-budget.js';
import { Sweeper } from './sweeper.js';
import { StoreTotals } from './totals.js';
import { type Commit, WriteQueue } from './write-queue.js';

export type Table = Database<Buffer, Buffer>;

export interface StoreOptions {
  /** bytes of the file system that are left free: the data file does not grow into them */
  diskReserve?: number;
  /** address space for the data file at first, in bytes; it grows with the file */
  mapSize?: number;
  /** false for who only looks: what was dropped stays until somebody serves */
  sweeps?: boolean;
  /** told of every transaction */
  committed?: (commit: Commit) => void;
  /** what a failed commit does, after which nobody knows what is stored; it ends the process unless told otherwise */
  fatal?: (err: unknown) => void;
}

export interface WriteOptions {
  /** it makes room in the end, and may use what is kept back for that on a full disk */
  removes?: boolean;
}

const defaultMapSize = 2 ** 35;

/**
 * The open data directory. Tables:
 * - `data`: [collection id 4][record id 8] -> the client's BSON bytes
 * - `ids`: [collection id 4][key of _id] -> record id
 * - `index`: [index id 4][joined keys][record id 8] -> empty
 * - `catalogue`: collections with their indexes and counts, ids yet to be swept, the next id
 */
export class Store {
  readonly data: Table;
  readonly ids: Table;
  readonly index: Table;
  readonly catalogue: Catalogue;
  readonly totals = new StoreTotals();
  private readonly queue: WriteQueue;
  private readonly budget: RoomBudget;
  private readonly room: DiskRoom;
  private readonly sweeper: Sweeper;
  private isClosed = false;

  private constructor(
    private readonly root: RootDatabase<Buffer, Buffer>,
    readonly path: string,
    private readonly release: () => void,
    log: Logger,
    options: StoreOptions,
  ) {
    const table = (name: string): Table =>
      root.openDB({ name, encoding: 'binary', keyEncoding: 'binary', cache: false });
    this.data = table('data');
    this.ids = table('ids');
    this.index = table('index');
    this.catalogue = new Catalogue(table('catalogue'));
    this.room = openDiskRoom({ root }, path, options.diskReserve ?? 0);
    this.budget = new RoomBudget((name) => pagesOf(this[name]));
    this.queue = new WriteQueue({
      root,
      catalogue: this.catalogue,
      room: this.room,
      budget: this.budget,
      totals: this.totals,
      log,
      committed: (commit) => {
        options.committed?.(commit);
        if (options.sweeps !== false) this.sweeper.wake();
      },
      fatal: options.fatal ?? (() => process.exit(1)),
    });
    this.sweeper = new Sweeper(this, log);
    if (options.sweeps !== false) this.sweeper.wake();
  }

  /** @throws StartError when the directory is in use, of another format, cut off or not readable */
  static open(dataDir: string, log: Logger, options: StoreOptions = {}): Store {
    const release = claimDataDirectory(dataDir);
    try {
      const root = open<Buffer, Buffer>({
        path: dataDir,
        noSubdir: false,
        maxDbs: 8,
        mapSize: options.mapSize ?? defaultMapSize,
        overlappingSync: false,
        // a failed commit is told once; lmdb would otherwise reject a promise that nobody holds, too
        eventTurnBatching: false,
        encoding: 'binary',
        keyEncoding: 'binary',
        cache: false,
      });
      syncDirectory(dataDir);
      return new Store(root, dataFileOf(dataDir), release, log, options);
    } catch (err) {
      release();
      if (err instanceof StartError) throw err;
      throw new StartError(`the data directory ${dataDir} cannot be opened: ${(err as Error).message}`);
    }
  }

  /**
   * Runs a write. Writes that are waiting together become one LMDB transaction with one fsync; each is answered only
   * after it. `work` is synchronous. A CommandError it throws refuses that write alone, so it must be thrown before
   * anything half-done is written; any other fault undoes the whole transaction. It says what it will change by `spend`,
   * and may have to begin anew because of it: then what it did before is stored.
   *
   * @throws CommandError 14031 when the disk is full, 91 when the store is closing
   */
  write<T>(work: () => T, { removes = false }: WriteOptions = {}): Promise<T> {
    if (this.isClosed) return Promise.reject(new CommandError(code.shutdown, 'the server is stopping'));
    return this.queue.add(work, removes);
  }

  /** To be called inside a write, before the change it speaks of. @throws RoomNeeded, which a write lets pass */
  spend(cost: Cost): void {
    this.budget.spend(cost);
  }

  /** whether the transaction under way has gone on for long enough: who can go on in the next one lets others */
  get isTurnOver(): boolean {
    return this.queue.isTurnOver;
  }

  /** writes are refused for lack of room */
  get isFull(): boolean {
    return this.queue.isFull;
  }

  /** of the data file, from its beginning */
  get usedBytes(): number {
    return usedBytes({ root: this.root });
  }

  /** writes that wait */
  get backlog(): number {
    return this.queue.length;
  }

  /** @throws CommandError 91 once the store is closing, but for the writes that were taken in before */
  checkOpen(): void {
    if (this.isClosed && !this.queue.isWriting) throw new CommandError(code.shutdown, 'the server is stopping');
  }

  /** Finishes the writes that wait, then gives the directory back. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.sweeper.close();
    await this.queue.idle();
    await this.room.close();
    await this.root.close();
    this.release();
  }
}

function pagesOf(table: Table): number {
  const { treeBranchPageCount = 0, treeLeafPageCount = 0 } = table.getStats() as Record<string, number>;
  return treeBranchPageCount + treeLeafPageCount;
}

/** A collection's or index's id as the first four bytes of its keys. */
export function idBytes(id: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(id);
  return bytes;
}

/** Writes a record's number as the eight bytes it has in keys and values. */
export function writeRecord(bytes: Buffer, record: number, at: number): void {
  bytes.writeUInt32BE(Math.floor(record / 2 ** 32), at);
  bytes.writeUInt32BE(record >>> 0, at + 4);
}

export function recordBytes(record: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  writeRecord(bytes, record, 0);
  return bytes;
}

export function readRecord(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}

export function dataKey(collection: number, record: number): Buffer {
  const key = Buffer.allocUnsafe(12);
  key.writeUInt32BE(collection);
  writeRecord(key, record, 4);
  return key;
}
