import { setImmediate } from 'node:timers';
import type { Logger } from '../../../runtime/logger.js';
import type { CommitSignal } from '../commit-signal.js';
import type { DiskRoom } from '../disk-room.js';
import { type CallError, subscriptionGone, toCallError, tooManySubscribers } from '../errors.js';
import { createFilter, type Filter } from '../filter.js';
import { recordStream } from '../record.js';
import { openSource, type Source } from '../source.js';
import type { Storage } from '../storage.js';
import type { Writer } from '../writer.js';
import type { Consumer } from './consumer.js';
import { RateMeter } from './figures.js';
import { type Message, newMessage, Unfinished } from './message.js';
import { ParkedEvents } from './parked-events.js';
import { Progress } from './progress.js';
import { ownStreamPrefix, type StoredGroup } from './stored-group.js';
import { type Choose, chooser, isPinned } from './strategy.js';

export interface GroupDeps {
  storage: Storage;
  room: DiskRoom;
  signal: CommitSignal;
  writer: Writer;
  log: Logger;
  /** milliseconds since 1970 */
  now: () => number;
}

/**
 * One persistent subscription at work: it reads its source a page at a time, as far as its consumers have room, hands
 * every event to one of them, and tries again what is not acknowledged. Events that have to be tried again go first.
 */
