import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFault } from '../fault.js';

export interface PatienceOptions {
  /** Told what is waited for, and undefined once nothing is. */
  readonly onWait?: (what: string | undefined) => void;
  /** How long one thing is tried before it is given up. */
  readonly patienceMs?: number;
}

const firstPauseMs = 100;
const longestPauseMs = 5_000;
const defaultPatienceMs = 600_000;

/** Tries things that may fail for a while, because a server is down or starts, and says what it waits for. */
export class Patience {
  private waiting = 0;

  constructor(private readonly options: PatienceOptions = {}) {}

  /**
   * Tries until it works.
   *
   * @param tryOnce its outcome, or what hinders it; what it throws ends the tries
   * @throws CommandFault when patience is over
   */
  async until<T>(what: string, tryOnce: () => Promise<{ readonly value: T } | string>): Promise<T> {
    const { patienceMs = defaultPatienceMs, onWait } = this.options;
    const deadline = performance.now() + patienceMs;
    let waits = false;
    try {
      for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, 2 * pauseMs)) {
        const outcome = await tryOnce();
        if (typeof outcome !== 'string') return outcome.value;
        if (performance.now() > deadline) {
          throw new CommandFault(`${what}: gave up after ${patienceMs / 1000} s: ${outcome}`);
        }
        if (!waits) this.waiting += 1;
        waits = true;
        onWait?.(outcome);
        await sleep(pauseMs * (0.5 + Math.random() / 2));
      }
    } finally {
      if (waits) this.waiting -= 1;
      if (waits && this.waiting === 0) onWait?.(undefined);
    }
  }

  /** As {@link until}, for work with the stores themselves: whatever they throw may pass. */
  untilDone<T>(what: string, work: () => Promise<T>, isFinal: (error: unknown) => boolean = () => false): Promise<T> {
    return this.until(what, async () => {
      try {
        return { value: await work() };
      } catch (error) {
        if (error instanceof CommandFault || isFinal(error)) throw error;
        return error instanceof Error ? error.message : String(error);
      }
    });
  }
}
