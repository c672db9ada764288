import { createHmac } from 'node:crypto';
import { Agent, request } from 'undici';
import type { Logger } from '../../runtime/logger.js';
import { startDueWork } from './due-work.js';
import type { Ledger } from './ledger.js';
import { type EventCause, showEvent } from './objects.js';
import { type News, seconds } from './operation.js';
import type { Delivery, NewDelivery, ToDo } from './stored.js';

export interface WebhookTarget {
  url: string;
  /** what `stripe.webhooks.constructEvent` is given as the endpoint's secret */
  secret: string;
}

export interface WebhookLimits {
  /** how long after its cause an event is first sent, unless a behaviour says so */
  firstWaitMs: number;
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
  prepare(news: News, cause: EventCause): NewDelivery[];
  /** Delivers stored deliveries, when they are due and until they are accepted or given up. */
  deliver(stored: ToDo['deliveries']): void;
  /** Resolves when each of these was sent, whatever was answered; at the latest when the webhooks end. */
  attempted(stored: ToDo['deliveries']): Promise<void>;
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
  firstWaitMs: 0,
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
 * Delivers events at least once, in no promised order but for those that are to follow another one, and goes on with what
 * an earlier run left undelivered. An attempt has failed unless it is answered with 2xx in time.
 */
export function startWebhooks(target: WebhookTarget, deps: WebhookDeps): Webhooks {
  const { ledger, log, clock, newId } = deps;
  const limits = { ...defaults, ...deps.limits };
  const agent = new Agent({ connections: limits.concurrency });
  const stopping = new AbortController();
  /** those that follow a delivery that is not gone yet, by its number */
  const followers = new Map<number, number[]>();
  const watchers = new Map<number, () => void>();
  let dropped = 0;

  const begin = (seq: number, { at, behind }: Delivery) => {
    if (behind === undefined || ledger.delivery(behind) === undefined) return due.add(seq, at);
    const queue = followers.get(behind);
    if (queue === undefined) followers.set(behind, [seq]);
    else queue.push(seq);
  };

  const gone = async (seq: number): Promise<void> => {
    await ledger.removeDelivery(seq);
    for (const follower of followers.get(seq) ?? []) due.add(follower, clock().getTime());
    followers.delete(seq);
  };

  const attempt = async (seq: number): Promise<void> => {
    const delivery = ledger.delivery(seq);
    if (delivery === undefined) return;
    const failure = await post(delivery.payload);
    if (failure === undefined) {
      const { copies = 0 } = delivery;
      if (copies === 0) return gone(seq);
      const again = { ...delivery, attempts: 0, copies: copies - 1, at: clock().getTime() };
      await ledger.putDelivery(seq, again);
      return due.add(seq, again.at);
    }
    if (stopping.signal.aborted) return;
    const attempts = delivery.attempts + 1;
    const about = { event: delivery.id, type: delivery.type, attempts, failure };
    if (attempts >= limits.maxAttempts) {
      log.error('webhook given up', about);
      return gone(seq);
    }
    const backoffMs = Math.min(limits.maxBackoffMs, limits.firstBackoffMs * 2 ** delivery.attempts);
    const at = clock().getTime() + backoffMs;
    log.warn('webhook not delivered', { ...about, retryInMs: backoffMs });
    await ledger.putDelivery(seq, { ...delivery, attempts, at });
    due.add(seq, at);
  };

  const post = async (payload: string): Promise<string | undefined> => {
    const timestamp = seconds(clock());
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

  const due = startDueWork({
    clock,
    concurrency: limits.concurrency,
    async work(seq) {
      try {
        await attempt(seq);
      } finally {
        watchers.get(seq)?.();
      }
    },
    onFault: (err, seq) => log.error('webhook could not be handled', { err, delivery: seq }),
  });
  for (const { seq, delivery } of ledger.deliveries()) begin(seq, delivery);

  return {
    prepare({ type, object, ageSeconds = 0, copies, afterPrevious, heldFor, ...news }, cause) {
      if (due.size() >= limits.maxPending) {
        if (dropped === 0) log.error('too many webhooks wait, dropping new ones', { maxPending: limits.maxPending });
        dropped += 1;
        return [];
      }
      if (dropped > 0) log.warn('webhooks are taken again', { dropped });
      dropped = 0;
      const now = clock();
      const event = showEvent(newId('evt'), seconds(now) - ageSeconds, type, object, cause);
      const { waitMs = heldFor === undefined ? limits.firstWaitMs : 0 } = news;
      const at = now.getTime() + waitMs;
      const order = { afterPrevious, heldFor, ...(copies === undefined ? {} : { copies }) };
      return [{ id: event.id, type, payload: JSON.stringify(event), attempts: 0, at, ...order }];
    },
    deliver(stored) {
      for (const { seq, delivery } of stored) begin(seq, delivery);
    },
    async attempted(stored) {
      await Promise.all(
        stored.map(async ({ seq }) => {
          if (stopping.signal.aborted) return;
          await new Promise<void>((resolve) => watchers.set(seq, resolve));
          watchers.delete(seq);
        }),
      );
    },
    async close() {
      // What is being answered just now would be delivered twice if it were cut off.
      const limit = setTimeout(() => stopping.abort(), limits.drainMs);
      await due.close();
      clearTimeout(limit);
      stopping.abort();
      for (const resolve of watchers.values()) resolve();
      await agent.destroy();
    },
  };
}
