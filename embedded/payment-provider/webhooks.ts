import { createHmac } from 'node:crypto';
import { Agent, request } from 'undici';
import type { Logger } from '../../runtime/logger.js';
import type { Delivery, Ledger } from './ledger.js';
import { type EventCause, showEvent } from './objects.js';

export interface WebhookTarget {
  url: string;
  /** what `stripe.webhooks.constructEvent` is given as the endpoint's secret */
  secret: string;
}

export interface WebhookLimits {
  maxAttempts: number;
  firstBackoffMs: number;
  maxBackoffMs: number;
  /** an attempt that takes longer has failed */
  answerMs: number;
  /** how long `close` waits for attempts under way */
  drainMs: number;
  concurrency: number;
  /** events beyond this many undelivered ones are dropped, with a warning */
  maxPending: number;
}

export interface Webhooks {
  /** Makes the delivery of an event, to be stored with what caused it. */
  prepare(type: string, object: unknown, cause: EventCause): Delivery[];
  /** Delivers stored deliveries, now and until they are accepted or given up. */
  deliver(seqs: number[]): void;
  pending(): number;
  close(): Promise<void>;
}

export interface WebhookDeps {
  ledger: Ledger;
  log: Logger;
  clock: () => Date;
  newId: (prefix: string) => string;
  limits?: Partial<WebhookLimits>;
}

const defaults: WebhookLimits = {
  maxAttempts: 20,
  firstBackoffMs: 500,
  maxBackoffMs: 300_000,
  answerMs: 10_000,
  drainMs: 2_000,
  concurrency: 8,
  maxPending: 100_000,
};

/** `Stripe-Signature` for a payload sent at that time (seconds since 1970). */
export function signatureHeader(payload: string, secret: string, timestamp: number): string {
  const v1 = createHmac('sha256', secret).update(`${timestamp}.${payload}`).digest('hex');
  return `t=${timestamp},v1=${v1}`;
}

/**
 * Delivers events at least once, in no promised order, and goes on with what an earlier run left undelivered.
 * An attempt has failed unless it is answered with 2xx in time.
 */
export function startWebhooks(target: WebhookTarget, deps: WebhookDeps): Webhooks {
  const { ledger, log, clock, newId } = deps;
  const limits = { ...defaults, ...deps.limits };
  const agent = new Agent({ connections: limits.concurrency });
  const stopping = new AbortController();
  const underWay = new Set<Promise<void>>();
  // One queue per number of attempts: within a queue all wait equally long, so the first in is the first due.
  const queues = Array.from({ length: limits.maxAttempts }, () => new Map<number, number>());
  let timer: NodeJS.Timeout | undefined;
  let dropped = 0;
  let closing = false;

  const pending = () => queues.reduce((sum, queue) => sum + queue.size, underWay.size);

  const nextDue = () => {
    let first: { queue: Map<number, number>; seq: number; at: number } | undefined;
    for (const queue of queues) {
      const { value } = queue.entries().next();
      if (value !== undefined && (first === undefined || value[1] < first.at))
        first = { queue, seq: value[0], at: value[1] };
    }
    return first;
  };

  const pump = () => {
    clearTimeout(timer);
    while (!closing && underWay.size < limits.concurrency) {
      const next = nextDue();
      if (next === undefined) return;
      const waitMs = next.at - clock().getTime();
      if (waitMs > 0) {
        // Looked at again at least every minute: the clock may be set.
        timer = setTimeout(pump, Math.min(waitMs, 60_000));
        return;
      }
      next.queue.delete(next.seq);
      const work: Promise<void> = attempt(next.seq)
        .catch((err: unknown) => log.error('webhook could not be handled', { err, delivery: next.seq }))
        .finally(() => {
          underWay.delete(work);
          pump();
        });
      underWay.add(work);
    }
  };

  const attempt = async (seq: number): Promise<void> => {
    const delivery = ledger.delivery(seq);
    if (delivery === undefined) return;
    const failure = await post(delivery.payload);
    if (failure === undefined) return ledger.removeDelivery(seq);
    if (stopping.signal.aborted) return;
    const attempts = delivery.attempts + 1;
    const about = { event: delivery.id, type: delivery.type, attempts, failure };
    const queue = queues[attempts];
    if (queue === undefined) {
      log.error('webhook given up', about);
      return ledger.removeDelivery(seq);
    }
    const backoffMs = Math.min(limits.maxBackoffMs, limits.firstBackoffMs * 2 ** delivery.attempts);
    const at = clock().getTime() + backoffMs;
    log.warn('webhook not delivered', { ...about, retryInMs: backoffMs });
    await ledger.putDelivery(seq, { ...delivery, attempts, at });
    queue.set(seq, at);
  };

  const post = async (payload: string): Promise<string | undefined> => {
    const timestamp = Math.floor(clock().getTime() / 1000);
    try {
      const { statusCode, body } = await request(target.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'stripe-signature': signatureHeader(payload, target.secret, timestamp),
        },
        body: payload,
        dispatcher: agent,
        signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(limits.answerMs)]),
      });
      await body.dump();
      return statusCode >= 200 && statusCode < 300 ? undefined : `status ${statusCode}`;
    } catch (err) {
      return err instanceof Error ? err.message : String(err);
    }
  };

  const left = ledger.deliveries().toSorted((a, b) => a.delivery.at - b.delivery.at);
  for (const { seq, delivery } of left)
    queues[Math.min(delivery.attempts, limits.maxAttempts - 1)]?.set(seq, delivery.at);
  pump();

  return {
    prepare(type, object, cause) {
      if (pending() >= limits.maxPending) {
        if (dropped === 0) log.error('too many webhooks wait, dropping new ones', { maxPending: limits.maxPending });
        dropped += 1;
        return [];
      }
      if (dropped > 0) log.warn('webhooks are taken again', { dropped });
      dropped = 0;
      const now = clock();
      const event = showEvent(newId('evt'), Math.floor(now.getTime() / 1000), type, object, cause);
      return [{ id: event.id, type, payload: JSON.stringify(event), attempts: 0, at: now.getTime() }];
    },
    deliver(seqs) {
      if (seqs.length === 0) return;
      const now = clock().getTime();
      for (const seq of seqs) queues[0]?.set(seq, now);
      pump();
    },
    pending,
    async close() {
      closing = true;
      clearTimeout(timer);
      // What is being answered just now would be delivered twice if it were cut off.
      const limit = setTimeout(() => stopping.abort(), limits.drainMs);
      await Promise.all(underWay);
      clearTimeout(limit);
      await agent.destroy();
    },
  };
}
