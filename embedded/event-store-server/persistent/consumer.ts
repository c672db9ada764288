import { randomUUID } from 'node:crypto';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { encodeConfirmation, encodeEvent } from '../answers.js';
import type { CallError } from '../errors.js';
import { RateMeter } from './figures.js';
import type { Message } from './message.js';
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

/** What may wait to be sent to a consumer that does not read, however large its buffer is. */
const unsentLimit = 1024 * 1024;

/** A connected consumer of a group: its call, and the events it has not answered. */
export class Consumer implements Choosable {
  readonly id = randomUUID();
  readonly inFlight = new Map<string, { message: Message; sentAt: number }>();
  readonly meter: RateMeter;
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

  get hasRoom(): boolean {
    return this.isOpen && this.inFlight.size < this.facts.bufferSize && this.unsent < unsentLimit;
  }

  /** @param wake called when a consumer that did not read, reads again */
  onRoom(wake: () => void): void {
    this.wake = wake;
  }

  send(message: Message, sentAt: number): void {
    this.inFlight.set(message.id, { message, sentAt });
    this.meter.count();
    const { position, event, link, retries } = message;
    const bytes = encodeEvent(position, event, link, retries);
    this.unsent += bytes.length;
    this.call.write(bytes, () => {
      const wasFull = this.unsent >= unsentLimit;
      this.unsent -= bytes.length;
      if (wasFull && this.unsent < unsentLimit) this.wake?.();
    });
  }

  /** @param err undefined ends the call in order */
  end(err: CallError | undefined): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    if (err === undefined) this.call.end();
    else this.call.emit('error', err);
  }
}
