/** The key under which readers of the whole log wait. No stream has this name. */
export const anyStream = '$all';

/** Tells waiting readers that a stream, or the log, has grown. It carries no events: readers pull. */
export class CommitSignal {
  private readonly waiting = new Map<string, Set<() => void>>();

  /** Calls back once, at the next commit that touches the stream. @returns a function that stops waiting */
  onNext(stream: string, wake: () => void): () => void {
    const waiters = this.waiting.get(stream) ?? new Set();
    this.waiting.set(stream, waiters.add(wake));
    return () => {
      waiters.delete(wake);
      if (waiters.size === 0 && this.waiting.get(stream) === waiters) this.waiting.delete(stream);
    };
  }

  notify(streams: Iterable<string>): void {
    for (const stream of streams) {
      const waiters = this.waiting.get(stream);
      if (waiters === undefined) continue;
      this.waiting.delete(stream);
      for (const wake of waiters) wake();
    }
  }
}
