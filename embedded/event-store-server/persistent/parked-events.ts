import { randomUUID } from 'node:crypto';
import type { Logger } from '../../../runtime/logger.js';
import { appendRefused } from '../errors.js';
import type { AppendOutcome, Expected } from '../expected-revision.js';
import { firstReadable, isDeleted, parseMetadata } from '../head.js';
import { readEvent } from '../reader.js';
import { recordData, recordRevision, recordStream } from '../record.js';
import { linkType, openSource } from '../source.js';
import { readHead, type Storage } from '../storage.js';
import type { Writer } from '../writer.js';
import { type Message, replayedMessage, Unfinished } from './message.js';
import { type GroupId, parkedStream } from './stored-group.js';

interface ParkedDeps {
  storage: Storage;
  writer: Writer;
  log: Logger;
  now: () => number;
}

/** Of what a consumer says of an event that it gives up on; it is written for every one of them. */
const longestReason = 1_000;

/**
 * The events that a group gave up on, as links in a stream of its own. A replay hands them out again; they leave the
 * stream (by its `$tb`) when they are handled, not when they are read, so that none is lost on the way.
 */
export class ParkedEvents {
  private readonly stream: string;
  private readonly unfinished = new Unfinished();
  /** events before this one were handed out by replays */
  private replayedTo = 0;
  /** where the replay that is going on stops */
  private replayEnd: number | undefined;
  private isTruncating = false;
  private readonly writing = new Set<Promise<unknown>>();

  constructor(
    private readonly deps: ParkedDeps,
    id: GroupId,
  ) {
    this.stream = parkedStream(id);
  }

  /** How many events are parked, those included that a replay has handed out and nobody has handled. */
  count(): number {
    const { first, end } = this.range();
    return Math.max(0, end - first);
  }

  /** Adds a link to the event. @throws when the store does not take it */
  async park({ event, link, sequence }: Message, reason: string): Promise<void> {
    const target =
      event === undefined ? recordData(link ?? Buffer.alloc(0)) : `${recordRevision(event)}@${recordStream(event)}`;
    const metadata = {
      added: new Date(this.deps.now()).toISOString(),
      reason: reason.slice(0, longestReason),
      subscriptionEventNumber: sequence,
    };
    const outcome = await this.append(this.stream, 'any', linkType, Buffer.from(target), metadata);
    if (outcome.kind !== 'appended') throw appendRefused(this.stream, outcome.kind);
  }

  /** Begins to hand parked events out again. @param stopAt the revision in the parked stream to stop before */
  replay(stopAt: number | undefined): void {
    const { first, end } = this.range();
    this.replayedTo = Math.max(this.replayedTo, first);
    this.replayEnd = Math.max(this.replayEnd ?? 0, Math.min(stopAt ?? end, end));
  }

  /**
   * The next events of a replay; none when there is no replay, or it is through. A damaged one ends it: that and those
   * behind it stay parked.
   */
  nextPage(limit: number): Message[] {
    if (this.replayEnd === undefined) return [];
    const messages: Message[] = [];
    try {
      // The stream may have been deleted since.
      const end = Math.min(this.replayEnd, this.range().end);
      if (this.replayedTo < end) {
        const page = openSource(this.deps, this.stream).page(this.replayedTo, 'forwards', limit, end - 1);
        for (const stored of page.events) {
          this.replayedTo = recordRevision(stored.record);
          const message = replayedMessage(this.deps, stored);
          this.unfinished.add(message);
          messages.push(message);
        }
        this.replayedTo = page.atEnd ? end : page.next;
      }
      if (this.replayedTo >= end) this.replayEnd = undefined;
    } catch (err) {
      this.replayEnd = undefined;
      this.deps.log.error('a replay ends early, at an event that cannot be read', {
        stream: this.stream,
        revision: this.replayedTo,
        err,
      });
    }
    return messages;
  }

  /** A replayed event is handled, or parked again: it leaves the stream when all before it have left. */
  finish(message: Message): void {
    this.unfinished.delete(message);
    if (!this.isTruncating) void this.tracked(this.truncate());
  }

  /** Resolves when nothing is being written any more. */
  async settled(): Promise<void> {
    while (this.writing.size > 0) await Promise.allSettled(this.writing);
  }

  private async truncate(): Promise<void> {
    this.isTruncating = true;
    let first = this.replayedTo;
    try {
      for (;;) {
        const range = this.range();
        first = range.first;
        const before = Math.min(this.unfinished.lowest(this.replayedTo), range.end);
        if (before <= first) return;
        await this.truncateBefore(before);
      }
    } catch (err) {
      // They are handed out again by the next replay.
      if (this.unfinished.size === 0 && this.replayEnd === undefined) this.replayedTo = first;
      this.deps.log.error('replayed events stay parked', { stream: this.stream, err });
    } finally {
      this.isTruncating = false;
    }
  }

  /** Does nothing where somebody else's metadata, as those of a deletion, came first. */
  private async truncateBefore(before: number): Promise<void> {
    const stream = `$$${this.stream}`;
    const head = readHead(this.deps.storage, stream);
    const known =
      head === undefined
        ? {}
        : parseMetadata(recordData(readEvent(this.deps.storage, head.streamId, stream, head.revision).record));
    const expected = head === undefined ? 'no_stream' : BigInt(head.revision);
    const metadata = Buffer.from(JSON.stringify({ ...known, $tb: before }));
    const outcome = await this.append(stream, expected, '$metadata', metadata);
    if (outcome.kind === 'stream-deleted') throw appendRefused(stream, outcome.kind);
  }

  /** Of what can be read; a stream that somebody deleted is empty. */
  private range(): { first: number; end: number } {
    const head = readHead(this.deps.storage, this.stream);
    if (head === undefined || head.tombstoned || isDeleted(head)) return { first: 0, end: 0 };
    return { first: firstReadable(this.stream, head), end: head.revision + 1 };
  }

  private append(
    stream: string,
    expected: Expected,
    type: string,
    data: Buffer,
    metadata?: Record<string, unknown>,
  ): Promise<AppendOutcome> {
    const customMetadata = metadata === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(metadata));
    const event = { id: randomUUID(), type, isJson: type !== linkType, data, customMetadata };
    return this.tracked(this.deps.writer.append(stream, expected, [event]));
  }

  private tracked<T>(writing: Promise<T>): Promise<T> {
    this.writing.add(writing);
    return writing.finally(() => this.writing.delete(writing));
  }
}
