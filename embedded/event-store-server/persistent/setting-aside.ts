import type { Logger } from '../../../runtime/logger.js';
import type { Message } from './message.js';

/** How long an event that could not be parked stays away from consumers. */
const againMs = 1_000;

interface SettingAsideDeps {
  /** @throws when the store does not take it */
  park: (message: Message, reason: string) => Promise<void>;
  /** a message is parked */
  onParked: (message: Message) => void;
  /** messages that could not be parked are to be tried again */
  onAgain: (messages: Message[]) => void;
  log: Logger;
}

/** The messages of a group that are on their way to its parked stream. */
export class SettingAside {
  private readonly parking = new Set<Promise<void>>();
  private refused: Message[] = [];
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(private readonly deps: SettingAsideDeps) {}

  get size(): number {
    return this.parking.size + this.refused.length;
  }

  add(message: Message, reason: string): void {
    const parking = this.deps.park(message, reason).then(
      () => {
        this.parking.delete(parking);
        this.deps.onParked(message);
      },
      (err: unknown) => {
        this.parking.delete(parking);
        this.deps.log.error('an event could not be parked and is tried again', { position: message.position, err });
        this.refused.push(message);
        if (!this.isClosed) this.timer ??= setTimeout(() => this.giveBack(), againMs);
      },
    );
    this.parking.add(parking);
  }

  /** Resolves when nothing is being written; what was refused stays where it is. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await Promise.all(this.parking);
  }

  private giveBack(): void {
    this.timer = undefined;
    const { refused } = this;
    this.refused = [];
    this.deps.onAgain(refused);
  }
}
