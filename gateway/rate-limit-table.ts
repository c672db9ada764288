import { z } from 'zod';

/** So many requests in so many seconds. */
export interface Tier {
  readonly points: number;
  readonly seconds: number;
  /** `points` come on top of what the longest tier gives in this time, instead of being all there is. */
  readonly burst?: boolean | undefined;
}

export const limitNames = ['default', 'users', 'products', 'payments', 'webhooks', 'importer', 'log-in'] as const;
export type LimitName = (typeof limitNames)[number];

/** The tiers of each limit; a request passes when every tier of its limit has room. No tier: no limit. */
export type LimitTable = Readonly<Record<LimitName, readonly Tier[]>>;

const perSecond: Tier = { points: 10, seconds: 1, burst: true };
const perTenSeconds: Tier = { points: 100, seconds: 10, burst: true };

export const defaultLimits: LimitTable = {
  default: [perSecond, perTenSeconds, { points: 1_000, seconds: 60 }],
  users: [perSecond, { points: 100, seconds: 60 }],
  products: [perSecond, perTenSeconds, { points: 1_000, seconds: 60 }],
  payments: [{ points: 10, seconds: 60 }],
  webhooks: [
    { points: 2_000, seconds: 1 },
    { points: 60_000, seconds: 60 },
  ],
  importer: [
    { points: 4_000, seconds: 1 },
    { points: 180_000, seconds: 60 },
  ],
  'log-in': [
    { points: 10, seconds: 60 },
    { points: 60, seconds: 3_600 },
  ],
};

/** A tier as it is counted. */
export interface CountedTier {
  readonly points: number;
  readonly seconds: number;
}

/** Tiers with their bursts worked out, the shortest first. */
export function countedTiers(tiers: readonly Tier[]): readonly CountedTier[] {
  const sorted = [...tiers].sort((a, b) => a.seconds - b.seconds);
  const longest = sorted.at(-1);
  return sorted.map(({ points, seconds, burst }) => ({
    seconds,
    points:
      burst === true && longest !== undefined
        ? points + Math.ceil((longest.points * seconds) / longest.seconds)
        : points,
  }));
}

/**
 * Tiers that can never be the one that refuses: a shorter one lets too little through for it to fill, or a longer one
 * fills first.
 */
export function unreachableTiers(tiers: readonly Tier[]): readonly CountedTier[] {
  const counted = countedTiers(tiers);
  return counted.filter((tier) =>
    counted.some((other) => {
      if (other === tier) return false;
      if (other.seconds >= tier.seconds) return other.points <= tier.points;
      return (other.points * tier.seconds) / other.seconds <= tier.points;
    }),
  );
}

const tier = z.strictObject({
  points: z.int().min(1).max(10_000_000),
  seconds: z.int().min(1).max(86_400),
  burst: z.boolean().optional(),
});

const tiers = z
  .array(tier)
  .max(5)
  .superRefine((list, context) => {
    const longest = [...list].sort((a, b) => b.seconds - a.seconds)[0];
    if (longest?.burst === true) context.addIssue({ code: 'custom', message: 'the longest tier cannot be a burst' });
    for (const { points, seconds } of unreachableTiers(list)) {
      context.addIssue({ code: 'custom', message: `${points} in ${seconds} s can never be reached beside the others` });
    }
  });

const changes = z.partialRecord(z.enum(limitNames), tiers);

/** `RATE_LIMITS`: JSON with the tiers of those limits that shall differ from {@link defaultLimits}. */
export const limitTable = z
  .string()
  .default('{}')
  .transform((text, context): LimitTable => {
    try {
      const parsed = changes.safeParse(JSON.parse(text));
      if (parsed.success) return { ...defaultLimits, ...parsed.data };
      for (const issue of parsed.error.issues) {
        context.addIssue({ code: 'custom', message: `${issue.path.join('.')}: ${issue.message}` });
      }
    } catch {
      context.addIssue({ code: 'custom', message: 'must be JSON' });
    }
    return z.NEVER;
  });
