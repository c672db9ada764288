/** Where the middle of a set of samples lies and how far it spreads. */
export interface Spread {
  readonly median: number;
  /** quartiles */
  readonly lower: number;
  readonly upper: number;
}

/**
 * The value below which a share of the samples lies, between two of them by straight interpolation.
 *
 * @param share 0 is the smallest sample, 0.5 the median, 1 the largest
 * @throws RangeError when there is no sample, or one is not finite
 */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.ceil(at)];
  if (below === undefined || above === undefined || !sorted.every(Number.isFinite)) {
    throw new RangeError(`These samples have no quantile: ${samples.join(', ') || 'none'}.`);
  }
  return below + (above - below) * (at - Math.floor(at));
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

export function spreadOf(samples: readonly number[]): Spread {
  return { median: median(samples), lower: quantile(samples, 0.25), upper: quantile(samples, 0.75) };
}
