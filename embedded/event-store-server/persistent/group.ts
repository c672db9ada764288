import type { Logger } from '../../../runtime/logger.js';
import type { DiskRoom } from '../../disk-room.js';
import type { CommitSignal } from '../commit-signal.js';
import { type CallError, subscriptionGone, toCallError, tooManySubscribers } from '../errors.js';
import type { Storage } from '../storage.js';
import type { Writer } from '../writer.js';
import type { Consumer } from './consumer.js';
import { Latencies, RateMeter } from './figures.js';
import type { Message } from './message.js';
import { ParkedEvents } from './parked-events.js';
import { Progress } from './progress.js';
import { SettingAside } from './setting-aside.js';
import { SourceEvents } from './source-events.js';
import type { StoredGroup } from './stored-group.js';
import { type Choose, chooser } from './strategy.js';
import { Waiting } from './waiting.js';

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
 * every event to one of them, and tries again what is not acknowledged.
 */
export class Group {
  readonly consumers: Consumer[] = [];
  readonly meter: RateMeter;
  readonly parked: ParkedEvents;
  private readonly source: SourceEvents;
  private readonly progress: Progress;
  private readonly unassigned = new Waiting();
  private readonly holders = new Map<string, Consumer>();
  private readonly settingAside: SettingAside;
  private choose: Choose<Consumer>;
  /** why nothing more can be read */
  private refusal: CallError | undefined;
  private isClosed = false;
  private timer: NodeJS.Timeout | undefined;

  /** @throws FilterError */
  constructor(
    private readonly deps: GroupDeps,
    readonly stored: StoredGroup,
  ) {
    this.meter = new RateMeter(deps.now);
    this.source = new SourceEvents(deps, stored);
    this.choose = chooser(stored.settings.strategy);
    this.progress = new Progress(deps, stored, () => this.source.reached);
    this.parked = new ParkedEvents(deps, stored);
    this.settingAside = new SettingAside({
      park: (message, reason) => this.parked.park(message, reason),
      onParked: (message) => {
        this.finish(message);
        this.pump();
      },
      onAgain: (messages) => {
        this.unassigned.putBack(messages.filter((each) => each.isReplayed || this.source.isUnfinished(each)));
        this.pump();
      },
      log: deps.log,
    });
  }

  /** How many events wait where, for the figures; `outstanding` are in flight or being parked. */
  get waiting(): { read: number; retry: number; inFlight: number; outstanding: number } {
    const { size, returnedCount } = this.unassigned;
    const inFlight = this.holders.size;
    return {
      read: size - returnedCount,
      retry: returnedCount,
      inFlight,
      outstanding: inFlight + this.settingAside.size,
    };
  }

  get isLive(): boolean {
    return this.source.isAtEnd && this.unassigned.size === 0;
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
    if (this.stored.settings.extraStatistics) consumer.latencies = new Latencies();
    this.consumers.push(consumer);
    consumer.onRoom(() => this.pump());
    this.pump();
  }

  /** Takes a consumer out; what it has not answered goes to others, and this does not count as a try. */
  disconnect(consumer: Consumer): void {
    const at = this.consumers.indexOf(consumer);
    if (at < 0) return;
    this.consumers.splice(at, 1);
    this.takeBack([consumer]);
    this.pump();
  }

  /** Events are handled. Those that wait to be tried again count too, whoever had them; all others say nothing. */
  acknowledge(consumer: Consumer, ids: readonly string[]): void {
    if (this.isClosed) return;
    for (const id of ids) {
      const message = this.holders.has(id) ? this.take(consumer, id) : this.unassigned.takeReturned(id);
      if (message !== undefined) this.finish(message);
    }
    this.pump();
  }

  /** Events failed and are to be tried again, or parked once they were tried often enough. */
  retry(consumer: Consumer, ids: readonly string[], reason: string): void {
    const { maxRetryCount } = this.stored.settings;
    const again: Message[] = [];
    for (const id of ids) {
      const message = this.take(consumer, id);
      if (message === undefined) continue;
      if (message.retries < maxRetryCount) again.push(message);
      else this.settingAside.add(message, `Tried ${maxRetryCount + 1} times. ${reason}`.trim());
    }
    for (const message of again) message.retries += 1;
    this.unassigned.putBack(again);
    this.pump();
  }

  /** Events failed and are set aside. */
  park(consumer: Consumer, ids: readonly string[], reason: string): void {
    for (const id of ids) {
      const message = this.take(consumer, id);
      if (message !== undefined) this.settingAside.add(message, reason);
    }
    this.pump();
  }

