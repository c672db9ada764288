import type { QueuedRecord } from './commit.js';
import { type AppendOutcome, checkExpected, type Expected, wrong } from './expected-revision.js';
import { deletedBefore, isDeleted, isMetadataStream, metadataTarget, parseMetadata, parseTruncation } from './head.js';
import { linkNames, type StoredName } from './names.js';
import { type PendingHead, PendingHeads } from './pending-heads.js';
import { readEvent } from './reader.js';
import { RecentIds } from './recent-ids.js';
import { encodeRecord, idKey, type ProposedEvent, recordData } from './record.js';
import { findRepeat } from './repeats.js';
import { type LogState, readState, type Storage } from './storage.js';

/** What one transaction writes. */
export interface Transaction {
  batch: number;
  records: readonly QueuedRecord[];
  heads: readonly PendingHead[];
  /** of the streams among them that are new, and of those before them */
  names: readonly StoredName[];
  /** of all records */
  bytes: number;
  state: LogState;
}

/**
 * What has been accepted, in memory, ahead of disk: every event has its revision and position from here. Thrown away and
 * made anew, it knows what is stored and nothing else.
 */
export class Accepted {
  private readonly heads: PendingHeads;
  private readonly recent = new RecentIds();
  private records: QueuedRecord[] = [];
  private committing: readonly QueuedRecord[] = [];
  private queuedBytes = 0;
  private batch = 1;
  private nextPosition: number;
  private nextStreamId: number;

  /** @param mayWrite asked before anything is accepted that has to be written; it throws where that is refused */
  constructor(
    private readonly storage: Storage,
    private readonly now: () => number,
    private readonly mayWrite: () => void,
  ) {
    const state = readState(storage);
    this.heads = new PendingHeads(storage);
    this.nextPosition = state.head + 1;
    this.nextStreamId = state.nextStreamId;
    this.recent.loadTail(storage);
  }

  /** What the next transaction would be. */
  get waiting(): { events: number; bytes: number } {
    return { events: this.records.length, bytes: this.queuedBytes };
  }

  /** events that are not stored yet */
  get ahead(): number {
    return this.records.length + this.committing.length;
  }

  /** @throws DamageError when the decision needs a record or head that is damaged; what `mayWrite` throws */
  append(stream: string, expected: Expected, events: readonly ProposedEvent[]): AppendOutcome {
    const head = this.heads.get(stream);
    if (head.tombstoned) return { kind: 'stream-deleted' };
    const repeated = findRepeat(
      { storage: this.storage, heads: this.heads, recent: this.recent },
      head,
      expected,
      events,
    );
    if (repeated !== undefined) return repeated;
    const refusal = this.check(head, expected);
    if (refusal !== undefined) return refusal;
    if (events.length === 0) return { kind: 'appended', revision: head.revision, position: undefined };
    // Looked up first: once something is queued, nothing may fail any more.
    const accepted = this.keepHidden(stream, events);
    // A deleted stream comes back to life: what was hidden stays hidden.
    if (isDeleted(head)) this.writeTruncation(stream, crypto.randomUUID(), head.revision + 1);
    return this.write(head, accepted);
  }

  delete(stream: string, expected: Expected, metadataEventId: string): AppendOutcome {
    const head = this.heads.get(stream);
    const refusal = head.tombstoned ? { kind: 'stream-deleted' as const } : this.check(head, expected);
    if (refusal !== undefined) return refusal;
    const isThere = head.revision >= 0 || this.hasMetadata(head);
    if (!isThere || (isDeleted(head) && expected !== 'any')) return wrong(head, expected);
    return this.writeTruncation(stream, metadataEventId, deletedBefore);
  }

  tombstone(stream: string, expected: Expected, eventId: string): AppendOutcome {
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
  }

  /** A stream that has metadata and no event yet counts as one that exists. */
  private check(head: PendingHead, expected: Expected): AppendOutcome | undefined {
    if (expected === 'stream_exists' && head.revision < 0 && this.hasMetadata(head)) return undefined;
    return checkExpected(head, expected);
  }

  private hasMetadata({ name }: PendingHead): boolean {
    return !isMetadataStream(name) && this.heads.get(`$$${name}`).revision >= 0;
  }

  /** New metadata of a deleted stream do not bring back what was deleted, whatever they say. */
  private keepHidden(stream: string, events: readonly ProposedEvent[]): readonly ProposedEvent[] {
    const target = metadataTarget(stream);
    const head = target === undefined ? undefined : this.heads.get(target);
    if (head === undefined || !isDeleted(head)) return events;
    const hidden = head.revision + 1;
    return events.map((event) =>
      parseTruncation(event.data).before >= hidden
        ? event
        : { ...event, data: Buffer.from(JSON.stringify({ ...parseMetadata(event.data), $tb: hidden })) },
    );
  }

  /** The next transaction as it stands; undefined where there is nothing to write. */
  peek(): Transaction | undefined {
    const { batch, records, queuedBytes: bytes, nextStreamId } = this;
    const last = records.at(-1)?.position;
    if (last === undefined) return undefined;
    const heads = this.heads.of(batch);
    const names = linkNames(
      this.storage,
      heads.filter(({ isNew }) => isNew),
    );
    return { batch, records, heads, names, bytes, state: { head: last, count: last, nextStreamId } };
  }

  /** What is accepted from now on belongs to the transaction after this one. */
  begin(transaction: Transaction): void {
    this.committing = transaction.records;
    this.records = [];
    this.queuedBytes = 0;
    this.batch += 1;
  }

  /** The transaction is on disk. */
  settle({ batch, heads, state }: Transaction): void {
    this.committing = [];
    this.heads.settle(heads, batch);
    this.recent.trim(state.head);
  }

  private write(head: PendingHead, events: readonly ProposedEvent[]): AppendOutcome {
    this.mayWrite();
    const target = metadataTarget(head.name);
    // Looked up first: once something is queued, nothing may fail any more.
    const targetHead = target === undefined ? undefined : this.heads.get(target);
    this.touch(head);
    const streamName = Buffer.from(head.name, 'utf8');
    const created = this.now();
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
      [...this.committing, ...this.records].findLast(
        ({ streamId, revision }) => streamId === head.streamId && revision === head.revision,
      )?.value ?? readEvent(this.storage, head.streamId, head.name, head.revision).record;
    return parseMetadata(recordData(record));
  }

  private touch(head: PendingHead): void {
    if (head.streamId === 0) head.streamId = this.nextStreamId++;
    this.heads.pin(head, this.batch);
  }
}
