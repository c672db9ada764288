import type { Response } from 'express';
import { request } from 'undici';
import { z } from 'zod';
import { type Checked, type Envelope, overallStatus } from '../runtime/http/app.js';

const largestAnswer = 65_536;

export interface Health {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  readonly checks: Readonly<Record<string, Checked>>;
  /** What projections tells of each read model, where it answers. */
  readonly projections?: unknown;
}

export interface HealthOptions {
  /** Service name -> base URL */
  readonly services: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Answers are kept for this long: the route is open, and must not multiply what anybody asks. */
  readonly maxAgeMs?: number;
}

const told = z.object({
  status: z.enum(['healthy', 'degraded', 'unhealthy']),
  projections: z.array(z.record(z.string(), z.unknown())).max(100).optional(),
});

/** What every service says of its own health. */
export function createHealthCheck(options: HealthOptions): () => Promise<Health> {
  const { services, timeoutMs = 2_000, maxAgeMs = 1_000 } = options;
  let kept: { at: number; health: Promise<Health> } | undefined;

  const ask = async (url: string): Promise<{ checked: Checked; projections?: unknown }> => {
    try {
      const { statusCode, body } = await request(new URL('/health', url), { signal: AbortSignal.timeout(timeoutMs) });
      const text = await limited(body);
      const said = told.safeParse(text === undefined ? undefined : JSON.parse(text)).data;
      const checked = statusCode !== 200 ? 'failed' : said?.status === 'degraded' ? 'degraded' : 'ok';
      return { checked, projections: said?.projections };
    } catch {
      return { checked: 'failed' };
    }
  };

  const askAll = async (): Promise<Health> => {
    const asked = Object.entries(services).map(async ([name, url]) => [name, await ask(url)] as const);
    const results = await Promise.all(asked);
    const checks = Object.fromEntries(results.map(([name, { checked }]) => [name, checked]));
    const status = overallStatus(checks);
    const projections = results.find(([, answer]) => answer.projections !== undefined)?.[1].projections;
    return { status, checks, ...(projections === undefined ? {} : { projections }) };
  };

  return () => {
    if (kept === undefined || Date.now() - kept.at > maxAgeMs) kept = { at: Date.now(), health: askAll() };
    return kept.health;
  };
}

async function limited(body: AsyncIterable<Buffer>): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > largestAnswer) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

/** The overall health: 503 where a service fails, else 200; the checks either way. */
export function answerHealth(res: Response, { status, ...rest }: Health, version: string): void {
  const timestamp = new Date().toISOString();
  const works = status !== 'unhealthy';
  const body: Envelope = {
    success: works,
    data: { status, timestamp, service: 'gateway', version, ...rest },
    ...(works ? {} : { error: 'A service is not healthy.', code: 'unhealthy' }),
    statusCode: works ? 200 : 503,
    timestamp,
    requestId: String(res.locals['requestId']),
  };
  res.status(body.statusCode).setHeader('Cache-Control', 'no-store').json(body);
}
