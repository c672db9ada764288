import { toDecimal } from '../../domain/core/money.js';
import type { OrderDocument, TimelineEntry } from '../../projections/orders/document.js';
import type { OrderSummary } from './order-queries.js';

/** An order as lists answer it: amounts are decimals beside `currency`. */
export function summaryOf(order: OrderSummary) {
  const { currency } = order;
  return {
    order_id: order._id,
    order_number: order.order_number,
    user_id: order.user_id,
    status: order.status,
    channel: order.channel,
    placed_at: order.placed_at,
    country: order.country,
    currency,
    item_total: toDecimal(order.item_total, currency),
    discount: toDecimal(order.discount, currency),
    shipping: toDecimal(order.shipping, currency),
    tax: toDecimal(order.tax, currency),
    total: toDecimal(order.total, currency),
    refunded: toDecimal(order.refunded, currency),
    shop_ids: order.shop_ids,
    payment: order.payment,
    failure: order.failure,
  };
}

function shownEntry(entry: TimelineEntry, currency: string) {
  const { amount, ...facts } = entry.facts;
  return typeof amount === 'number' ? { ...entry, facts: { ...facts, amount: toDecimal(amount, currency) } } : entry;
}

const addressFields = ['address_line1', 'address_line2', 'city', 'state', 'postal_code'] as const;

/** Personal fields in the clear. */
export type OpenedFields = Readonly<Record<string, string | undefined>>;

function contactOf(opened: OpenedFields | undefined, country: string) {
  if (opened === undefined) return { email: null, name: null, shipping_address: null };
  const lines = addressFields.flatMap((field) => {
    const value = opened[field];
    return value === undefined ? [] : [[field, value] as const];
  });
  const address = lines.length === 0 ? null : { ...Object.fromEntries(lines), country };
  return { email: opened['email'] ?? null, name: opened['name'] ?? null, shipping_address: address };
}

/**
 * An order in full, with its timeline.
 *
 * @param contact the opened personal fields for its owner (undefined: erased, or there were none); absent for others,
 *   whose answer then has none of these fields
 */
export function detailOf(order: OrderDocument, contact?: { readonly opened: OpenedFields | undefined }) {
  const { currency } = order;
  return {
    ...summaryOf(order),
    items: order.items.map((item) => ({
      ...item,
      price: toDecimal(item.price, currency),
      amount: toDecimal(item.amount, currency),
    })),
    ...(contact === undefined ? {} : contactOf(contact.opened, order.country)),
    timeline: order.timeline.map((entry) => shownEntry(entry, currency)),
    timeline_omitted: order.timeline_omitted,
  };
}
