import { PersistentMap } from '../core/persistent-map.js';
import type { StockItem } from '../inventory/inventory.js';
import type { InventoryEvent } from '../inventory/inventory-events.js';
import type { OrderEvent, OrderKeys } from '../order/order-events.js';
import type { PaymentEvent } from '../payment/payment-events.js';
import { refundOf } from '../payment/payment-events.js';
import type { FulfilmentEvent } from './fulfilment-events.js';

/** What the process learns from: the events of the order, its payment, its own stream, and its commands' answers. */
export type ProcessEvent = OrderEvent | PaymentEvent | FulfilmentEvent | InventoryEvent;

/** `lapsed`: reserved once, and gone since, most often because it expired. */
export type StockStatus = 'none' | 'reserved' | 'refused' | 'confirmed' | 'lapsed' | 'released' | 'restocked';

export interface VariantProgress {
  readonly item: StockItem;
  readonly quantity: number;
  /** Counts reservations: a lapsed one is taken anew under another id. */
  readonly attempt: number;
  readonly status: StockStatus;
  /** ISO 8601, UTC; when the reservation lapses, where that is known. */
  readonly expiresAt?: string | undefined;
}

export interface OrderFacts extends OrderKeys {
  readonly order_id: string;
  readonly total: number;
  readonly payment_method: string;
}

/** What the provider said to a charge, before the log has heard of it. */
export type ChargeOutcome =
  | { readonly kind: 'captured'; readonly provider_transaction_id: string; readonly payment_method: string }
  | { readonly kind: 'declined'; readonly reason: string; readonly retryable: boolean };

export type RefundOutcome =
  | { readonly kind: 'refunded'; readonly provider_refund_id: string }
  | { readonly kind: 'refused'; readonly reason: string };

export interface RefundProgress {
  readonly id: string;
  readonly status: 'requested' | 'refunded' | 'failed';
  readonly attempt: number;
  /** ISO 8601, UTC; when the provider refused it last. */
  readonly failedAt?: string | undefined;
  readonly outcome?: RefundOutcome;
}

type Captured = Extract<ChargeOutcome, { kind: 'captured' }>;

export interface ProcessState {
  readonly order: OrderFacts | undefined;
  readonly orderStatus: 'none' | 'pending' | 'paid' | 'confirmed' | 'failed' | 'cancelled';
  readonly stock: PersistentMap<VariantProgress>;
  readonly started: { readonly outcome: 'reserved' | 'refused'; readonly deadline: string | null } | undefined;
  readonly payment: {
    readonly status: 'none' | 'open' | 'captured' | 'declined';
    readonly attempt: number;
    readonly deadline?: string;
    /** When the attempt began; ISO 8601, UTC. */
    readonly since?: string | undefined;
    readonly method?: string;
    /** Of a decline: the customer may pay again until the deadline. */
    readonly retryable?: boolean;
    readonly providerTransactionId?: string;
    readonly outcome?: ChargeOutcome | undefined;
    /** The provider was asked and said nothing. */
    readonly isSilent?: boolean;
    readonly reason?: string;
    /** Taken after its failure was recorded: the failure counts, the money goes back. */
    readonly late?: boolean;
  };
  /** Money that the provider took for attempts which others have followed: attempt -> its transaction. */
  readonly strays: Readonly<Record<number, string>>;
  /** Such money that the log has not heard of. */
  readonly unheard: Readonly<Record<number, Captured>>;
  /** By the attempt to pay whose money goes back. */
  readonly refunds: Readonly<Record<number, RefundProgress>>;
  /** Compensation steps that were recorded. One recorded step, and there is no way back to success. */
  readonly steps: readonly string[];
  /** The id of the event that made it fail, once it has. */
  readonly because: string | undefined;
  readonly ended: 'confirmed' | 'failed' | 'cancelled' | undefined;
}

export const initialProcess: ProcessState = {
  order: undefined,
  orderStatus: 'none',
  stock: PersistentMap.empty(),
  started: undefined,
  payment: { status: 'none', attempt: 0 },
  strays: {},
  unheard: {},
  refunds: {},
  steps: [],
  because: undefined,
  ended: undefined,
};

function stockOf(items: Extract<OrderEvent, { type: 'order.created' }>['data']['items']) {
  let stock = PersistentMap.empty<VariantProgress>();
  for (const { variant_id, product_id, shop_id, sku, quantity } of items) {
    const total = quantity + (stock.get(variant_id)?.quantity ?? 0);
    const item = { variant_id, product_id, shop_id, sku };
    stock = stock.set(variant_id, { item, quantity: total, attempt: 1, status: 'none' });
  }
  return stock;
}

function withRefund(state: ProcessState, id: string, change: Partial<RefundProgress>): ProcessState {
  const [charge, refund] = Object.entries(state.refunds).find(([, one]) => one.id === id) ?? [];
  if (charge === undefined || refund === undefined) return state;
  return { ...state, refunds: { ...state.refunds, [charge]: { ...refund, ...change } } };
}