export class Group {
  readonly consumers: Consumer[] = [];
  readonly meter: RateMeter;
  readonly parked: ParkedEvents;
  readonly progress: Progress;
  private readonly source: Source;
  private readonly filter: Filter | undefined;
  private readonly unfinished = new Unfinished();
  private readonly holders = new Map<string, Consumer>();
  private queue: Message[] = [];
  private retries: Message[] = [];
  private choose: Choose<Consumer>;
  private cursor: number;
  private isAtEnd = false;
  private beingParked = 0;
  private isPumpDue = false;
  private isClosed = false;
  private stopWaiting: (() => void) | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly deps: GroupDeps,
    readonly stored: StoredGroup,
  ) {
    this.meter = new RateMeter(deps.now);
    this.source = openSource(deps, stored.stream);
    this.filter = stored.filter === undefined ? undefined : createFilter(stored.filter, Number.POSITIVE_INFINITY);
    this.choose = chooser(stored.settings.strategy);
    this.cursor = stored.next;
    this.progress = new Progress(deps, stored, () => this.unfinished.lowest(this.cursor));
    this.parked = new ParkedEvents(deps, stored);
  }

  /** How many events wait where, for the figures; `outstanding` are in flight or being parked. */
  get waiting(): { read: number; retry: number; inFlight: number; outstanding: number } {
    const inFlight = this.holders.size;
    return { read: this.queue.length, retry: this.retries.length, inFlight, outstanding: inFlight + this.beingParked };
  }

  get isLive(): boolean {
    return this.isAtEnd && this.queue.length === 0;
  }

  /** The last revision or position of the source, -1 or 0 when it is empty. */
  newest(): number {
    return this.source.newest();
  }

  /** @throws CallError when the group has as many consumers as it takes */
  admit(): void {
    const { maxSubscriberCount } = this.stored.settings;
    if (maxSubscriberCount > 0 && this.consumers.length >= maxSubscriberCount) throw tooManySubscribers(this.stored);
  }

  connect(consumer: Consumer): void {
    this.consumers.push(consumer);
    consumer.onRoom(() => this.pump());
    this.pump();
  }

  /** Takes a consumer out; what it has not answered goes to others, and this does not count as a try. */
  disconnect(consumer: Consumer): void {
    const at = this.consumers.indexOf(consumer);
    if (at < 0) return;
    this.consumers.splice(at, 1);
    for (const { message } of consumer.inFlight.values()) {
      this.holders.delete(message.id);
      this.putBack(message);
    }
    consumer.inFlight.clear();
    this.pump();
  }

  /** Events are handled. Ids of nobody, or settled before, say nothing. */
  acknowledge(ids: readonly string[]): void {
    for (const id of ids) {
      const message = this.take(id) ?? this.takeRetry(id);
      if (message !== undefined) this.finish(message);
    }
    this.pump();
  }

  /** Events failed and are to be tried again, or parked once they were tried often enough. */
  retry(ids: readonly string[], reason: string): void {
    for (const id of ids) {
      const message = this.take(id);
      if (message !== undefined) this.tryAgain(message, reason);
    }
    this.pump();
  }

  /** Events failed and are set aside. */
  park(ids: readonly string[], reason: string): void {
    for (const id of ids) {
      const message = this.take(id);
      if (message !== undefined) void this.setAside(message, reason);
    }
    this.pump();
  }

  /** Hands parked events out again, those before `stopAt` in the parked stream. */
  replayParked(stopAt: number | undefined): void {
    this.parked.replay(stopAt);
    this.pump();
  }

  /** Ends all consumers' calls; the group itself goes on. @param err undefined: the group is gone or is changed */
  drop(err: CallError = subscriptionGone(this.stored)): void {
    for (const consumer of [...this.consumers]) {
      this.disconnect(consumer);
      consumer.end(err);
    }
  }

  /** Takes over changed settings; where nothing was checkpointed yet, a changed start too. No consumer is connected. */
  change(changes: Pick<StoredGroup, 'settings' | 'startFrom' | 'next'>): void {
    const isFresh = !this.stored.checkpointed && changes.startFrom !== this.stored.startFrom;
    Object.assign(this.stored, { settings: changes.settings, startFrom: changes.startFrom });
    this.choose = chooser(changes.settings.strategy);
    if (!isFresh) return;
    this.unfinished.clear();
    this.queue = [];
    this.retries = this.retries.filter(({ isReplayed }) => isReplayed);
    this.stored.next = changes.next;
    this.cursor = changes.next;
  }

  /** Stops, after which nothing is handed out. Progress is stored when this resolves, unless the group is deleted. */
  async close(isDeleted = false): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.stopWaiting?.();
    await this.parked.settled();
    await this.progress.close(isDeleted);
  }

  private pump(): void {
    if (this.isClosed) return;
    while (this.consumers.some(({ hasRoom }) => hasRoom)) {
      if (this.retries.length === 0 && this.queue.length === 0 && !this.fill()) break;
      if (!this.handOut(this.retries) && !this.handOut(this.queue)) break;
    }
    this.progress.look();
    this.watchTimeouts();
  }

  /** Sends the first message of a list that finds a consumer. @returns false when none does */
  private handOut(list: Message[]): boolean {
    const reach = isPinned(this.stored.settings.strategy) ? list.length : Math.min(1, list.length);
    for (let index = 0; index < reach; index += 1) {
      const message = list[index];
      // Two events of one id cannot be told apart by their acknowledgement.
      if (message === undefined || this.holders.has(message.id)) continue;
      const consumer = this.choose(this.consumers, message.event);
      if (consumer === undefined) continue;
      list.splice(index, 1);
      this.holders.set(message.id, consumer);
      this.meter.count();
      consumer.send(message, performance.now());
      return true;
    }
    return false;
  }

  /** Reads the next page: parked events that are to be replayed first. @returns whether there is something to hand out */
  private fill(): boolean {
    const { settings, stream } = this.stored;
    try {
      const replayed = this.parked.nextPage(settings.readBatchSize);
      if (replayed.length > 0) {
        this.queue = replayed;
        return true;
      }
      const limit = Math.min(settings.readBatchSize, settings.historyBufferSize);
      const page = this.source.page(this.cursor, 'forwards', limit, Number.POSITIVE_INFINITY);
      const passes = this.filter?.test(page.events);
      const own = stream === undefined ? ownStreamPrefix(this.stored) : undefined;
      const messages = page.events
        .filter(({ record }, index) => passes?.[index] !== false && !isOf(record, own))
        .map((event) => newMessage(this.deps, event, stream === undefined, settings.resolveLinks));
      // Nothing below can fail: a page counts whole or not at all.
      for (const message of messages) this.unfinished.add(message);
      this.queue = messages;
      this.progress.count(page.events.length - messages.length);
      this.cursor = page.next;
      this.isAtEnd = page.atEnd;
    } catch (err) {
      this.drop(toCallError(err, this.deps.log));
      return false;
    }
    if (this.queue.length === 0) this.pumpLater();
    return this.queue.length > 0;
  }

  /** Goes on at the next commit when everything is read, else when others have had their turn. */
  private pumpLater(): void {
    if (!this.isAtEnd) {
      if (this.isPumpDue) return;
      this.isPumpDue = true;
      setImmediate(() => {
        this.isPumpDue = false;
        this.pump();
      });
      return;
    }
    this.stopWaiting ??= this.deps.signal.onNext(this.source.key, () => {
      this.stopWaiting = undefined;
      this.pump();
    });
  }

  /** Takes a message back from the consumer that holds it. */
  private take(id: string): Message | undefined {
    const consumer = this.holders.get(id);
    const held = consumer?.inFlight.get(id);
    if (consumer === undefined || held === undefined) return undefined;
    this.holders.delete(id);
    consumer.inFlight.delete(id);
    consumer.meter.observe(performance.now() - held.sentAt);
    return held.message;
  }

  /** A late acknowledgement: the message was taken back already, but nobody has it yet. */
  private takeRetry(id: string): Message | undefined {
    const at = this.retries.findIndex((message) => message.id === id);
    return at < 0 ? undefined : this.retries.splice(at, 1)[0];
  }

  private finish(message: Message): void {
    if (message.isReplayed) this.parked.finish(message);
    else {
      this.unfinished.delete(message);
      this.progress.count();
    }
  }

  private tryAgain(message: Message, reason: string): void {
    const { maxRetryCount } = this.stored.settings;
    if (message.retries >= maxRetryCount) {
      void this.setAside(message, `Tried ${maxRetryCount + 1} times. ${reason}`.trim());
      return;
    }
    message.retries += 1;
    this.putBack(message);
  }

  /** In the order of the source, replayed ones before others. */
  private putBack(message: Message): void {
    const rank = ({ isReplayed, sequence }: Message) => (isReplayed ? -1 / (sequence + 2) : sequence);
    const before = this.retries.findIndex((other) => rank(other) > rank(message));
    this.retries.splice(before < 0 ? this.retries.length : before, 0, message);
  }

  private async setAside(message: Message, reason: string): Promise<void> {
    this.beingParked += 1;
    try {
      await this.parked.park(message, reason);
      this.finish(message);
    } catch (err) {
      this.deps.log.error('an event could not be parked and is tried again', { group: this.stored.group, err });
      this.putBack(message);
    }
    this.beingParked -= 1;
    this.pump();
  }

  /** One timer for the message that has been out longest. */
  private watchTimeouts(): void {
    const limit = this.stored.settings.messageTimeoutMs;
    if (limit === 0 || this.holders.size === 0 || this.timer !== undefined) return;
    let oldest = Number.POSITIVE_INFINITY;
    for (const { inFlight } of this.consumers) {
      for (const { sentAt } of inFlight.values()) {
        oldest = Math.min(oldest, sentAt);
        break;
      }
    }
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        this.takeOverdue(limit);
      },
      Math.max(1, oldest + limit - performance.now()),
    );
  }

  private takeOverdue(limit: number): void {
    const due = performance.now() - limit;
    const overdue = this.consumers.flatMap(({ inFlight }) =>
      [...inFlight.values()].filter(({ sentAt }) => sentAt <= due).map(({ message }) => message.id),
    );
    this.retry(overdue, 'Its consumer did not answer in time.');
    this.watchTimeouts();
  }
}

const isOf = (record: Buffer, prefix: string | undefined): boolean =>
  prefix !== undefined && recordStream(record).startsWith(prefix);
