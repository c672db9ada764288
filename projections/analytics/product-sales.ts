import type { OrderEvent } from '../../domain/order/order-events.js';
import type { Projection } from '../projection.js';
import { type ProductDay, type ProductSalesBody, productSalesModel } from './document.js';
import { dayOf, exactSum, salesKeysOf } from './sales-keys.js';

export type OrderConfirmed = Extract<OrderEvent, { type: 'order.confirmed' }>;

const uuidLength = 36;

type Sold = Pick<ProductDay, 'units' | 'revenue'>;

const soldOfOrders = new WeakMap<OrderConfirmed['data'], ReadonlyMap<string, Sold>>();

/** What an order holds of each product. Kept while the event is: a long order is asked for a thousand products. */
function soldOf(data: OrderConfirmed['data']): ReadonlyMap<string, Sold> {
  const known = soldOfOrders.get(data);
  if (known !== undefined) return known;
  const sold = new Map<string, Sold>();
  for (const { product_id, quantity, amount } of data.items) {
    const { units, revenue } = sold.get(product_id) ?? { units: 0, revenue: 0n };
    sold.set(product_id, { units: units + quantity, revenue: exactSum(revenue, amount) });
  }
  soldOfOrders.set(data, sold);
  return sold;
}

function withOrder(before: ProductDay, { units, revenue }: Sold): ProductDay {
  return {
    day: before.day,
    orders: before.orders + 1,
    units: before.units + units,
    revenue: exactSum(before.revenue, revenue),
  };
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
    const sold = soldOf(event.data).get(product_id);
    if (sold === undefined) return sales;
    const day = dayOf(event.data);
    const at = days.findIndex((known) => known.day === day);
    const before = days[at] ?? { day, orders: 0, units: 0, revenue: 0n };
    const after = withOrder(before, sold);
    return { ...keys, days: at === -1 ? [...days, after] : days.with(at, after) };
  },
};
