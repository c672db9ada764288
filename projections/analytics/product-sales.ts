import type { OrderEvent } from '../../domain/order/order-events.js';
import type { Projection } from '../projection.js';
import { type ProductDay, type ProductSalesBody, productSalesModel } from './document.js';
import { dayOf, exactSum, salesKeysOf } from './sales-keys.js';

export type OrderConfirmed = Extract<OrderEvent, { type: 'order.confirmed' }>;

const uuidLength = 36;

function withOrder(before: ProductDay, { data }: OrderConfirmed, productId: string): ProductDay {
  let { units, revenue } = before;
  for (const { product_id, quantity, amount } of data.items) {
    if (product_id !== productId) continue;
    units += quantity;
    revenue = exactSum(revenue, amount);
  }
  return { day: before.day, orders: before.orders + 1, units, revenue };
}

/**
 * What was sold of each product. A document holds a month, so that a long order writes one document a product, and a
 * half year of a product is read in six.
 */
export const productSalesProjection: Projection<OrderConfirmed, ProductSalesBody> = {
  model: productSalesModel,
  types: new Set(['order.confirmed']),
  ids({ data }) {
    const { month, country, channel, currency } = salesKeysOf(data);
    return data.items.map(({ product_id }) => [product_id, month, country, channel, currency].join('_'));
  },
  evolve(sales, event, id) {
    const product_id = id.slice(0, uuidLength);
    const { days, ...keys } = sales ?? { product_id, ...salesKeysOf(event.data), days: [] };
    const day = dayOf(event.data);
    const at = days.findIndex((known) => known.day === day);
    const before = days[at] ?? { day, orders: 0, units: 0, revenue: 0n };
    const after = withOrder(before, event, product_id);
    return { ...keys, days: at === -1 ? [...days, after] : days.with(at, after) };
  },
};
