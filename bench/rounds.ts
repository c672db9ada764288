/** What the arms of one round gave, all within seconds of each other. */
export type Round<Arm extends string, T> = Readonly<Record<Arm, T>>;

export interface RoundOptions {
  /** how many rounds are kept */
  readonly rounds: number;
  /** how many are run before, for warm caches and compiled code, and thrown away; 1 unless told otherwise */
  readonly dropped?: number;
  /** called before each arm; `round` counts from 1, the dropped ones included */
  readonly onArm?: (arm: string, round: number, of: number) => void;
}

/**
 * Runs every arm once a round, in the order given: A B A B. What slows the machine down for a while then slows both
 * arms of a pair, and their ratio stays what it was.
 *
 * @param arms each is handed the number of its round, from 1, the dropped ones included
 * @returns the kept rounds; the first fault of an arm is thrown
 */
export async function interleave<Arm extends string, T>(
  arms: Readonly<Record<Arm, (round: number) => Promise<T>>>,
  { rounds, dropped = 1, onArm = () => {} }: RoundOptions,
): Promise<Round<Arm, T>[]> {
  const names = Object.keys(arms) as Arm[];
  const all: Round<Arm, T>[] = [];
  for (let round = 1; round <= dropped + rounds; round += 1) {
    const results: Partial<Record<Arm, T>> = {};
    for (const name of names) {
      onArm(name, round, dropped + rounds);
      results[name] = await arms[name](round);
    }
    all.push(results as Round<Arm, T>);
  }
  return all.slice(dropped);
}

/** What each round says of `over` against `under`: samples of one round are only ever compared with each other. */
export function pairedRatios<Arm extends string, T>(
  rounds: readonly Round<Arm, T>[],
  over: Arm,
  under: Arm,
  figure: (sample: T) => number,
): number[] {
  return rounds.map((round) => figure(round[over]) / figure(round[under]));
}
