import type { Response } from 'express';
import { request } from 'undici';
import type { Envelope } from '../runtime/http/app.js';

export interface Health {
  readonly healthy: boolean;
  readonly checks: Readonly<Record<string, 'ok' | 'failed'>>;
}

export interface HealthOptions {
  /** Service name -> base URL */
  readonly services: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Answers are kept for this long: the route is open, and must not multiply what anybody asks. */
  readonly maxAgeMs?: number;
}

/** Whether every service says of itself that it is healthy. */
export function createHealthCheck(options: HealthOptions): () => Promise<Health> {
  const { services, timeoutMs = 2_000, maxAgeMs = 1_000 } = options;
  let kept: { at: number; health: Promise<Health> } | undefined;

  const works = async (url: string): Promise<boolean> => {
    try {
      const { statusCode, body } = await request(new URL('/health', url), { signal: AbortSignal.timeout(timeoutMs) });
      await body.dump({ limit: 65_536 });
      return statusCode === 200;
    } catch {
      return false;
    }
  };

  const askAll = async (): Promise<Health> => {
    const asked = Object.entries(services).map(
      async ([name, url]) => [name, (await works(url)) ? 'ok' : 'failed'] as const,
    );
    const results = await Promise.all(asked);
    return { healthy: results.every(([, result]) => result === 'ok'), checks: Object.fromEntries(results) };
  };

  return () => {
    if (kept === undefined || Date.now() - kept.at > maxAgeMs) kept = { at: Date.now(), health: askAll() };
    return kept.health;
  };
}

/** The overall health: 200 or 503, the checks either way. */
export function answerHealth(res: Response, { healthy, checks }: Health, version: string): void {
  const timestamp = new Date().toISOString();
  const status = healthy ? 'healthy' : 'unhealthy';
  const body: Envelope = {
    success: healthy,
    data: { status, timestamp, service: 'gateway', version, checks },
    ...(healthy ? {} : { error: 'A service is not healthy.', code: 'unhealthy' }),
    statusCode: healthy ? 200 : 503,
    timestamp,
    requestId: String(res.locals['requestId']),
  };
  res.status(body.statusCode).setHeader('Cache-Control', 'no-store').json(body);
}
