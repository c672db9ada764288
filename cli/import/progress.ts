/** Where progress is shown: a terminal's line is rewritten, anything else gets a line now and then. */
export interface Output {
  write(text: string): void;
  readonly isTTY: boolean;
}

const everyMs = { terminal: 200, plain: 5_000 };

/** "2 min 05 s" */
export function inWords(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
}

/** How far a step is: its rate is that of the last seconds, so that the time left follows what is so now. */
export class Progress {
  private label = '';
  private total = 0;
  private done = 0;
  private began = 0;
  private shownAt = 0;
  private recent: { at: number; done: number }[] = [];
  private waitsFor: string | undefined;
  private saidWaitingAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly out: Output,
    private readonly now: () => number = () => performance.now(),
  ) {}

  begin(label: string, total: number): void {
    this.label = label;
    this.total = total;
    this.done = 0;
    this.began = this.now();
    this.shownAt = this.began;
    this.recent = [{ at: this.began, done: 0 }];
  }

  advance(by = 1): void {
    this.done += by;
    this.show();
  }

  /** How many there are now, and that the total has turned out larger. */
  reach(done: number, total = this.total): void {
    this.done = done;
    this.total = Math.max(this.total, total);
    this.show();
  }

  waitFor(what: string | undefined): void {
    if (this.waitsFor === what) return;
    this.waitsFor = what;
    const first = what !== undefined && this.now() - this.saidWaitingAt > 2_000;
    if (first) this.saidWaitingAt = this.now();
    this.show(first);
  }

  /** Ends the step with a line that stays. */
  end(told = ''): void {
    const seconds = (this.now() - this.began) / 1000;
    const rate = seconds >= 1 ? `, ${perSecond(this.done / seconds)}` : '';
    this.clear();
    this.out.write(`  ${this.label}: ${count(this.done)} in ${seconds.toFixed(1)} s${rate}${told}\n`);
    this.waitsFor = undefined;
  }

  private show(atOnce = false): void {
    const now = this.now();
    const pause = this.out.isTTY ? everyMs.terminal : everyMs.plain;
    if (!atOnce && now - this.shownAt < pause) return;
    this.shownAt = now;
    this.recent.push({ at: now, done: this.done });
    while (this.recent.length > 2 && now - (this.recent[1]?.at ?? now) > 15_000) this.recent.shift();
    this.clear();
    this.out.write(this.out.isTTY ? this.line().slice(0, 110) : `${this.line()}\n`);
  }

  private line(): string {
    const waits = this.waitsFor === undefined ? '' : `; waiting: ${this.waitsFor}`;
    if (this.label === '') return `  beginning${waits}`;
    const share = this.total === 0 ? 100 : (100 * this.done) / this.total;
    const [first] = this.recent;
    const last = this.recent.at(-1);
    const seconds = first === undefined || last === undefined ? 0 : (last.at - first.at) / 1000;
    const rate = seconds === 0 || first === undefined ? 0 : (this.done - first.done) / seconds;
    const left = rate > 0 ? `, ${inWords((this.total - this.done) / rate)} left` : '';
    return `  ${this.label}: ${count(this.done)} of ${count(this.total)} (${share.toFixed(1)} %), ${perSecond(rate)}${left}${waits}`;
  }

  private clear(): void {
    if (this.out.isTTY) this.out.write('\r\u001b[2K');
  }
}

export const count = (number: number): string => number.toLocaleString('en-GB');
const perSecond = (rate: number) => `${rate < 10 ? rate.toFixed(1) : count(Math.round(rate))} a second`;
