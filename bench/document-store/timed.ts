import { inLanes } from '../lanes.js';
import { metered, type Sample } from '../meter.js';
import { pairedRatios, type Round } from '../rounds.js';
import { type Goal, type Row, row } from '../rows.js';
import { growth, quantile } from '../statistics.js';
import type { Store } from './store.js';

/** Work whose single calls were timed. */
export interface Timed extends Sample {
  /** milliseconds */
  readonly p50: number;
  readonly p95: number;
}

/** Calls `once` so many lanes wide, each lane the next when the last is answered, for that long and at least once. */
export async function timedFor(server: number, ms: number, once: () => Promise<unknown>, lanes = 1): Promise<Timed> {
  const latencies: number[] = [];
  const timed = async () => {
    const began = performance.now();
    await once();
    latencies.push(performance.now() - began);
  };
  const sample = await metered(server, () => inLanes(lanes, ms, () => timed));
  return { ...sample, p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95) };
}

/** The three sizes of the collection, smallest first. */
export type Stores = readonly [small: Store, medium: Store, large: Store];

/** An arm for each of the sizes. */
export function armOfSize(name: string, { documents }: Store): string {
  return `${name}, ${documents} documents`;
}

/** How a figure grows from the medium to the large collection, with a goal, and over all three sizes. */
export function growthRows<T>(
  rounds: readonly Round<string, T>[],
  arm: string,
  stores: Stores,
  { measure = arm, of, goal }: { measure?: string; of: (sample: T) => number; goal?: Goal },
): Row[] {
  const [, medium, large] = stores;
  const arms = stores.map((store) => armOfSize(arm, store));
  const ratios = pairedRatios(rounds, armOfSize(arm, large), armOfSize(arm, medium), of);
  const exponents = rounds.map((round) =>
    growth(stores.map(({ documents }, size) => [documents, of(round[arms[size] as string] as T)])),
  );
  const sizes = `${large.documents} documents / ${medium.documents}`;
  return [
    row(`${measure}, ${sizes}`, 'x', ratios, goal === undefined ? {} : { goal }),
    row(`${measure}, growth`, 'exponent', exponents),
  ];
}
