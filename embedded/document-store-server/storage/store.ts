import { type Database, open, type RootDatabase } from 'lmdb';
import type { Logger } from '../../../runtime/logger.js';
import { CommandError, code, StartError } from '../errors.js';
import { Catalogue } from './catalogue.js';
import { claimDataDirectory, type FileLength, watchLength } from './data-directory.js';

export type Table = Database<Buffer, Buffer>;

interface Job {
  work: () => unknown;
  resolve: (value: unknown) => void;
  reject: (fault: unknown) => void;
}

const turnMs = 20;
const sweepStep = 2_000;

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
  private readonly length: FileLength;
  private queue: Job[] = [];
  private draining = false;
  private sweeping = false;
  private closed = false;
  private writing = false;
  /** when the transaction under way began, on performance.now()'s clock */
  private began = 0;

  private constructor(
    private readonly root: RootDatabase<Buffer, Buffer>,
    readonly dataDir: string,
    private readonly release: () => void,
    private readonly log: Logger,
  ) {
    const table = (name: string): Table =>
      root.openDB({ name, encoding: 'binary', keyEncoding: 'binary', cache: false });
    this.data = table('data');
    this.ids = table('ids');
    this.index = table('index');
    this.catalogue = new Catalogue(table('catalogue'));
    this.length = watchLength(dataDir);
    this.sweepLater();
  }

  /** @throws StartError when the directory is in use, of another format, cut off or not readable */
  static open(dataDir: string, log: Logger): Store {
    const release = claimDataDirectory(dataDir);
    try {
      const root = open<Buffer, Buffer>({
        path: dataDir,
        noSubdir: false,
        maxDbs: 8,
        mapSize: 2 ** 35,
        overlappingSync: false,
        encoding: 'binary',
        keyEncoding: 'binary',
        cache: false,
      });
      return new Store(root, dataDir, release, log);
    } catch (err) {
      release();
      if (err instanceof StartError) throw err;
      throw new StartError(`the data directory ${dataDir} cannot be opened: ${(err as Error).message}`);
    }
  }

  /**
   * Runs a write. Writes that are waiting together become one LMDB transaction with one fsync; each is answered only
   * after it. `work` is synchronous; a CommandError it throws refuses that write alone, so it must be thrown before
   * anything half-done is written; any other fault undoes the whole transaction.
   */
  write<T>(work: () => T): Promise<T> {
    if (this.closed) return Promise.reject(new CommandError(code.shutdown, 'the server is stopping'));
    return new Promise<T>((resolve, reject) => {
      this.queue.push({ work, resolve: (value) => resolve(value as T), reject });
      this.drainLater();
    });
  }

  /** whether the transaction under way has gone on for long enough: who can go on in the next one lets others */
  get isTurnOver(): boolean {
    return performance.now() - this.began > turnMs;
  }

  /** @throws CommandError 91 once the store is closing, but for the writes that were taken in before */
  checkOpen(): void {
    if (this.closed && !this.writing) throw new CommandError(code.shutdown, 'the server is stopping');
  }

  private drainLater(): void {
    if (this.draining) return;
    this.draining = true;
    setImmediate(() => {
      this.draining = false;
      this.drain();
      if (this.queue.length > 0) this.drainLater();
    });
  }

  private drain(): void {
    if (this.queue.length === 0) return;
    const taken: Job[] = [];
    const answers: (() => void)[] = [];
    this.began = performance.now();
    try {
      this.length.keepAhead();
      this.writing = true;
      this.root.transactionSync(() => {
        for (const job of this.queue) {
          if (taken.length > 0 && this.isTurnOver) break;
          taken.push(job);
          try {
            const value = job.work();
            answers.push(() => job.resolve(value));
          } catch (err) {
            if (!(err instanceof CommandError)) throw err;
            answers.push(() => job.reject(err));
          }
        }
        this.catalogue.flush();
      });
      this.length.keepAhead();
    } catch (err) {
      this.log.error('a transaction failed and was undone', { err, writes: taken.length });
      this.root.resetReadTxn();
      this.catalogue.load();
      answers.length = 0;
      const fault = new CommandError(code.internal, 'the write failed inside the server and nothing of it was stored');
      if (taken.length === 0) taken.push(...this.queue);
      for (const job of taken) answers.push(() => job.reject(fault));
    } finally {
      this.writing = false;
    }
    this.queue = this.queue.slice(taken.length);
    this.root.resetReadTxn();
    for (const answer of answers) answer();
    this.sweepLater();
  }

  /** Removes what belonged to dropped collections and indexes, a piece per transaction, between the clients' writes. */
  private sweepLater(): void {
    const [id] = this.catalogue.garbage;
    if (id === undefined || this.sweeping || this.closed) return;
    this.sweeping = true;
    this.write(() => this.sweep(id)).then(
      () => {
        this.sweeping = false;
        this.sweepLater();
      },
      (err: unknown) => {
        this.sweeping = false;
        if (!this.closed) this.log.error('sweeping a dropped collection failed', { err });
      },
    );
  }

  private sweep(id: number): void {
    const start = idBytes(id);
    const end = idBytes(id + 1);
    let left = sweepStep;
    for (const table of [this.data, this.ids, this.index]) {
      const keys = [...table.getKeys({ start, end, limit: left })];
      for (const key of keys) table.removeSync(key);
      left -= keys.length;
      if (left <= 0) return;
    }
    this.catalogue.discarded(id);
  }

  /** Finishes the writes that wait, then gives the directory back. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    while (this.queue.length > 0) this.drain();
    this.length.close();
    await this.root.close();
    this.release();
  }
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
