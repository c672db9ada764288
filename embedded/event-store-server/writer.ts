import type { Logger } from '../../runtime/logger.js';
import { type DiskRoom, NoRoomError } from '../disk-room.js';
import { Accepted, type Transaction } from './accepted.js';
import { commit } from './commit.js';
import { anyStream, type CommitSignal } from './commit-signal.js';
import { diskFull, outcomeUnknown } from './errors.js';
import type { AppendOutcome, Expected } from './expected-revision.js';
import type { StoreMetrics } from './metrics.js';
import type { ProposedEvent } from './record.js';
import { bytesNeeded } from './room-needed.js';
import { readState, type Storage } from './storage.js';

interface Waiting {
  outcome: AppendOutcome;
  answer: (outcome: AppendOutcome) => void;
  refuse: (err: Error) => void;
}

const backlogBytes = 32 * 1024 * 1024;
const backlogEvents = 20_000;

/** How long appends are refused at once after the disk was found full; then the next one is tried. */
const retryMs = 1_000;

export interface WriterDeps {
  storage: Storage;
  room: DiskRoom;
  signal: CommitSignal;
  metrics: StoreMetrics;
  log: Logger;
  /** ends the process: memory ran ahead of disk and cannot be put right */
  fatal: (err: unknown) => void;
  /** milliseconds since 1970 */
  now: () => number;
}

/**
 * The only writer. `append` decides at once, in memory, and gives every event its revision and position; the queue
 * becomes one LMDB transaction; after its fsync all are answered, refusals included (they rest on what was accepted
 * before them), and readers are woken.
 *
 * A transaction that the disk has no room for is not begun: all that waits is refused, and memory goes back to what is
 * stored.
 */
export class Writer {
  private accepted: Accepted;
  private queue: Waiting[] = [];
  private committing = false;
  private scheduled = false;
  private failed = false;
  private roomWaiters: (() => void)[] = [];
  /** since when the disk is full, until something was stored again */
  private fullSince: number | undefined;
  private retryAt = 0;

  constructor(private readonly deps: WriterDeps) {
    this.accepted = this.recall();
  }

  /** @throws DamageError when the decision needs a record or head that is damaged; CallError when the disk is full */
  append(stream: string, expected: Expected, events: readonly ProposedEvent[]): Promise<AppendOutcome> {
    return this.enqueue(() => this.accepted.append(stream, expected, events));
  }

  /** Hides a stream's events; it may be written again and goes on at its next revision. */
  delete(stream: string, expected: Expected, metadataEventId: string): Promise<AppendOutcome> {
    return this.enqueue(() => this.accepted.delete(stream, expected, metadataEventId));
  }

  /** Ends a stream for good: its name cannot be used again. */
  tombstone(stream: string, expected: Expected, eventId: string): Promise<AppendOutcome> {
    return this.enqueue(() => this.accepted.tombstone(stream, expected, eventId));
  }

  /** whether the disk was found full, and nothing was stored since */
  get isFull(): boolean {
    return this.fullSince !== undefined;
  }

  /** events that were accepted and are not stored yet */
  get backlog(): number {
    return this.accepted.ahead;
  }

  /** Resolves when the backlog is short enough to take more; at once if it is. */
  room(): Promise<void> | undefined {
    const { events, bytes } = this.accepted.waiting;
    if (bytes < backlogBytes && events + this.queue.length < backlogEvents) return undefined;
    return new Promise((resolve) => this.roomWaiters.push(resolve));
  }

  /** Resolves when everything accepted so far is committed and answered. */
  async idle(): Promise<void> {
    while (!this.failed && (this.committing || this.queue.length > 0))
      await new Promise((resolve) => setImmediate(resolve));
  }

  private enqueue(decide: () => AppendOutcome): Promise<AppendOutcome> {
    if (this.failed) return Promise.reject(outcomeUnknown());
    return new Promise((answer, refuse) => {
      this.queue.push({ outcome: decide(), answer, refuse });
      if (this.committing || this.scheduled) return;
      this.scheduled = true;
      // All requests that arrived in this turn of the event loop share the transaction.
      setImmediate(() => {
        this.scheduled = false;
        this.drain().catch((err: unknown) => this.fail(this.queue, err));
      });
    });
  }

