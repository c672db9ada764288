import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RootDatabase } from 'lmdb';
import type { Logger } from '../../../runtime/logger.js';
import { type DiskRoom, NoRoomError, usedBytes } from '../../disk-room.js';
import { CommandError, code } from '../errors.js';
import type { Catalogue } from './catalogue.js';
import { type RoomBudget, RoomNeeded } from './room-budget.js';
import type { StoreTotals } from './totals.js';

interface Job {
  work: () => unknown;
  /** it removes, and may use what is kept back for that */
  removes: boolean;
  resolve: (value: unknown) => void;
  reject: (fault: unknown) => void;
}

export interface Commit {
  /** that it changed */
  documents: number;
  /** with its fsync */
  seconds: number;
  /** by which the data file is in use further than before */
  addedBytes: number;
  /** that room was asked for */
  askedBytes(): number;
}

export interface WriteQueueDeps {
  root: RootDatabase<Buffer, Buffer>;
  catalogue: Catalogue;
  room: DiskRoom;
  budget: RoomBudget;
  log: Logger;
  totals: StoreTotals;
  /** told of every transaction */
  committed: (commit: Commit) => void;
  /** a commit failed: nobody knows what is stored, so the process has to end */
  fatal: (err: unknown) => void;
}

const turnMs = { shortest: 20, longest: 60 };
/** What only removals may use of the file, so that room can be made on a full disk. */
const keptForRemovals = 2 * 1024 * 1024;
/** How far the file is grown ahead where there is room, so that few transactions are cut short. */
const mostAhead = 32 * 1024 * 1024;
/** How long writes that lack room are refused at once after the disk was found full. */
const retryMs = 1_000;

/** What waits to be written, and the one place where transactions are made. */
export class WriteQueue {
  private queue: Job[] = [];
  private awake = false;
  private failed = false;
  private began = 0;
  /** how long a transaction goes on: as long as the last commit took, or else most of the time would go into commits */
  private turn = turnMs.shortest;
  private fullSince: number | undefined;
  private retryAt = 0;
  /** inside a transaction */
  isWriting = false;

  constructor(private readonly deps: WriteQueueDeps) {}

  /** writes that wait */
  get length(): number {
    return this.queue.length;
  }

  /** writes are refused for lack of room */
  get isFull(): boolean {
    return this.fullSince !== undefined;
  }

  get isTurnOver(): boolean {
    return performance.now() - this.began > this.turn;
  }

  add<T>(work: () => T, removes: boolean): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.failed) {
        reject(outcomeUnknown());
        return;
      }
      this.queue.push({ work, removes, resolve: (value) => resolve(value as T), reject });
      if (this.awake) return;
      this.awake = true;
      // what arrives in this turn of the event loop shares the transaction
      setImmediate(() => {
        this.run().catch((err: unknown) => this.fail(err));
      });
    });
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.awake && !this.failed) await nextTurn();
  }

  private async run(): Promise<void> {
    while (this.queue.length > 0) {
      const short = this.transact();
      if (short !== undefined) await this.makeRoom(short.job, short.bytes);
      // lets answers leave and new requests come in before the next transaction takes them all
      if (this.queue.length > 0) await nextTurn();
    }
    this.awake = false;
  }

  /** @returns the write that has to wait for room, if one has */
  private transact(): { job: Job; bytes: number } | undefined {
    const { root, catalogue, room, budget, totals, log, committed } = this.deps;
    const taken: Job[] = [];
    const answers: (() => void)[] = [];
    let short: { job: Job; bytes: number } | undefined;
    let isWhole = false;
    this.began = performance.now();
    let worked = this.began;
    budget.restart();
    totals.begin();
    const free = room.free();
    try {
      this.isWriting = true;
      root.transactionSync(() => {
        for (const job of this.queue) {
          if (taken.length > 0 && this.isTurnOver) break;
          budget.allow(job.removes ? free : free - keptForRemovals);
          taken.push(job);
          try {
            // what no write is without: pages that LMDB copies whatever is changed, and small things in the catalogue
            budget.spend({ bytes: 0 });
            const value = job.work();
            answers.push(() => job.resolve(value));
          } catch (err) {
            if (err instanceof RoomNeeded) {
              taken.pop();
              short = { job, bytes: err.bytes };
              break;
            }
            if (!(err instanceof CommandError)) throw err;
            answers.push(() => job.reject(err));
          }
        }
        catalogue.flush();
        isWhole = true;
        worked = performance.now();
      });
      this.turn = Math.min(Math.max(turnMs.shortest, performance.now() - worked), turnMs.longest);
      const seconds = (performance.now() - this.began) / 1000;
      const addedBytes = free - room.free();
      committed({ documents: totals.commit(), seconds, addedBytes, askedBytes: () => budget.total });
    } catch (err) {
      if (isWhole) {
        this.fail(err);
        return undefined;
      }
      log.error('a transaction failed and was undone', { err, writes: taken.length });
      catalogue.load();
      answers.length = 0;
      const fault = new CommandError(code.internal, 'the write failed inside the server and nothing of it was stored');
      for (const job of taken) answers.push(() => job.reject(fault));
    } finally {
      this.isWriting = false;
      root.resetReadTxn();
    }
    this.queue = this.queue.slice(taken.length);
    for (const answer of answers) answer();
    return short;
  }

  /** Makes room for a write, or refuses it. */
  private async makeRoom(job: Job, bytes: number): Promise<void> {
    const { room, root, log } = this.deps;
    const needed = bytes + (job.removes ? 0 : keptForRemovals);
    const isTried = this.fullSince !== undefined && performance.now() < this.retryAt;
    try {
      if (isTried) throw new NoRoomError(needed);
      const ahead = Math.min(usedBytes({ root }), mostAhead);
      await room.secure(needed + ahead).catch((err: unknown) => {
        if (!(err instanceof NoRoomError)) throw err;
        return room.secure(needed);
      });
      if (this.fullSince === undefined) return;
      const duration = Math.round(performance.now() - this.fullSince);
      this.fullSince = undefined;
      log.info('the disk has room again: writes are stored', { duration });
    } catch (err) {
      if (!(err instanceof NoRoomError)) throw err;
      if (this.fullSince === undefined) {
        this.fullSince = performance.now();
        log.error('the disk is full: writes are refused, reads go on', { neededBytes: needed, err: err.cause });
      }
      if (!isTried) this.retryAt = performance.now() + retryMs;
      this.queue = this.queue.filter((one) => one !== job);
      job.reject(new CommandError(code.outOfDiskSpace, 'the disk is full: the write was not stored'));
    }
  }

  private fail(err: unknown): void {
    this.failed = true;
    this.deps.log.error('a commit failed, ending the process', { err });
    this.deps.fatal(err);
    const waiting = this.queue;
    this.queue = [];
    for (const job of waiting) job.reject(outcomeUnknown());
  }
}

const outcomeUnknown = () =>
  new CommandError(code.internal, 'the disk failed during a write: nobody knows whether it is stored');
