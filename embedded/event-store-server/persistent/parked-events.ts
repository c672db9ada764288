import { randomUUID } from 'node:crypto';
import type { Logger } from '../../../runtime/logger.js';
import { appendRefused } from '../errors.js';
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

/**
 * The events that a group gave up on, as links in a stream of its own. A replay hands them out again; they leave the
 * stream (by its `$tb`) when they are handled, not when they are read, so that none is lost on the way.
 */
export class ParkedEvents {
  private readonly stream: string;
  private readonly unfinished = new Unfinished();
  private replaying: { next: number; end: number } | undefined;
  /** events before this one were handed out by replays */
  private replayedTo = 0;
  private truncating: Promise<void> | undefined;
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
    const metadata = { added: new Date(this.deps.now()).toISOString(), reason, subscriptionEventNumber: sequence };
    await this.append(this.stream, linkType, Buffer.from(target), Buffer.from(JSON.stringify(metadata)));
  }

  /** Begins to hand parked events out again. @param stopAt the revision in the parked stream to stop before */
  replay(stopAt: number | undefined): void {
    const { first, end } = this.range();
    const next = this.replaying?.next ?? Math.max(first, this.unfinished.size > 0 ? this.replayedTo : 0);
    this.replaying = { next, end: Math.max(this.replaying?.end ?? 0, Math.min(stopAt ?? end, end)) };
  }

  /** The next events of a replay; none when there is no replay, or it is through. */
  nextPage(limit: number): Message[] {
    if (this.replaying === undefined) return [];
    const { next, end } = this.replaying;
    if (next >= end) {
      this.replaying = undefined;
      return [];
    }
    const page = openSource(this.deps, this.stream).page(next, 'forwards', limit, end - 1);
    const messages = page.events.map((stored) => replayedMessage(this.deps, stored));
    for (const message of messages) this.unfinished.add(message);
    this.replayedTo = page.atEnd ? end : page.next;
    this.replaying.next = this.replayedTo;
    return messages;
  }

  /** A replayed event is handled, or parked again: it leaves the stream when all before it have left. */
  finish(message: Message): void {
    this.unfinished.delete(message);
    this.truncating ??= this.truncate().finally(() => {
      this.truncating = undefined;
    });
  }

  /** Resolves when nothing is being written any more. */
  async settled(): Promise<void> {
    while (this.writing.size > 0 || this.truncating !== undefined) {
      await Promise.allSettled([...this.writing, this.truncating]);
    }
  }

  private async truncate(): Promise<void> {
    try {
      for (;;) {
        const before = this.unfinished.lowest(this.replayedTo);
        if (before <= this.range().first) return;
        const head = readHead(this.deps.storage, `$$${this.stream}`);
        const known =
          head === undefined
            ? {}
            : parseMetadata(
                recordData(readEvent(this.deps.storage, head.streamId, `$$${this.stream}`, head.revision).record),
              );
        const metadata = Buffer.from(JSON.stringify({ ...known, $tb: before }));
        await this.append(`$$${this.stream}`, '$metadata', metadata, Buffer.alloc(0));
      }
    } catch (err) {
      this.deps.log.error('replayed events stay parked', { stream: this.stream, err });
    }
  }

  private range(): { first: number; end: number } {
    const head = readHead(this.deps.storage, this.stream);
    if (head === undefined || isDeleted(head)) return { first: 0, end: 0 };
    return { first: firstReadable(this.stream, head), end: head.revision + 1 };
  }

  private async append(stream: string, type: string, data: Buffer, customMetadata: Buffer): Promise<void> {
    const event = { id: randomUUID(), type, isJson: type !== linkType, data, customMetadata };
    const appending = this.deps.writer.append(stream, 'any', [event]);
    this.writing.add(appending);
    const outcome = await appending.finally(() => this.writing.delete(appending));
    if (outcome.kind !== 'appended') throw appendRefused(stream, outcome.kind);
  }
}
