import type { Response } from 'express';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { HttpError } from '../runtime/http/http-error.js';
import { countedTiers, type LimitName, type LimitTable, limitNames } from './rate-limit-table.js';

/** Where a caller stands in the tier that is nearest to refusing. */
export interface Allowance {
  readonly allowed: boolean;
  readonly points: number;
  readonly remaining: number;
  /** Until the tier's time is over. */
  readonly resetMs: number;
  /** `RateLimit-Policy`: every tier as `<points>;w=<seconds>` */
  readonly policy: string;
}

export interface RateLimiter {
  /**
   * Counts one request against every tier of a limit. Does not fail: without Redis this process counts for itself.
   *
   * @param key whose: a user, an address
   * @returns undefined where the limit has no tier
   */
  take(limit: LimitName, key: string): Promise<Allowance | undefined>;
  /** Forgets what has been counted. */
  clear(limit: LimitName, key: string): Promise<void>;
}

export interface RateLimiterDeps {
  /** Shared by all gateways; undefined: this process counts for itself. */
  readonly redis: Redis | undefined;
  readonly table: LimitTable;
  readonly clock?: () => number;
}

interface TierCounter {
  readonly points: number;
  readonly shared: RateLimiterRedis | undefined;
  readonly own: RateLimiterMemory;
}

interface Limit {
  readonly policy: string;
  readonly counters: readonly TierCounter[];
}

interface Asked {
  readonly limit: Limit;
  readonly key: string;
}

interface TierState {
  readonly points: number;
  /** Below zero where this request was one too many. */
  readonly left: number;
  readonly resetMs: number;
  giveBack(): void;
}

/** What is known of a caller: the last answer, and what has come since. */
interface Standing {
  tiers: readonly { readonly points: number; readonly left: number; readonly until: number }[];
  /** Requests that are being counted. */
  underWay: number;
  /** Requests that went ahead and will be counted together when those are. */
  uncounted: number;
}

/** Below this share of a tier a request waits for its count; above it goes ahead, and is counted meanwhile. */
const roomyShare = 0.25;
const mostStandings = 50_000;
/** After a failure Redis is left alone for so long: one that hangs would make every request wait for its time-out. */
const restMs = 1_000;
const mostRefused = 50_000;