  /** Hands parked events out again, those before `stopAt` in the parked stream. @throws DamageError */
  replayParked(stopAt: number | undefined): void {
    this.parked.replay(stopAt);
    this.pump();
  }

  /** Ends all consumers' calls; the group itself goes on. @param err undefined: the group is gone or is changed */
  drop(err: CallError = subscriptionGone(this.stored)): void {
    const dropped = this.consumers.splice(0);
    this.takeBack(dropped);
    this.refusal = undefined;
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const consumer of dropped) consumer.end(err);
  }

  /** Takes over changed settings; where nothing was checkpointed yet, a changed start too. No consumer is connected. */
  change(changes: Pick<StoredGroup, 'settings' | 'startFrom' | 'next'>): void {
    const isFresh = !this.stored.checkpointed && changes.startFrom !== this.stored.startFrom;
    Object.assign(this.stored, { settings: changes.settings, startFrom: changes.startFrom });
    this.choose = chooser(changes.settings.strategy);
    if (!isFresh) return;
    this.unassigned.keepReplayed();
    this.stored.next = changes.next;
    this.source.startAt(changes.next);
  }

  /** Stops, after which nothing is handed out. What is being parked is parked, and progress stored, when it resolves. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.source.stop();
    await this.settingAside.close();
    await this.parked.settled();
    await this.progress.close();
  }

  /** Does all there is to do. A fault that nobody foresaw costs the consumers, who come back, and not the process. */
  private pump(): void {
    if (this.isClosed) return;
    try {
      do this.handOut();
      while (this.hasRoom() && this.fill());
      // Every answer to what precedes the fault is waited for: consumers that are ended may forget what they were sent.
      if (this.refusal !== undefined && this.waiting.outstanding + this.unassigned.size === 0) this.drop(this.refusal);
      this.progress.look();
      this.watchTimeouts();
    } catch (err) {
      this.drop(toCallError(err, this.deps.log));
    }
  }

  private hasRoom(): boolean {
    return this.consumers.some((consumer) => consumer.hasRoom);
  }

  private handOut(): void {
    this.unassigned.handOut(
      () => this.hasRoom(),
      (message) => {
        // Two events of one id cannot be told apart by their acknowledgement.
        if (this.holders.has(message.id)) return false;
        const consumer = this.choose(this.consumers, message.event);
        if (consumer === undefined) return false;
        consumer.send(message, performance.now());
        this.holders.set(message.id, consumer);
        this.meter.count();
        return true;
      },
    );
  }

  /**
   * Reads the next page: parked events that are to be replayed first. What could not be handed out does not keep it
   * from reading on, up to the bounds: the next events may be for others.
   *
   * @returns whether there is something to hand out
   */
  private fill(): boolean {
    const { readBatchSize, historyBufferSize } = this.stored.settings;
    const limit = Math.min(readBatchSize, this.unassigned.room(historyBufferSize));
    if (limit <= 0) return false;
    const replayed = this.parked.nextPage(limit);
    this.unassigned.add(replayed);
    if (replayed.length > 0) return true;
    if (this.refusal !== undefined || this.source.isPaused) return false;
    try {
      const { messages, leftOut } = this.source.nextPage(limit);
      this.unassigned.add(messages);
      this.progress.count(leftOut);
      if (messages.length > 0) return true;
    } catch (err) {
      this.refusal = toCallError(err, this.deps.log);
      return false;
    }
    this.source.whenMore(() => this.pump());
    return false;
  }

  /** Takes a message from the consumer that holds it. @returns undefined when another holds it, or none */
  private take(consumer: Consumer, id: string): Message | undefined {
    if (this.holders.get(id) !== consumer) return undefined;
    this.holders.delete(id);
    return consumer.take(id);
  }

  private takeBack(consumers: readonly Consumer[]): void {
    const messages = consumers.flatMap((consumer) => consumer.takeAll());
    for (const { id } of messages) this.holders.delete(id);
    this.unassigned.putBack(messages);
  }

  private finish(message: Message): void {
    if (message.isReplayed) this.parked.finish(message);
    else {
      this.source.finish(message);
      this.progress.count();
    }
  }

  /** One timer for the message that has been out longest. */
  private watchTimeouts(): void {
    const limit = this.stored.settings.messageTimeoutMs;
    if (limit === 0 || this.holders.size === 0 || this.timer !== undefined) return;
    const oldest = Math.min(...this.consumers.map(({ holdsSince }) => holdsSince));
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        const due = performance.now() - limit;
        for (const consumer of [...this.consumers]) {
          this.retry(consumer, consumer.unansweredSince(due), 'Its consumer did not answer in time.');
        }
      },
      Math.max(1, oldest + limit - performance.now()),
    );
  }
}
