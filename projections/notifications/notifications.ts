import type { OrderEvent } from '../../domain/order/order-events.js';
import type { PaymentEvent } from '../../domain/payment/payment-events.js';
import type { Projection, Recorded } from '../projection.js';
import { type NotificationBody, type NotificationKind, notificationsModel } from './document.js';

const kinds = {
  'order.created': 'order_received',
  'payment.failed': 'payment_declined',
  'order.confirmed': 'order_confirmed',
  'order.failed': 'order_failed',
  'order.cancelled': 'order_cancelled',
  'payment.refunded': 'payment_refunded',
  'order.shipped': 'order_shipped',
  'order.delivered': 'order_delivered',
} as const satisfies Partial<Record<(OrderEvent | PaymentEvent)['type'], NotificationKind>>;

export type NotificationEvent = Extract<OrderEvent | PaymentEvent, { type: keyof typeof kinds }>;

/** Guests have no inbox, imported history is no news, and a decline that ends the order is told by its end. */
function isNews({ type, data }: NotificationEvent): boolean {
  if (data.user_id === null || data.channel === 'import') return false;
  return type !== 'payment.failed' || data.retryable;
}

function amountOf(event: NotificationEvent, before: NotificationBody | undefined): number | null {
  switch (event.type) {
    case 'order.created':
    case 'order.confirmed':
      return event.data.total;
    case 'payment.failed':
      return event.data.amount;
    case 'payment.refunded':
      return (before?.amount ?? 0) + event.data.amount;
    case 'order.failed':
    case 'order.cancelled':
    case 'order.shipped':
    case 'order.delivered':
      return null;
  }
}

/** Never a customer's own words: why somebody cancelled may hold anything. */
const reasonOf = ({ type, data }: NotificationEvent) =>
  type === 'payment.failed' || type === 'order.failed' ? data.reason : null;

/** The inbox of registered users: what became of their orders. */
export const notificationsProjection: Projection<NotificationEvent, NotificationBody> = {
  model: notificationsModel,
  types: new Set(Object.keys(kinds)),
  ids: (event: Recorded<NotificationEvent>) => (isNews(event) ? [`${event.data.order_id}:${kinds[event.type]}`] : []),
  evolve(before, event) {
    const { user_id, order_id, order_number, currency } = event.data;
    if (user_id === null) return before;
    return {
      user_id,
      kind: kinds[event.type],
      order_id,
      order_number,
      at: event.occurredAt,
      times: (before?.times ?? 0) + 1,
      amount: amountOf(event, before),
      currency,
      reason: reasonOf(event),
    };
  },
};
