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

/**
 * The power of the size that a figure grows with: 0 when it stays the same, 1 when ten times the size gives ten times
 * the figure. It is the slope of a straight line through the logarithms, by least squares.
 *
 * @param figures pairs of a size and its figure, all above 0 and of two sizes at least
 * @throws RangeError when there is no such line
 */
export function growth(figures: readonly (readonly [size: number, figure: number])[]): number {
  const logs = figures.map(([size, figure]) => [Math.log(size), Math.log(figure)] as const);
  const mean = (at: 0 | 1) => logs.reduce((sum, pair) => sum + pair[at], 0) / logs.length;
  const [sizes, values] = [mean(0), mean(1)];
  const slope =
    logs.reduce((sum, [size, value]) => sum + (size - sizes) * (value - values), 0) /
    logs.reduce((sum, [size]) => sum + (size - sizes) ** 2, 0);
  if (!Number.isFinite(slope)) throw new RangeError(`These figures have no growth: ${figures.join('; ')}.`);
  return slope;
}
