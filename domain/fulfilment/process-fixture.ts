import type { OrderEvent } from '../order/order-events.js';
import type { ProcessInput, ProcessPolicy } from './dispatch.js';

// What the specifications of this folder share: ids, times and orders.

const epoch = Date.parse('2026-03-01T09:30:00.000Z');

/** ISO 8601, UTC */
export function at(seconds: number): string {
  return new Date(epoch + seconds * 1000).toISOString();
}

/** The inverse of {@link at}. */
export function secondsAt(time: string): number {
  return (Date.parse(time) - epoch) / 1000;
}

function fnv(text: string, seed: number): string {
  let hash = seed;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

const derived = new Map<string, string>();

/** The same id for the same parts. */
export function deriveId(...parts: readonly (string | number)[]): string {
  const text = parts.join('|');
  const known = derived.get(text);
  if (known !== undefined) return known;
  const hex = [1, 2, 3, 4].map((seed) => fnv(text, seed * 0x9e3779b1)).join('');
  const id = [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)];
  derived.set(text, id.join('-'));
  return id.join('-');
}

export const minutes = 60;
export const policy: ProcessPolicy = {
  reservationMs: 15 * minutes * 1000,
  paymentMs: 10 * minutes * 1000,
  graceMs: 30 * 1000,
  refundRetryMs: 60 * 1000,
  lowStockThreshold: 0,
  provider: 'stripe',
};

export function input(seconds = 0, change: Partial<ProcessPolicy> = {}): ProcessInput {
  return { now: at(seconds), policy: { ...policy, ...change }, deriveId };
}

export const orderId = (name: string) => deriveId('an order', name);
export const variantId = (name: string) => deriveId('a variant', name);
export const shop_id = deriveId('a shop');
export const warehouse_id = deriveId('a warehouse');

/** The stock keys of a variant. */
export function stockItem(name: string) {
  return { variant_id: variantId(name), product_id: deriveId('a product', name), shop_id, sku: name };
}

export type OrderCreated = Extract<OrderEvent, { type: 'order.created' }>;
export interface Line {
  readonly variant: string;
  readonly quantity: number;
}

/** An order of these lines at `price` minor units a piece. */
export function orderCreated(name: string, lines: readonly Line[], price = 1000): OrderCreated {
  const items = lines.map(({ variant, quantity }, i) => ({
    ...stockItem(variant),
    line: i + 1,
    title: variant,
    quantity,
    price,
    amount: quantity * price,
  }));
  const total = items.reduce((sum, { amount }) => sum + amount, 0);
  return {
    type: 'order.created',
    data: {
      order_id: orderId(name),
      order_number: 'ORD-2026-00042',
      user_id: deriveId('a user'),
      shop_ids: [shop_id],
      country: 'GB',
      currency: 'GBP',
      placed_at: at(0),
      channel: 'web',
      cart_id: null,
      payment_method: 'pm_card_visa',
      email_hmac: null,
      external_reference: null,
      items,
      item_total: total,
      discount: 0,
      shipping: 0,
      tax: 0,
      total,
    },
  };
}
