import express, { Router } from 'express';
import Stripe from 'stripe';
import { z } from 'zod';
import { uuid } from '../../domain/core/ids.js';
import type { PaymentCommand } from '../../domain/payment/payment.js';
import { answer } from '../../runtime/http/app.js';
import { HttpError } from '../../runtime/http/http-error.js';
import { deriveId } from '../../runtime/ids.js';
import type { Logger } from '../../runtime/logger.js';
import { orderAggregate, paymentAggregate } from '../aggregates.js';
import type { CommandHandler } from '../handle-command.js';

export interface WebhookDeps {
  readonly commands: CommandHandler;
  readonly webhookSecret: string;
  readonly clock: () => Date;
  readonly log: Logger;
  /** How long the process manager has to append an outcome itself before a webhook does. */
  readonly graceMs?: number;
}

const intent = z.object({
  id: z.string(),
  amount: z.int(),
  metadata: z.object({ order_id: uuid, payment_id: uuid }),
  last_payment_error: z.object({ decline_code: z.string().nullish(), code: z.string().nullish() }).nullish(),
});

const webhookAgeSeconds = 300;

/**
 * The provider's word on a payment, signed over the raw body. The process manager hears the same from its own call and
 * appends it; a webhook only fills in for one that is gone, after a grace period, and else changes nothing.
 */
export function webhookRoutes(deps: WebhookDeps): Router {
  const { commands, webhookSecret, clock, log, graceMs = 30_000 } = deps;
  const router = Router();
  const raw = express.raw({ type: () => true, limit: 1_000_000 });

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
    if (event.type !== 'payment_intent.succeeded' && event.type !== 'payment_intent.payment_failed') {
      answer(res, 200, { received: true });
      return;
    }
    const parsed = intent.safeParse(event.data.object);
    if (!parsed.success) {
      log.warn('webhook about a payment that is not ours', { type: event.type });
      answer(res, 200, { received: true });
      return;
    }
    const { id, amount, metadata, last_payment_error } = parsed.data;
    const { order_id, payment_id } = metadata;
    const now = clock();
    if (now.getTime() - event.created * 1000 < graceMs) {
      answer(res, 200, { received: true });
      return;
    }
    const [payment, order] = await Promise.all([
      commands.load(paymentAggregate, payment_id, true),
      commands.load(orderAggregate, order_id, true),
    ]);
    if (payment.state.facts === undefined || order.state.keys === undefined) {
      log.warn('webhook about an unknown payment', { paymentId: payment_id });
      answer(res, 200, { received: true });
      return;
    }
    if (payment.state.status === 'captured') {
      answer(res, 200, { received: true });
      return;
    }
    const { attempt } = payment.state;
    const at = { now: now.toISOString() };
    const ref = { payment_id, order_id, attempt };
    const transaction_id = `${order.state.keys.order_number.replace('ORD', 'TXN')}-${attempt}`;
    const how = { transaction_id, payment_method: 'card', provider: 'stripe', provider_transaction_id: id };
    const reason = last_payment_error?.decline_code ?? last_payment_error?.code ?? 'card_declined';
    const command: PaymentCommand =
      event.type === 'payment_intent.succeeded'
        ? { type: 'RecordPaymentSuccess', data: { ...ref, amount, ...how }, metadata: at }
        : { type: 'RecordPaymentFailure', data: { ...ref, reason, retryable: true }, metadata: at };
    const commandId = deriveId('webhook', event.id);
    await commands.handle(paymentAggregate, payment_id, command, { commandId, correlationId: order_id });
    answer(res, 200, { received: true });
  });
  return router;
}
