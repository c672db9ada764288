/** Counts items, and tells how many came in the last whole second. */
export class RateMeter {
  total = 0;
  private second: number;
  private inSecond = 0;
  private inLast = 0;

  /** @param now milliseconds */
  constructor(private readonly now: () => number) {
    this.second = this.currentSecond();
  }

  count(): void {
    this.turn();
    this.total += 1;
    this.inSecond += 1;
  }

  get perSecond(): number {
    this.turn();
    return this.inLast;
  }

  get sinceSecond(): number {
    this.turn();
    return this.inSecond;
  }

  private turn(): void {
    const current = this.currentSecond();
    if (current === this.second) return;
    this.inLast = current === this.second + 1 ? this.inSecond : 0;
    this.inSecond = 0;
    this.second = current;
  }

  private currentSecond(): number {
    return Math.floor(this.now() / 1000);
  }
}

const remembered = 1_000;

/** How long the last thousand answers took. */
export class Latencies {
  private readonly latencies: number[] = [];
  private next = 0;

  /** @param ms how long the answer to an item took */
  observe(ms: number): void {
    this.latencies[this.next] = ms;
    this.next = (this.next + 1) % remembered;
  }

  /** The extra statistics by EventStoreDB's names, in whole milliseconds; none before the first answer. */
  measurements(): [string, number][] {
    const sorted = [...this.latencies].sort((a, b) => a - b);
    if (sorted.length === 0) return [];
    const at = (part: number): number =>
      Math.round(sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0);
    return [
      ['Mean', Math.round(sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length)],
      ['Median', at(0.5)],
      ['Fastest', at(0)],
      ...[1, 2, 3, 4, 5].map((n): [string, number] => [`Quintile ${n}`, at(n / 5)]),
      ...[90, 95, 99, 99.5, 99.9].map((percent): [string, number] => [`${percent}%`, at(percent / 100)]),
      ['Highest', at(1)],
    ];
  }
}
