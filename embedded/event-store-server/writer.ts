import type { Logger } from '../../runtime/logger.js';
import { commit, type QueuedRecord } from './commit.js';
import { anyStream, type CommitSignal } from './commit-signal.js';
import { bytesNeeded, type DiskRoom, NoRoomError } from './disk-room.js';
import { diskFull, outcomeUnknown } from './errors.js';
import { type AppendOutcome, checkExpected, type Expected, wrong } from './expected-revision.js';
import { deletedBefore, isDeleted, metadataTarget, parseMetadata, parseTruncation } from './head.js';
import { type PendingHead, PendingHeads } from './pending-heads.js';
import { readEvent } from './reader.js';
import { RecentIds } from './recent-ids.js';
import { encodeRecord, idKey, type ProposedEvent, recordData, recordIdKey } from './record.js';
import { firstKept } from './removed.js';
import { readHead, readState, type Storage } from './storage.js';

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
  private heads: PendingHeads;
  private recent: RecentIds;
  private queue: Waiting[] = [];
  private records: QueuedRecord[] = [];
  private committingRecords: QueuedRecord[] = [];
  private queuedBytes = 0;
  private committing = false;
  private scheduled = false;
  private failed = false;
  private batch = 1;
  private nextPosition: number;
  private nextStreamId: number;
  private roomWaiters: (() => void)[] = [];
  /** since when the disk is full, until something was stored again */
  private fullSince: number | undefined;
  private retryAt = 0;

  constructor(private readonly deps: WriterDeps) {
    ({
      heads: this.heads,
      recent: this.recent,
      nextPosition: this.nextPosition,
      nextStreamId: this.nextStreamId,
    } = recall(deps.storage));
  }

  /** @throws DamageError when the decision needs a record or head that is damaged; CallError when the disk is full */
  append(stream: string, expected: Expected, events: readonly ProposedEvent[]): Promise<AppendOutcome> {
    return this.enqueue(() => this.decideAppend(stream, expected, events));
  }

  /** Hides a stream's events; it may be written again and goes on at its next revision. */
  delete(stream: string, expected: Expected, metadataEventId: string): Promise<AppendOutcome> {
    return this.enqueue(() => {
      const head = this.heads.get(stream);
      const refusal = head.tombstoned ? { kind: 'stream-deleted' as const } : checkExpected(head, expected);
      if (refusal !== undefined) return refusal;
      if (head.revision < 0 || isDeleted(head)) return wrong(head, expected);
      return this.writeTruncation(stream, metadataEventId, deletedBefore);
    });
  }

  /** Ends a stream for good: its name cannot be used again. */
  tombstone(stream: string, expected: Expected, eventId: string): Promise<AppendOutcome> {
    return this.enqueue(() => {
      const head = this.heads.get(stream);
      const refusal = head.tombstoned ? { kind: 'stream-deleted' as const } : checkExpected(head, expected);
      if (refusal !== undefined) return refusal;
      const none = Buffer.alloc(0);
      const marker = {
        id: eventId,
        type: '$streamDeleted',
        isJson: true,
        data: Buffer.from('{}'),
        customMetadata: none,
      };
      const outcome = this.write(head, [marker]);
      head.tombstoned = true;
      return outcome;
    });
  }

  /** whether the disk was found full, and nothing was stored since */
  get isFull(): boolean {
    return this.fullSince !== undefined;
  }

  /** Resolves when the backlog is short enough to take more; at once if it is. */
  room(): Promise<void> | undefined {
    const { queuedBytes, records, queue } = this;
    if (queuedBytes < backlogBytes && records.length + queue.length < backlogEvents) return undefined;
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
        void this.drain();
      });
    });
  }

  private decideAppend(stream: string, expected: Expected, events: readonly ProposedEvent[]): AppendOutcome {
    const head = this.heads.get(stream);
    if (head.tombstoned) return { kind: 'stream-deleted' };
    const repeated = this.findRepeat(head, expected, events);
    if (repeated !== undefined) return repeated;
    const refusal = checkExpected(head, expected);
    if (refusal !== undefined) return refusal;
    if (events.length === 0) return { kind: 'appended', revision: head.revision, position: undefined };
    // A deleted stream comes back to life: what was hidden stays hidden.
    if (isDeleted(head)) this.writeTruncation(stream, crypto.randomUUID(), head.revision + 1);
    return this.write(head, events);
  }

  /** A repeat of what is stored already is answered as it was the first time. */
  private findRepeat(
    head: PendingHead,
    expected: Expected,
    events: readonly ProposedEvent[],
  ): AppendOutcome | undefined {
    const first = events[0];
    if (first === undefined || head.revision < 0 || isDeleted(head)) return undefined;
    if (expected === 'any' || expected === 'stream_exists') {
      const start = this.recent.get(idKey(first.id));
      if (start?.streamId !== head.streamId) return undefined;
      return this.repeatAt(head, start.revision, events) ?? wrong(head, expected);
    }
    const at = expected === 'no_stream' ? 0 : Number(expected) + 1;
    return at <= head.revision ? this.repeatAt(head, at, events) : undefined;
  }

  private repeatAt(head: PendingHead, at: number, events: readonly ProposedEvent[]): AppendOutcome | undefined {
    let position = 0;
    for (const [index, event] of events.entries()) {
      const found = this.positionIfSame(head, at + index, idKey(event.id));
      if (found === undefined) return undefined;
      position = found;
    }
    return { kind: 'appended', revision: at + events.length - 1, position };
  }

  private positionIfSame(head: PendingHead, revision: number, key: string): number | undefined {
    const recent = this.recent.get(key);
    if (recent?.streamId === head.streamId && recent.revision === revision) return recent.position;
    if (revision > head.revision || this.heads.isPinned(head)) {
      // What is not on disk yet is among the recent ids, and was not found there.
      const stored = readHead(this.deps.storage, head.name);
      if (stored === undefined || revision > stored.revision) return undefined;
    }
    if (revision < firstKept(this.deps.storage, head.streamId)) return undefined;
    const { position, record } = readEvent(this.deps.storage, head.streamId, head.name, revision);
    return recordIdKey(record) === key ? position : undefined;
  }

  private write(head: PendingHead, events: readonly ProposedEvent[]): AppendOutcome {
    if (this.isFull && performance.now() < this.retryAt) throw diskFull();
    const target = metadataTarget(head.name);
    // Looked up first: once something is queued, nothing may fail any more.
    const targetHead = target === undefined ? undefined : this.heads.get(target);
    this.touch(head);
    const streamName = Buffer.from(head.name, 'utf8');
    const created = this.deps.now();
    for (const event of events) {
      const position = this.nextPosition;
      const revision = head.revision + 1;
      const place = { position, streamId: head.streamId, streamName, revision, created };
      const value = encodeRecord(event, place);
      this.records.push({ position, streamId: head.streamId, revision, value });
      this.recent.add(idKey(event.id), { streamId: head.streamId, revision, position });
      this.queuedBytes += value.length;
      head.revision = revision;
      this.nextPosition = position + 1;
    }
    const last = events.at(-1);
    if (targetHead !== undefined && last !== undefined) {
      this.touch(targetHead);
      targetHead.truncation = parseTruncation(last.data);
    }
    return { kind: 'appended', revision: head.revision, position: this.nextPosition - 1 };
  }

  /** Sets `$tb` of a stream by an event in its metadata stream; what else its metadata say is kept. */
  private writeTruncation(stream: string, eventId: string, before: number): AppendOutcome {
    const head = this.heads.get(`$$${stream}`);
    const { $tb: _, ...kept } = this.lastMetadata(head);
    const others = JSON.stringify(kept).slice(1, -1);
    // Written by hand: the largest int64 is no JavaScript number.
    const data = `{${others}${others === '' ? '' : ','}"$tb":${before === deletedBefore ? '9223372036854775807' : before}}`;
    const none = Buffer.alloc(0);
    return this.write(head, [
      { id: eventId, type: '$metadata', isJson: true, data: Buffer.from(data), customMetadata: none },
    ]);
  }

  private lastMetadata(head: PendingHead): Record<string, unknown> {
    if (head.revision < 0) return {};
    const record =
      [...this.committingRecords, ...this.records].findLast(
        ({ streamId, revision }) => streamId === head.streamId && revision === head.revision,
      )?.value ?? readEvent(this.deps.storage, head.streamId, head.name, head.revision).record;
    return parseMetadata(recordData(record));
  }

  private touch(head: PendingHead): void {
    if (head.streamId === 0) head.streamId = this.nextStreamId++;
    this.heads.pin(head, this.batch);
  }

  private async drain(): Promise<void> {
    this.committing = true;
    while (this.queue.length > 0) {
      const { queue, records, batch } = this;
      this.queue = [];
      this.committingRecords = records;
      this.records = [];
      this.queuedBytes = 0;
      this.batch += 1;
      let touched: string[] = [];
      const last = records.at(-1)?.position;
      if (last !== undefined) {
        const heads = this.heads.of(batch);
        const state = { head: last, count: last, nextStreamId: this.nextStreamId };
        try {
          await this.deps.room.secure(bytesNeeded(this.deps.storage, records, heads));
          await commit(this.deps.storage, records, heads, state);
        } catch (err) {
          if (err instanceof NoRoomError) {
            this.stepBack([...queue, ...this.queue], err);
            break;
          }
          this.fail([...queue, ...this.queue], err);
          return;
        }
        this.noteRoom();
        this.committingRecords = [];
        this.heads.settle(heads, batch);
        this.recent.trim(last);
        touched = [...heads.map(({ name }) => name), anyStream];
      }
      for (const { answer, outcome } of queue) answer(outcome);
      this.deps.signal.notify(touched);
      this.resumeCallers();
      // Lets answers leave and new requests come in before the next transaction takes them all.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.committing = false;
  }

  private resumeCallers(): void {
    const waiters = this.roomWaiters;
    this.roomWaiters = [];
    for (const resume of waiters) resume();
  }

  /** Forgets what was accepted and is not stored, and refuses it. What was stored before is still told. */
  private stepBack(waiting: readonly Waiting[], err: NoRoomError): void {
    this.queue = [];
    this.records = [];
    this.committingRecords = [];
    this.queuedBytes = 0;
    Object.assign(this, recall(this.deps.storage));
    const head = this.nextPosition - 1;
    this.retryAt = performance.now() + retryMs;
    if (this.fullSince === undefined) {
      this.fullSince = performance.now();
      const { neededBytes, cause } = err;
      this.deps.log.error('the disk is full: appends are refused, reads go on', { neededBytes, err: cause });
    }
    for (const { outcome, answer, refuse } of waiting) {
      const isStored = outcome.kind === 'appended' && outcome.position !== undefined && outcome.position <= head;
      if (isStored) answer(outcome);
      else refuse(diskFull());
    }
    this.resumeCallers();
  }

  private noteRoom(): void {
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
  }
}

/** What a writer knows before it has accepted anything. */
function recall(storage: Storage): {
  heads: PendingHeads;
  recent: RecentIds;
  nextPosition: number;
  nextStreamId: number;
} {
  const { head, nextStreamId } = readState(storage);
  const recent = new RecentIds();
  recent.loadTail(storage);
  return { heads: new PendingHeads(storage), recent, nextPosition: head + 1, nextStreamId };
}
