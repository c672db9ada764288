import { z } from 'zod';
import { defineEvent, type EventOf } from '../core/event-codec.js';
import { countryCode, timestamp, uuid } from '../core/ids.js';
import { currencyCode, minorUnits } from '../core/money.js';

// STORED CONTRACT. A changed shape needs a new version, an upcaster and a golden file; a changed meaning a new type.

/** The order's keys that projections need on every event of its payment, and the money in question. */
const keys = {
  order_number: z.string().regex(/^ORD-\d{4}-\d{5,}$/),
  user_id: uuid.nullable(),
  shop_ids: z.array(uuid).min(1),
  country: countryCode,
  placed_at: timestamp,
  channel: z.enum(['web', 'import']),
};
const payment = { payment_id: uuid, order_id: uuid, amount: minorUnits, currency: currencyCode, ...keys };
const attempt = z.int().min(1);

export const paymentDefinitions = [
  defineEvent({
    type: 'payment.initiated',
    data: z.strictObject({
      ...payment,
      attempt,
      payment_method: z.string().min(1).max(200),
      provider: z.string(),
      provider_key: z.string(),
      deadline: timestamp,
    }),
  }),
  defineEvent({
    type: 'payment.success',
    data: z.strictObject({
      ...payment,
      attempt,
      transaction_id: z.string(),
      payment_method: z.string(),
      provider: z.string(),
      provider_transaction_id: z.string(),
    }),
  }),
  defineEvent({
    type: 'payment.failed',
    data: z.strictObject({ ...payment, attempt, reason: z.string().max(200), retryable: z.boolean() }),
  }),
  defineEvent({
    type: 'payment.refund_requested',
    data: z.strictObject({ ...payment, refund_id: uuid, provider_key: z.string(), reason: z.string().max(200) }),
  }),
  defineEvent({
    type: 'payment.refunded',
    data: z.strictObject({ ...payment, refund_id: uuid, provider_refund_id: z.string(), reason: z.string().max(200) }),
  }),
  defineEvent({
    type: 'payment.refund_failed',
    data: z.strictObject({ ...payment, refund_id: uuid, reason: z.string().max(200) }),
  }),
] as const;

export type PaymentEvent = EventOf<typeof paymentDefinitions>;
/** One stream an order's payment, every attempt inside it. */
export const paymentStream = (paymentId: string) => `payment-${paymentId}`;

/** Our own name for a captured payment: `TXN-2026-00001-1` is the first attempt of order `ORD-2026-00001`. */
export function transactionId(orderNumber: string, attempt: number): string {
  return `${orderNumber.replace('ORD', 'TXN')}-${attempt}`;
}

/** The provider takes the same charge once, however often it is asked with its key. */
export function chargeKey(orderId: string, attempt: number): string {
  return `${orderId}:${attempt}`;
}

/**
 * Under what key a charge's money is asked back. A refund that was refused is asked for again under another one: the
 * provider would repeat its answer to the old key.
 *
 * @param charge the attempt to pay whose money goes back
 * @param attempt counts how often it was asked for
 */
export function refundKey(orderId: string, charge: number, attempt: number): string {
  return charge === 1 ? `${orderId}:refund:${attempt}` : `${orderId}:${charge}:refund:${attempt}`;
}

/**
 * One refund a charge, however often it is asked for.
 *
 * @param deriveId makes the same id of the same parts
 */
export function refundId(
  orderId: string,
  charge: number,
  deriveId: (...parts: readonly (string | number)[]) => string,
): string {
  return deriveId('refund', orderId, charge);
}

/** What a key of {@link refundKey} is about. */
export function refundOf(providerKey: string): { charge: number; attempt: number } {
  const [, charge = '1', attempt = '1'] = /(?::(\d+))?:refund:(\d+)$/.exec(providerKey) ?? [];
  return { charge: Number(charge), attempt: Number(attempt) };
}
