import { Redis } from 'ioredis';
import type { Logger } from '../runtime/logger.js';

const answerLimitMs = 250;

/**
 * A connection for counters: what Redis does not take at once is counted elsewhere, so nothing is queued while it is
 * away. It comes back by itself; an outage is said once, and its end.
 *
 * @param url `redis://…`
 */
export function openLimitRedis(url: string, log: Logger): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    maxRetriesPerRequest: 0,
    commandTimeout: answerLimitMs,
    connectTimeout: 2_000,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2_000),
  });
  let away = false;
  redis.on('error', (err) => {
    if (away) return;
    away = true;
    log.warn('rate limits are counted by this process alone: Redis cannot be reached', { because: codeOf(err) });
  });
  redis.on('ready', () => {
    if (away) log.info('rate limits are shared again: Redis is back');
    away = false;
  });
  return redis;
}

function codeOf(error: unknown): string {
  if (error instanceof Error) return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return 'unknown';
}