export function createRateLimiter({ redis, table, clock = Date.now }: RateLimiterDeps): RateLimiter {
  let restsUntil = 0;
  const refused = new LRUCache<string, { allowance: Allowance; until: number }>({ max: mostRefused });
  const standings = new LRUCache<string, Standing>({ max: mostStandings });

  const limits = new Map(
    limitNames.map((name): [LimitName, Limit] => {
      const tiers = countedTiers(table[name]);
      const policy = tiers.map(({ points, seconds }) => `${points};w=${seconds}`).join(', ');
      const counters = tiers.map(({ points, seconds }): TierCounter => {
        const options = { points, duration: seconds, keyPrefix: `rate:${name}:${seconds}` };
        return {
          points,
          own: new RateLimiterMemory(options),
          shared:
            redis === undefined
              ? undefined
              : new RateLimiterRedis({ ...options, storeClient: redis, rejectIfRedisNotReady: true }),
        };
      });
      return [name, { policy, counters }];
    }),
  );

  const count = async ({ points, shared, own }: TierCounter, key: string, times: number): Promise<TierState> => {
    const asked = shared !== undefined && clock() >= restsUntil ? shared : own;
    const state = (by: TierCounter['own'] | RateLimiterRedis, { consumedPoints, msBeforeNext }: RateLimiterRes) => ({
      points,
      left: points - consumedPoints,
      resetMs: Math.max(1, msBeforeNext),
      giveBack: () => void by.reward(key, times).catch(() => undefined),
    });
    try {
      return state(asked, await asked.consume(key, times));
    } catch (answer) {
      if (answer instanceof RateLimiterRes) return state(asked, answer);
      restsUntil = clock() + restMs;
      return state(own, await own.consume(key, times).catch((refusal: RateLimiterRes) => refusal));
    }
  };

  const countAll = async (id: string, standing: Standing, asked: Asked, times: number): Promise<Allowance> => {
    const { limit, key } = asked;
    standing.underWay += times;
    const states = await Promise.all(limit.counters.map((counter) => count(counter, key, times)));
    standing.underWay -= times;
    const now = clock();
    standing.tiers = states.map(({ points, left, resetMs }) => ({ points, left, until: now + resetMs }));
    const over = states.filter(({ left }) => left < 0).sort((a, b) => b.resetMs - a.resetMs)[0];
    const { points, left, resetMs } = over ?? states.reduce((a, b) => (b.left < a.left ? b : a));
    const allowance = { allowed: left >= 0, points, remaining: Math.max(0, left), resetMs, policy: limit.policy };
    if (over !== undefined) {
      // A request that is refused for one tier must not fill the others: a minute's worth could be gone in one burst.
      for (const state of states) if (state.left >= 0) state.giveBack();
      refused.set(id, { allowance, until: now + resetMs });
    }
    if (standing.underWay === 0) countRest(id, standing, asked);
    return allowance;
  };

  const countRest = (id: string, standing: Standing, asked: Asked): void => {
    const times = standing.uncounted;
    if (times === 0) return;
    standing.uncounted = 0;
    void countAll(id, standing, asked, times);
  };

  /** Where there is plenty of room by what is known: an answer without waiting. */
  const ahead = ({ tiers, underWay, uncounted }: Standing, policy: string): Allowance | undefined => {
    if (tiers.length === 0) return undefined;
    const now = clock();
    const expected = tiers.map(({ points, left, until }) => ({
      points,
      remaining: left - underWay - uncounted - 1,
      until,
    }));
    if (expected.some(({ points, remaining, until }) => now >= until || remaining < points * roomyShare)) {
      return undefined;
    }
    const nearest = expected.reduce((a, b) => (b.remaining < a.remaining ? b : a));
    const { points, remaining, until } = nearest;
    return { allowed: true, points, remaining, resetMs: until - now, policy };
  };

  return {
    async take(name, key) {
      const limit = limits.get(name);
      if (limit === undefined || limit.counters.length === 0) return undefined;
      const id = `${name} ${key}`;
      const known = refused.get(id);
      const now = clock();
      // Who keeps on asking costs Redis nothing, and does not lengthen the time it has to wait.
      if (known !== undefined && now < known.until) return { ...known.allowance, resetMs: known.until - now };
      const standing = standings.get(id) ?? { tiers: [], underWay: 0, uncounted: 0 };
      standings.set(id, standing);
      const asked = { limit, key };
      const early = ahead(standing, limit.policy);
      if (early !== undefined && standing.underWay > 0) {
        standing.uncounted += 1;
        return early;
      }
      // What went ahead is counted before what has to wait.
      countRest(id, standing, asked);
      const counted = countAll(id, standing, asked, 1);
      return early ?? counted;
    },
    async clear(limit, key) {
      refused.delete(`${limit} ${key}`);
      standings.delete(`${limit} ${key}`);
      const { counters } = limits.get(limit) ?? { counters: [] };
      await Promise.all(
        counters.map(async ({ shared, own }) => {
          await own.delete(key);
          if (clock() >= restsUntil) await shared?.delete(key).catch(() => false);
        }),
      );
    },
  };
}

const secondsOf = (ms: number) => String(Math.ceil(ms / 1_000));

/** The refusal of a caller who has used up what it may ask. */
export function rateLimited({ points, policy, resetMs }: Allowance): HttpError {
  return new HttpError(429, 'rate-limited', 'Too many requests. Wait for Retry-After seconds.', undefined, {
    'RateLimit-Limit': String(points),
    'RateLimit-Remaining': '0',
    'RateLimit-Reset': secondsOf(resetMs),
    'RateLimit-Policy': policy,
    'Retry-After': secondsOf(resetMs),
  });
}

/**
 * Tells the client where it stands.
 *
 * @throws HttpError 429 `rate-limited` with `Retry-After`
 */
export function answerAllowance(res: Response, allowance: Allowance | undefined): void {
  if (allowance === undefined) return;
  if (!allowance.allowed) throw rateLimited(allowance);
  res.setHeader('RateLimit-Limit', allowance.points);
  res.setHeader('RateLimit-Remaining', allowance.remaining);
  res.setHeader('RateLimit-Reset', secondsOf(allowance.resetMs));
  res.setHeader('RateLimit-Policy', allowance.policy);
}
