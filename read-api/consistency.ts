import type { Request, Response } from 'express';
import { z } from 'zod';
import { type ReadModel, readModelId } from '../runtime/document-store/read-model.js';
import { HttpError } from '../runtime/http/http-error.js';
import type { CheckpointWatcher } from './checkpoint-watcher.js';

// The gateway gives a read five seconds: a wait must leave it time for the answer.
const defaultWaitMs = 3_000;
const longestWaitMs = 4_000;
const largestPosition = 2n ** 63n - 1n;

const headers = z.object({
  'x-consistency-token': z
    .string()
    .regex(/^\d{1,19}$/, 'must be the decimal text that a command answered with')
    .transform(BigInt)
    .refine((position) => position <= largestPosition, 'is larger than any position')
    .optional(),
  'x-consistency-wait': z
    .string()
    .regex(/^\d{1,5}$/, 'must be milliseconds')
    .transform(Number)
    .refine((wait) => wait <= longestWaitMs, `must be at most ${longestWaitMs}`)
    .default(defaultWaitMs),
  'x-allow-stale': z.enum(['true', 'false']).default('false'),
});

/** Waits, where the request asks for it, until a route's read models hold what the caller wrote. */
export type AwaitConsistency = (req: Request, res: Response) => Promise<void>;

/**
 * Read your own writes: a request with `X-Consistency-Token` waits until the read models its route reads have reached
 * that position, at most `X-Consistency-Wait` milliseconds (3,000 unless sent, up to 4,000). After that it is answered
 * 504 `consistency-timeout`, or with `X-Allow-Stale: true` from what is there, marked `X-Stale: true`.
 *
 * To be awaited after the caller and the query have been checked, so that nobody waits for a refusal.
 */
export function consistencyOf(watcher: CheckpointWatcher, ...models: readonly ReadModel[]): AwaitConsistency {
  const ids = models.map(readModelId);
  return async (req, res) => {
    const sent = headers.parse(req.headers);
    const position = sent['x-consistency-token'];
    if (position === undefined) return;
    const gone = new AbortController();
    const giveUp = () => gone.abort();
    res.once('close', giveUp);
    const reached = await watcher.reached(ids, position, sent['x-consistency-wait'], gone.signal);
    res.off('close', giveUp);
    if (reached) return;
    if (sent['x-allow-stale'] !== 'true') {
      throw new HttpError(504, 'consistency-timeout', 'The read side has not caught up with that write in time.');
    }
    res.setHeader('X-Stale', 'true');
  };
}
