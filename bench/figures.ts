import type { Harness } from './harness.js';
import { metered, type Sample } from './meter.js';
import { interleave, type Round } from './rounds.js';
import { type Row, type RowExtras, row } from './rows.js';

/** One arm's samples, a round each. */
export function samplesOf<T>(rounds: readonly Round<string, T>[], arm: string): T[] {
  return rounds.map((round) => {
    const sample = round[arm];
    if (sample === undefined) throw new Error(`There is no arm ${arm}.`);
    return sample;
  });
}

/** A row of one arm. */
export function figure<T extends Sample>(
  rounds: readonly Round<string, T>[],
  arm: string,
  unit: string,
  of: (sample: T) => number,
  { measure = arm, ...extras }: RowExtras & { measure?: string } = {},
): Row {
  const samples = samplesOf(rounds, arm);
  return row(measure, unit, samples.map(of), { cpu: samples.map(({ cpu }) => cpu), ...extras });
}

/** The rate of each arm, for orientation. */
export function rates(rounds: readonly Round<string, Sample>[], arms: readonly string[], what: string): Row[] {
  return arms.map((arm) => figure(rounds, arm, '1/s', ({ perSecond }) => perSecond, { measure: `${what}, ${arm}` }));
}

/**
 * Runs arms that answer how many operations they did, in turn, and counts what they cost.
 *
 * @param part what is being compared, for those who wait
 * @param servers pids of the servers that work for the arms
 */
export function compared(
  harness: Pick<Harness, 'rounds' | 'progress'>,
  part: string,
  servers: readonly number[],
  arms: Readonly<Record<string, () => Promise<number>>>,
): Promise<Round<string, Sample>[]> {
  const measured = Object.entries(arms).map(([name, arm]) => [name, () => metered(servers, arm)] as const);
  return interleave<string, Sample>(Object.fromEntries(measured), {
    rounds: harness.rounds,
    onArm: (arm, round, of) => harness.progress(`${part}, round ${round} of ${of}: ${arm}`),
  });
}