  private async drain(): Promise<void> {
    this.committing = true;
    while (this.queue.length > 0) {
      const transaction = this.accepted.peek();
      const needed = transaction === undefined ? 0 : bytesNeeded(this.deps.storage, transaction);
      if (!this.deps.room.has(needed)) {
        await this.makeRoom(needed);
        // More may wait by now, or nothing any more.
        continue;
      }
      const { queue } = this;
      this.queue = [];
      if (transaction !== undefined) {
        const release = this.deps.room.book(needed);
        this.accepted.begin(transaction);
        const began = performance.now();
        try {
          await commit(this.deps.storage, transaction);
        } catch (err) {
          this.fail([...queue, ...this.queue], err);
          return;
        } finally {
          release();
        }
        this.accepted.settle(transaction);
        this.noteCommit(transaction, performance.now() - began);
      }
      for (const { answer, outcome } of queue) answer(outcome);
      if (transaction !== undefined) this.deps.signal.notify([...transaction.heads.map(({ name }) => name), anyStream]);
      this.resumeCallers();
      this.count(queue);
      // Lets answers leave and new requests come in before the next transaction takes them all.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.committing = false;
  }

  private recall(): Accepted {
    return new Accepted(this.deps.storage, this.deps.now, () => {
      if (!this.isFull || performance.now() >= this.retryAt) return;
      this.deps.metrics.appends.inc({ outcome: 'disk-full' });
      throw diskFull();
    });
  }

  private async makeRoom(needed: number): Promise<void> {
    try {
      await this.deps.room.secure(needed);
    } catch (err) {
      if (err instanceof NoRoomError) this.stepBack(err);
      else this.fail(this.queue, err);
    }
  }

  private resumeCallers(): void {
    const waiters = this.roomWaiters;
    this.roomWaiters = [];
    for (const resume of waiters) resume();
  }

  /** Forgets what was accepted and is not stored, and refuses it. What was stored before is still told. */
  private stepBack(err: NoRoomError): void {
    const waiting = this.queue;
    this.queue = [];
    this.accepted = this.recall();
    const { head } = readState(this.deps.storage);
    this.retryAt = performance.now() + retryMs;
    if (this.fullSince === undefined) {
      this.fullSince = performance.now();
      const { neededBytes, cause } = err;
      this.deps.log.error('the disk is full: appends are refused, reads go on', { neededBytes, err: cause });
    }
    let refused = 0;
    for (const { outcome, answer, refuse } of waiting) {
      const isStored = outcome.kind === 'appended' && outcome.position !== undefined && outcome.position <= head;
      if (isStored) answer(outcome);
      else refuse(diskFull());
      if (!isStored) refused += 1;
    }
    this.deps.metrics.appends.inc({ outcome: 'disk-full' }, refused);
    this.resumeCallers();
  }

  private count(answered: readonly Waiting[]): void {
    const tally = new Map<string, number>();
    for (const { outcome } of answered) tally.set(outcome.kind, (tally.get(outcome.kind) ?? 0) + 1);
    for (const [outcome, times] of tally) this.deps.metrics.appends.inc({ outcome }, times);
  }

  private noteCommit({ records, bytes }: Transaction, tookMs: number): void {
    const { metrics } = this.deps;
    metrics.eventsAppended.inc(records.length);
    metrics.bytesAppended.inc(bytes);
    metrics.commitEvents.observe(records.length);
    metrics.commitSeconds.observe(tookMs / 1000);
    if (this.fullSince === undefined) return;
    const duration = Math.round(performance.now() - this.fullSince);
    this.fullSince = undefined;
    this.deps.log.info('the disk has room again: appends are stored', { duration });
  }

  private fail(waiting: readonly Waiting[], err: unknown): void {
    this.failed = true;
    this.queue = [];
    this.deps.log.error('a commit failed, ending the process', { err });
    this.deps.fatal(err);
    for (const { refuse } of waiting) refuse(outcomeUnknown());
    this.resumeCallers();
  }
}