/** Notes where a variant of the order stands. */
/** Money came in for an attempt that another one has followed. */
export function withStray(state: ProcessState, attempt: number, providerTransactionId: string): ProcessState {
  const { [attempt]: _, ...unheard } = state.unheard;
  return { ...state, unheard, strays: { ...state.strays, [attempt]: providerTransactionId } };
}

export function withStock(state: ProcessState, variantId: string, change: Partial<VariantProgress>): ProcessState {
  const variant = state.stock.get(variantId);
  if (variant === undefined) return state;
  return { ...state, stock: state.stock.set(variantId, { ...variant, ...change }) };
}

/**
 * Takes in an event. Never throws; an event that says nothing new changes nothing.
 *
 * @param eventId becomes the cause of a compensation that the event makes necessary
 * @param at when it happened: ISO 8601, UTC
 */
export function evolveProcess(state: ProcessState, event: ProcessEvent, eventId?: string, at?: string): ProcessState {
  const failed = (next: ProcessState): ProcessState => ({ ...next, because: next.because ?? eventId });
  // A command's answer also tells of strangers' reservations that had expired.
  const about = 'order_id' in event.data ? event.data.order_id : undefined;
  if (about !== undefined && state.order !== undefined && about !== state.order.order_id) return state;
  switch (event.type) {
    case 'order.created': {
      if (state.order !== undefined) return state;
      const { order_id, total, payment_method } = event.data;
      const { order_number, user_id, shop_ids, country, currency, placed_at, channel } = event.data;
      const keys = { order_number, user_id, shop_ids, country, currency, placed_at, channel };
      const order = { order_id, total, payment_method, ...keys };
      return { ...state, order, orderStatus: 'pending', stock: stockOf(event.data.items) };
    }
    case 'order.paid':
      return { ...state, orderStatus: 'paid' };
    case 'order.confirmed':
      return { ...state, orderStatus: 'confirmed' };
    case 'order.failed':
      return { ...state, orderStatus: 'failed' };
    case 'order.cancelled':
      return failed({ ...state, orderStatus: 'cancelled' });
    case 'payment.initiated': {
      const { attempt, deadline, payment_method: method } = event.data;
      const { attempt: before, outcome } = state.payment;
      if (attempt <= before) return state;
      const unheard = outcome?.kind === 'captured' ? { ...state.unheard, [before]: outcome } : state.unheard;
      return { ...state, unheard, payment: { status: 'open', attempt, deadline, since: at, method } };
    }
    case 'payment.success': {
      const { attempt, provider_transaction_id: providerTransactionId } = event.data;
      if (attempt < state.payment.attempt) return withStray(state, attempt, providerTransactionId);
      const late = state.payment.late === true || state.payment.status === 'declined';
      return { ...state, payment: { ...state.payment, status: 'captured', providerTransactionId, late } };
    }
    case 'payment.failed': {
      const { attempt, reason, retryable } = event.data;
      if (attempt < state.payment.attempt) return state;
      // No failure is recorded after a success: heard of in this order or the other, the failure came first.
      const late = state.payment.status === 'captured';
      const status = late ? 'captured' : 'declined';
      const next = { ...state, payment: { ...state.payment, status, late, reason, retryable } } as const;
      return retryable && !late ? next : failed(next);
    }
    case 'payment.refund_requested': {
      const { charge, attempt } = refundOf(event.data.provider_key);
      const refund = { id: event.data.refund_id, status: 'requested', attempt } as const;
      return { ...state, refunds: { ...state.refunds, [charge]: refund } };
    }
    case 'payment.refunded':
      return withRefund(state, event.data.refund_id, { status: 'refunded' });
    case 'payment.refund_failed':
      return withRefund(state, event.data.refund_id, { status: 'failed', failedAt: at });
    case 'fulfilment.started':
      return { ...state, started: { outcome: event.data.outcome, deadline: event.data.deadline } };
    case 'fulfilment.step_taken':
      return { ...state, steps: [...state.steps, event.data.step], because: event.data.because };
    case 'fulfilment.ended':
      return { ...state, ended: event.data.outcome };
    case 'inventory.reserved':
      return withStock(state, event.data.variant_id, { status: 'reserved', expiresAt: event.data.expires_at });
    case 'inventory.extended':
      return withStock(state, event.data.variant_id, { expiresAt: event.data.expires_at });
    case 'inventory.reservation.failed':
      return failed(withStock(state, event.data.variant_id, { status: 'refused' }));
    case 'inventory.confirmed':
      return withStock(state, event.data.variant_id, { status: 'confirmed' });
    case 'inventory.confirmation.failed':
      return withStock(state, event.data.variant_id, { status: 'lapsed' });
    case 'inventory.released':
      return withStock(state, event.data.variant_id, {
        status: event.data.reason === 'expired' ? 'lapsed' : 'released',
      });
    case 'inventory.restocked':
      return withStock(state, event.data.variant_id, { status: 'restocked' });
    case 'inventory.received':
    case 'inventory.adjusted':
    case 'inventory.low':
    case 'order.shipped':
    case 'order.delivered':
    case 'order.returned':
    case 'order.refunded':
      return state;
  }
}
