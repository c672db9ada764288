import type { PaymentCommand } from './payment.js';
import type { PaymentEvent } from './payment-events.js';

// The commands and events of one payment of 49.99, as its specifications tell them.

export const metadata = { now: '2026-03-01T09:30:00.000Z' };
export const id = (n: number) => `018f3c1a-0000-7000-8000-${String(n).padStart(12, '0')}`;
export const ref = { payment_id: id(1), order_id: id(2) };
export const facts = {
  ...ref,
  amount: 4999,
  currency: 'GBP',
  order_number: 'ORD-2026-00042',
  user_id: id(3),
  shop_ids: [id(4)],
  country: 'GB',
  placed_at: metadata.now,
  channel: 'web' as const,
};
export const begun = (attempt: number, amount = 4999) => ({
  ...facts,
  amount,
  attempt,
  payment_method: 'pm_card_visa',
  provider: 'stripe',
  provider_key: `${ref.order_id}:${attempt}`,
  deadline: '2026-03-01T09:40:00.000Z',
});
export const how = (tx: string) => ({
  transaction_id: 'TXN-2026-00042-1',
  payment_method: 'card',
  provider: 'stripe',
  provider_transaction_id: tx,
});

export const initiate = (attempt = 1, amount = 4999): PaymentCommand => ({
  type: 'InitiatePayment',
  data: begun(attempt, amount),
  metadata,
});
export const succeed = (tx = 'pi_1', attempt = 1, amount = 4999): PaymentCommand => ({
  type: 'RecordPaymentSuccess',
  data: { ...ref, attempt, amount, ...how(tx) },
  metadata,
});
export const fail = (attempt = 1, reason = 'card_declined'): PaymentCommand => ({
  type: 'RecordPaymentFailure',
  data: { ...ref, attempt, reason, retryable: true },
  metadata,
});
export const giveUp = (attempt = 1, reason = 'card_declined'): PaymentCommand => ({
  type: 'RecordPaymentFailure',
  data: { ...ref, attempt, reason, retryable: false },
  metadata,
});
export const retry = (now = metadata.now): PaymentCommand => ({
  type: 'RetryPayment',
  data: { ...ref, payment_method: 'pm_card_visa' },
  metadata: { now },
});
export const request = (n: number, amount: number): PaymentCommand => ({
  type: 'RequestRefund',
  data: { ...ref, refund_id: id(100 + n), amount, reason: 'order_failed', provider_key: `refund ${n}` },
  metadata,
});
export const refund = (n: number): PaymentCommand => ({
  type: 'RecordRefund',
  data: { ...ref, refund_id: id(100 + n), provider_refund_id: `re_${n}` },
  metadata,
});
export const refuseRefund = (n: number): PaymentCommand => ({
  type: 'RecordRefundFailure',
  data: { ...ref, refund_id: id(100 + n), reason: 'disputed' },
  metadata,
});

export const initiated = (attempt = 1): PaymentEvent => ({ type: 'payment.initiated', data: begun(attempt) });
export const success = (tx = 'pi_1', attempt = 1): PaymentEvent => ({
  type: 'payment.success',
  data: { ...facts, attempt, ...how(tx) },
});
export const failure = (attempt = 1, reason = 'card_declined', retryable = true): PaymentEvent => ({
  type: 'payment.failed',
  data: { ...facts, attempt, reason, retryable },
});
export const requested = (n: number, amount: number): PaymentEvent => ({
  type: 'payment.refund_requested',
  data: { ...facts, amount, refund_id: id(100 + n), provider_key: `refund ${n}`, reason: 'order_failed' },
});
export const refunded = (n: number, amount: number): PaymentEvent => ({
  type: 'payment.refunded',
  data: { ...facts, amount, refund_id: id(100 + n), provider_refund_id: `re_${n}`, reason: 'order_failed' },
});
export const refundFailed = (n: number, amount: number): PaymentEvent => ({
  type: 'payment.refund_failed',
  data: { ...facts, amount, refund_id: id(100 + n), reason: 'disputed' },
});
