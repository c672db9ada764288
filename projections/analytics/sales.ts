import type { OrderEvent } from '../../domain/order/order-events.js';
import type { PaymentEvent } from '../../domain/payment/payment-events.js';
import type { Projection } from '../projection.js';
import { type SalesBody, salesModel } from './document.js';
import { dayOf, exactSum, salesKeysOf } from './sales-keys.js';

const orderTypes = ['order.created', 'order.confirmed', 'order.failed', 'order.cancelled'] as const;
const paymentTypes = ['payment.success', 'payment.refunded'] as const;

export type SalesEvent =
  | Extract<OrderEvent, { type: (typeof orderTypes)[number] }>
  | Extract<PaymentEvent, { type: (typeof paymentTypes)[number] }>;

function begun({ data }: SalesEvent): SalesBody {
  return {
    day: dayOf(data),
    ...salesKeysOf(data),
    placed: 0,
    confirmed: 0,
    failed: 0,
    cancelled: 0,
    units: 0,
    revenue: 0n,
    captured: 0n,
    refunded: 0n,
  };
}

function counted(sales: SalesBody, event: SalesEvent): SalesBody {
  switch (event.type) {
    case 'order.created':
      return { ...sales, placed: sales.placed + 1 };
    case 'order.confirmed': {
      const { items } = event.data;
      return {
        ...sales,
        confirmed: sales.confirmed + 1,
        units: items.reduce((sum, { quantity }) => sum + quantity, sales.units),
        revenue: items.reduce((sum, { amount }) => exactSum(sum, amount), sales.revenue),
      };
    }
    case 'order.failed':
      return { ...sales, failed: sales.failed + 1 };
    case 'order.cancelled':
      return { ...sales, cancelled: sales.cancelled + 1 };
    case 'payment.success':
      return { ...sales, captured: exactSum(sales.captured, event.data.amount) };
    case 'payment.refunded':
      return { ...sales, refunded: exactSum(sales.refunded, event.data.amount) };
  }
}

/** Orders and money of each UTC day on which orders were placed, by country, channel and currency. */
export const salesProjection: Projection<SalesEvent, SalesBody> = {
  model: salesModel,
  types: new Set([...orderTypes, ...paymentTypes]),
  ids: ({ data }) => [[dayOf(data), data.country, data.channel, data.currency].join('_')],
  evolve: (sales, event) => counted(sales ?? begun(event), event),
};
