import type { CardFacts } from './behaviours.js';
import type { Decline } from './declines.js';

/** STORED: a payment intent with its only charge. Times are seconds since 1970, amounts minor units. */
export interface Intent {
  id: string;
  client_secret: string;
  created: number;
  amount: number;
  currency: string;
  status: 'requires_payment_method' | 'requires_confirmation' | 'processing' | 'succeeded' | 'canceled';
  metadata: Record<string, string>;
  description: string | null;
  payment_method: string | null;
  payment_method_types: string[];
  charge: Charge | null;
  canceled_at: number | null;
  cancellation_reason: string | null;
}

/** STORED */
export interface Charge {
  id: string;
  created: number;
  payment_method: string;
  card: CardFacts | null;
  decline: Decline | null;
  amount_refunded: number;
  /** a refund of it was refused that was to be refused once */
  refund_refused?: true;
}

/** STORED */
export interface Refund {
  id: string;
  created: number;
  payment_intent: string;
  charge: string;
  amount: number;
  currency: string;
  metadata: Record<string, string>;
  reason: string | null;
}

/** The API version whose shapes the answers follow. */
export const apiVersion = '2026-10-28.endive';

export function showIntent(intent: Intent, expand: readonly string[] = []) {
  const { charge } = intent;
  const succeeded = intent.status === 'succeeded';
  return {
    id: intent.id,
    object: 'payment_intent',
    amount: intent.amount,
    amount_capturable: 0,
    amount_received: succeeded ? intent.amount : 0,
    canceled_at: intent.canceled_at,
    cancellation_reason: intent.cancellation_reason,
    capture_method: 'automatic',
    client_secret: intent.client_secret,
    confirmation_method: 'automatic',
    created: intent.created,
    currency: intent.currency,
    customer: null,
    description: intent.description,
    last_payment_error: charge?.decline ? showDecline(charge.id, charge.decline) : null,
    latest_charge: charge === null ? null : expand.includes('latest_charge') ? showCharge(intent, charge) : charge.id,
    livemode: false,
    metadata: intent.metadata,
    next_action: null,
    payment_method: intent.payment_method,
    payment_method_types: intent.payment_method_types,
    status: intent.status,
  };
}

export function showDecline(charge: string, decline: Decline) {
  return {
    type: 'card_error' as const,
    charge,
    code: decline.code,
    decline_code: decline.declineCode,
    message: decline.message,
  };
}

export function showCharge(intent: Intent, charge: Charge) {
  const paid = charge.decline === null;
  return {
    id: charge.id,
    object: 'charge',
    amount: intent.amount,
    amount_captured: paid ? intent.amount : 0,
    amount_refunded: charge.amount_refunded,
    captured: paid,
    created: charge.created,
    currency: intent.currency,
    failure_code: charge.decline?.code ?? null,
    failure_message: charge.decline?.message ?? null,
    livemode: false,
    metadata: intent.metadata,
    paid,
    payment_intent: intent.id,
    payment_method: charge.payment_method,
    payment_method_details: charge.card === null ? null : { type: 'card', card: charge.card },
    refunded: charge.amount_refunded === intent.amount,
    status: paid ? 'succeeded' : 'failed',
  };
}

export function showRefund(refund: Refund) {
  const { id, ...rest } = refund;
  return { id, object: 'refund', ...rest, status: 'succeeded' };
}

export interface EventCause {
  requestId: string;
  idempotencyKey: string | null;
}

export function showEvent(id: string, created: number, type: string, object: unknown, cause: EventCause) {
  return {
    id,
    object: 'event',
    api_version: apiVersion,
    created,
    data: { object },
    livemode: false,
    pending_webhooks: 1,
    request: { id: cause.requestId, idempotency_key: cause.idempotencyKey },
    type,
  };
}
