import type { Personal } from '../../domain/core/personal.js';
import type { ReadModel } from '../../runtime/document-store/read-model.js';

// The contract with read-api: a changed shape or meaning raises the version.

export const ordersModel: ReadModel = {
  name: 'orders',
  version: 1,
  indexes: [
    { key: { user_id: 1, placed_at: -1, _id: -1 } },
    { key: { user_id: 1, status: 1, placed_at: -1, _id: -1 } },
    { key: { status: 1, placed_at: -1, _id: -1 } },
    { key: { placed_at: -1, _id: -1 } },
  ],
};

export const orderStatuses = [
  'pending',
  'reserved',
  'paid',
  'confirmed',
  'shipped',
  'delivered',
  'failed',
  'cancelled',
  'refunded',
] as const;
export type OrderStatus = (typeof orderStatuses)[number];

export type PaymentStatus = 'initiated' | 'succeeded' | 'failed' | 'refund-requested' | 'refunded' | 'refund-failed';

/** Amounts are minor units of the order's currency. */
export interface OrderLine {
  readonly line: number;
  readonly product_id: string;
  readonly variant_id: string;
  readonly shop_id: string;
  readonly sku: string;
  readonly title: string;
  readonly quantity: number;
  readonly price: number;
  readonly amount: number;
  /** Of `quantity`, how many have left and how many have arrived. */
  readonly shipped: number;
  readonly delivered: number;
}

export interface TimelineEntry {
  /** The event's type. */
  readonly type: string;
  readonly event_id: string;
  readonly occurred_at: string;
  readonly recorded_at: string;
  /** A few facts of the event, none of them personal. A fact named `amount` is in minor units. */
  readonly facts: Readonly<Record<string, string | number | boolean | null>>;
}

/** An order, `_id` is its id. Times are ISO 8601 UTC with milliseconds, so that text sorts as time. */
export interface OrderBody {
  readonly order_number: string;
  /** null for a guest's order */
  readonly user_id: string | null;
  readonly status: OrderStatus;
  readonly channel: 'web' | 'import';
  readonly placed_at: string;
  readonly country: string;
  readonly currency: string;
  readonly items: readonly OrderLine[];
  readonly item_total: number;
  readonly discount: number;
  readonly shipping: number;
  readonly tax: number;
  readonly total: number;
  /** What `order.refunded` events have given back so far. */
  readonly refunded: number;
  readonly shop_ids: readonly string[];
  /** Ciphertext, as in the event. */
  readonly personal: Personal | null;
  readonly payment: {
    readonly payment_id: string;
    readonly attempts: number;
    readonly status: PaymentStatus;
    readonly reason: string | null;
  } | null;
  readonly failure: { readonly stage: string; readonly reason: string } | null;
  /** Oldest first, bounded: what is left out comes after the first entries. */
  readonly timeline: readonly TimelineEntry[];
  readonly timeline_omitted: number;
}

export interface OrderDocument extends OrderBody {
  readonly _id: string;
  readonly position: bigint;
}
