import { randomUUID } from 'node:crypto';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { encodeConfirmation, encodeEvent } from '../answers.js';
import type { CallError } from '../errors.js';
import { type Latencies, RateMeter } from './figures.js';
import { type Message, sizeOf } from './message.js';
import type { Choosable } from './strategy.js';

/** What a consumer says of itself. */
export interface ConsumerFacts {
  /** its address */
  from: string;
  username: string;
  connectionName: string;
  /** how many events it wants at a time, unanswered */
  bufferSize: number;
}

/** The side of a call that a consumer is written to. */
export type ConsumerCall = Pick<ServerDuplexStream<unknown, Buffer>, 'write' | 'end' | 'emit'>;

/** However large a consumer says its buffer is: what it may hold, and what may wait to be sent while it does not read. */
const mostInFlight = 10_000;
const mostBytesInFlight = 32 * 1024 * 1024;
const unsentLimit = 1024 * 1024;

/** A connected consumer of a group: its call, and the events it has not answered. */
export class Consumer implements Choosable {
  readonly id = randomUUID();
  readonly meter: RateMeter;
  /** how long its answers took, where the group keeps that */
  latencies: Latencies | undefined;
  /** in the order they were sent */
  private readonly held = new Map<string, { message: Message; sentAt: number }>();
  private heldBytes = 0;
  private isOpen = true;
  private unsent = 0;
  private wake: (() => void) | undefined;

  constructor(
    private readonly call: ConsumerCall,
    readonly facts: ConsumerFacts,
    now: () => number,
  ) {
    this.meter = new RateMeter(now);
    call.write(encodeConfirmation(this.id));
  }

  get inFlight(): number {
    return this.held.size;
  }

  /** How many events it may hold. */
  get window(): number {
    return Math.min(this.facts.bufferSize, mostInFlight);
  }

  get hasRoom(): boolean {
    return (
      this.isOpen && this.held.size < this.window && this.heldBytes < mostBytesInFlight && this.unsent < unsentLimit
    );
  }

  /** @param wake called when a consumer that did not read, reads again */
  onRoom(wake: () => void): void {
    this.wake = wake;
  }

  /** @param sentAt milliseconds of `performance.now` */
  send(message: Message, sentAt: number): void {
    const { position, event, link, retries } = message;
    const bytes = encodeEvent(position, event, link, retries);
    this.unsent += bytes.length;
    this.call.write(bytes, () => {
      const wasFull = this.unsent >= unsentLimit;
      this.unsent -= bytes.length;
      if (wasFull && this.unsent < unsentLimit) this.wake?.();
    });
    this.held.set(message.id, { message, sentAt });
    this.heldBytes += sizeOf(message);
    this.meter.count();
  }

  /** Takes a message off that it has answered, or not answered in time. @returns undefined when it does not hold it */
  take(id: string): Message | undefined {
    const held = this.held.get(id);
    if (held === undefined) return undefined;
    this.held.delete(id);
    this.heldBytes -= sizeOf(held.message);
    this.latencies?.observe(performance.now() - held.sentAt);
    return held.message;
  }

  /** Takes all off. */
  takeAll(): Message[] {
    const messages = [...this.held.values()].map(({ message }) => message);
    this.held.clear();
    this.heldBytes = 0;
    return messages;
  }

  /** When the message was sent that it holds longest; Infinity when it holds none. */
  get holdsSince(): number {
    for (const { sentAt } of this.held.values()) return sentAt;
    return Number.POSITIVE_INFINITY;
  }

  /** What it was sent until then and has not answered, by id. */
  unansweredSince(sentAt: number): string[] {
    const ids: string[] = [];
    for (const [id, held] of this.held) {
      if (held.sentAt > sentAt) break;
      ids.push(id);
    }
    return ids;
  }

  /** @param err undefined ends the call in order */
  end(err: CallError | undefined): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    if (err === undefined) this.call.end();
    else this.call.emit('error', err);
  }
}
