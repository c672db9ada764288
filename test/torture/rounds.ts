import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Violation } from './violation.js';

export interface Rounds<Kind extends string> {
  /** what is typed to run these rounds, without their number and kind */
  readonly command: string;
  readonly numbers: readonly number[];
  readonly kindOf: (round: number) => Kind;
  /** the kinds as a run without `--only` has them */
  readonly planned: (round: number) => Kind;
  readonly say: (line: string) => void;
}

/** What is done in an empty directory of its own. */
export interface RoundsWork<Kind extends string> {
  /** @returns what a line of progress tells about it */
  readonly round: (number: number, kind: Kind) => Promise<string>;
  readonly finish: () => Promise<void>;
  /** After a failure: ends what still runs; the directory is kept. */
  readonly abandon: () => void;
}

/**
 * Runs round after round, with a line of progress each, and removes the directory at the end.
 *
 * @throws Violation at the first failure; its message says where the data are and how to run it again
 */
export async function runRounds<Kind extends string>(
  { command, numbers, kindOf, planned, say }: Rounds<Kind>,
  open: (home: string) => RoundsWork<Kind>,
): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'torture-'));
  const clean = () => rmSync(home, { recursive: true, force: true });
  process.on('exit', clean);
  const start = performance.now();
  const work = open(home);
  let current: { readonly number: number; readonly kind: Kind } | undefined;
  try {
    for (const [index, number] of numbers.entries()) {
      const kind = kindOf(number);
      current = { number, kind };
      const told = await work.round(number, kind);
      const seconds = (performance.now() - start) / 1000;
      const left = (seconds / (index + 1)) * (numbers.length - index - 1);
      const name = `round ${number} (${kind})`.padEnd(20);
      say(`  ${name} ${told}, ${seconds.toFixed(0)} s, about ${left.toFixed(0)} s left`);
    }
    current = undefined;
    await work.finish();
  } catch (err) {
    work.abandon();
    const { number, kind } = current ?? { number: numbers.at(-1) ?? 0, kind: kindOf(numbers.at(-1) ?? 1) };
    const name = current === undefined ? 'the end' : `round ${number} (${kind})`;
    const again = current === undefined ? '' : `\n  that round alone: ${command} --round ${number} --only ${kind}`;
    const only = kindOf === planned ? '' : ` --only ${kind}`;
    const message = err instanceof Error ? err.message : String(err);
    const all = `${command} --rounds ${number}${only}`;
    throw new Violation(`${name}: ${message}\n  data: ${home}${again}\n  all up to it: ${all}`, { cause: err });
  } finally {
    process.off('exit', clean);
  }
  clean();
}

/** A table of names and what is told about them. */
export const linesOf = (rows: readonly (readonly [name: string, value: string])[]): string =>
  rows.map(([name, value]) => `  ${name.padEnd(26)}${value}`).join('\n');
