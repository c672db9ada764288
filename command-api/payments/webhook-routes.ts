import express, { Router } from 'express';
import Stripe from 'stripe';
import { z } from 'zod';
import { DomainError } from '../../domain/core/domain-error.js';
import { uuid } from '../../domain/core/ids.js';
import { type PaymentCommand, paymentDecider } from '../../domain/payment/payment.js';
import { transactionId } from '../../domain/payment/payment-events.js';
import { answer } from '../../runtime/http/app.js';
import { HttpError } from '../../runtime/http/http-error.js';
import { deriveId } from '../../runtime/ids.js';
import type { Logger } from '../../runtime/logger.js';
import { paymentAggregate, webhookClaimAggregate } from '../aggregates.js';
import type { CommandHandler } from '../handle-command.js';
import { isRetryable } from './declines.js';

export interface WebhookDeps {
  readonly commands: CommandHandler;
  readonly webhookSecret: string;
  readonly clock: () => Date;
  readonly log: Logger;
  /** How long the process manager has to append an outcome itself before a webhook does. */
  readonly webhookGraceMs?: number;
}

const intent = z.object({
  id: z.string(),
  amount: z.int(),
  metadata: z.object({ order_id: uuid, payment_id: uuid, attempt: z.coerce.number().int().min(1).default(1) }),
  last_payment_error: z.object({ decline_code: z.string().nullish(), code: z.string().nullish() }).nullish(),
});

const webhookId = z.string().min(1).max(255);

const webhookAgeSeconds = 300;

/**
 * The provider's word on a payment, signed over the raw body. The process manager hears the same from its own call and
 * appends it: while it may be about to, the provider is asked to tell us later. What it does not await, such as a success
 * after the payment was given up, is recorded at once.
 */
export function webhookRoutes(deps: WebhookDeps): Router {
  const { commands, webhookSecret, clock, log, webhookGraceMs: graceMs = 30_000 } = deps;
  const router = Router();
  const raw = express.raw({ type: () => true, limit: 1_000_000, inflate: false });

  /** Claims a webhook's id for what it says, before that is recorded; a repeat of the same finds its own claim. */
  const isFirstSaid = async (
    id: string,
    news: { payment_id: string; order_id: string; says: 'success' | 'failure' },
  ): Promise<boolean> => {
    const command = {
      type: 'ClaimWebhook' as const,
      data: { provider: 'stripe', webhook_id: id, ...news },
      metadata: { now: clock().toISOString() },
    };
    const commandId = deriveId('webhook claim', id, news.payment_id, news.says);
    const context = { commandId, correlationId: news.order_id, creates: true };
    try {
      await commands.handle(webhookClaimAggregate, deriveId('webhook', id), command, context);
      return true;
    } catch (error) {
      if (error instanceof DomainError && error.code === 'webhook-id-used') return false;
      throw error;
    }
  };

  router.post('/payments/webhooks/stripe', raw, async (req, res) => {
    const body: unknown = req.body;
    let event: Stripe.Event;
    try {
      const signature = req.get('stripe-signature') ?? '';
      const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
      event = Stripe.webhooks.constructEvent(bytes, signature, webhookSecret, webhookAgeSeconds);
    } catch {
      throw new HttpError(400, 'webhook-signature-invalid', 'The signature does not fit the body.');
    }
    const known = ['payment_intent.succeeded', 'payment_intent.payment_failed'];
    if (!known.includes(event?.type) || typeof event.data?.object !== 'object') {
      answer(res, 200, { received: true });
      return;
    }
    const parsed = intent.safeParse(event.data.object);
    if (!parsed.success || !webhookId.safeParse(event.id).success) {
      log.warn('webhook about a payment that is not ours', { type: event.type });
      answer(res, 200, { received: true });
      return;
    }
    const { id, amount, metadata, last_payment_error } = parsed.data;
    const { order_id, payment_id, attempt } = metadata;
    const { state } = await commands.load(paymentAggregate, payment_id, true);
    const { facts, status } = state;
    const succeeded = event.type === 'payment_intent.succeeded';
    const isOurs = facts !== undefined && facts.order_id === order_id && attempt <= state.attempt;
    if (!isOurs || (succeeded && facts.amount !== amount)) {
      log.error('webhook that fits no payment of ours', { paymentId: payment_id, orderId: order_id });
      answer(res, 200, { received: true });
      return;
    }
    const taken = state.captures[attempt];
    if (taken !== undefined || (status === 'captured' && !succeeded)) {
      if (succeeded && taken !== id) {
        log.error('the provider took money twice for one payment', { paymentId: payment_id, orderId: order_id });
      }
      answer(res, 200, { received: true });
      return;
    }
    const now = clock();
    if (status === 'open' && attempt === state.attempt && !(now.getTime() - event.created * 1000 >= graceMs)) {
      const wait = { 'Retry-After': String(Math.ceil(graceMs / 1000)) };
      throw new HttpError(
        503,
        'payment-being-settled',
        'The payment is being settled; tell us again.',
        undefined,
        wait,
      );
    }
    const metadataNow = { now: now.toISOString() };
    const ref = { payment_id, order_id, attempt };
    const transaction_id = transactionId(facts.order_number, attempt);
    const how = { transaction_id, payment_method: 'card', provider: 'stripe', provider_transaction_id: id };
    const reason = (last_payment_error?.decline_code ?? last_payment_error?.code ?? 'card_declined').slice(0, 200);
    const command: PaymentCommand = succeeded
      ? { type: 'RecordPaymentSuccess', data: { ...ref, amount, ...how }, metadata: metadataNow }
      : {
          type: 'RecordPaymentFailure',
          data: { ...ref, reason, retryable: isRetryable(reason) },
          metadata: metadataNow,
        };
    // What the process manager has recorded already needs no claim: nothing follows of it.
    if (paymentDecider.decide(command, state).length === 0) {
      answer(res, 200, { received: true });
      return;
    }
    if (!(await isFirstSaid(event.id, { payment_id, order_id, says: succeeded ? 'success' : 'failure' }))) {
      log.error('a webhook under an id that was used', {
        webhookId: event.id,
        paymentId: payment_id,
        orderId: order_id,
      });
      answer(res, 200, { received: true });
      return;
    }
    const commandId = deriveId('webhook', event.id);
    await commands.handle(paymentAggregate, payment_id, command, { commandId, correlationId: order_id });
    answer(res, 200, { received: true });
  });
  return router;
}
