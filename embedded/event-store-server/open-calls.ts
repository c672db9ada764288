import { type CallError, shuttingDown } from './errors.js';

export interface OpenCall {
  /** Ends the call because the server closes. */
  end: (err: CallError) => void;
}

/** The calls that outlive one request, and the answers still owed: closing the server ends the ones, after the others. */
export class OpenCalls {
  private readonly open = new Set<OpenCall>();
  private readonly owed = new Set<Promise<void>>();
  private closing = false;

  /** how many are open now */
  get count(): number {
    return this.open.size;
  }

  /** @throws CallError once the server is closing: nothing new is begun then */
  admit(): void {
    if (this.closing) throw shuttingDown();
  }

  /** @returns the function to call when the call is over */
  add(call: OpenCall): () => void {
    this.open.add(call);
    return () => this.open.delete(call);
  }

  /** Keeps an answer in mind until it is sent; it must not reject. */
  track(answer: Promise<void>): void {
    this.owed.add(answer);
    void answer.finally(() => this.owed.delete(answer));
  }

  /** Refuses what comes from now on, waits for the answers still owed, ends all calls. */
  async close(): Promise<void> {
    this.closing = true;
    while (this.owed.size > 0) await Promise.allSettled(this.owed);
    for (const call of [...this.open]) call.end(shuttingDown());
  }
}
