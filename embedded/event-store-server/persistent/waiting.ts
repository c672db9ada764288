import { type Message, sizeOf } from './message.js';

/** However much a group's settings allow it to read ahead. */
const mostMessages = 10_000;
const mostBytes = 32 * 1024 * 1024;

/**
 * The messages of a group that no consumer has, in the order in which they are handed out: replayed ones first, then
 * as they lie in the source. What a consumer had before and gave back can still be acknowledged.
 */
export class Waiting {
  /** the next one last, where it is taken at no cost */
  private messages: Message[] = [];
  private readonly returned = new Map<string, Message>();
  private bytes = 0;

  get size(): number {
    return this.messages.length;
  }

  /** How many of them a consumer had before. */
  get returnedCount(): number {
    return this.returned.size;
  }

  /** How many more may be read, zero or less when there are enough. @param limit what the group's settings allow */
  room(limit: number): number {
    return this.bytes < mostBytes ? Math.min(limit, mostMessages) - this.messages.length : 0;
  }

  /** Takes in what was read. */
  add(messages: readonly Message[]): void {
    const [message] = messages;
    if (message === undefined) return;
    if (messages.length === 1) this.messages.splice(this.placeOf(message), 0, message);
    else this.messages = this.messages.concat(messages).sort((a, b) => inOrder(b, a));
    for (const each of messages) this.bytes += sizeOf(each);
  }

  /** Takes in what consumers had. */
  putBack(messages: readonly Message[]): void {
    this.add(messages);
    // Of two with one id an acknowledgement settles the one that came back first.
    for (const message of messages) if (!this.returned.has(message.id)) this.returned.set(message.id, message);
  }

  /** Takes out what a consumer had before. @returns undefined when there is no such message */
  takeReturned(id: string): Message | undefined {
    const message = this.returned.get(id);
    if (message === undefined) return undefined;
    this.messages.splice(this.placeOf(message), 1);
    this.forget(message);
    return message;
  }

  /** Offers every message, one after the other, while `goesOn`. @param offer tells whether the message was taken */
  handOut(goesOn: () => boolean, offer: (message: Message) => boolean): void {
    const passedOver: Message[] = [];
    try {
      while (goesOn()) {
        const message = this.messages.pop();
        if (message === undefined) break;
        // A failure in the middle loses nothing.
        passedOver.push(message);
        if (!offer(message)) continue;
        passedOver.pop();
        this.forget(message);
      }
    } finally {
      for (const message of passedOver.reverse()) this.messages.push(message);
    }
  }

  /** Drops all but the replayed ones. */
  keepReplayed(): void {
    const { messages } = this;
    this.messages = messages.filter(({ isReplayed }) => isReplayed);
    for (const message of messages) if (!message.isReplayed) this.forget(message);
  }

  private forget(message: Message): void {
    this.bytes -= sizeOf(message);
    if (this.returned.get(message.id) === message) this.returned.delete(message.id);
  }

  /** Where a message lies, or belongs. */
  private placeOf(message: Message): number {
    let [low, high] = [0, this.messages.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.messages[middle];
      if (other !== undefined && inOrder(other, message) > 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function inOrder(a: Message, b: Message): number {
  if (a.isReplayed !== b.isReplayed) return a.isReplayed ? -1 : 1;
  return a.sequence - b.sequence;
}
