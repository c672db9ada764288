import { type PaymentEvent, refundId } from '../../domain/payment/payment-events.js';
import { deriveId } from '../../runtime/ids.js';
import type { Projection, Recorded } from '../projection.js';
import { type OrderBody, type OrderLine, type OrderStatus, ordersModel, type PaymentStatus } from './document.js';
import { type OrderModelEvent, orderModelTypes } from './order-model-events.js';
import { withTimeline } from './timeline.js';

type EventOfType<Type extends OrderModelEvent['type']> = Extract<OrderModelEvent, { type: Type }>;

const onTheWay: Readonly<Partial<Record<OrderStatus, number>>> = {
  pending: 0,
  reserved: 1,
  paid: 2,
  confirmed: 3,
  shipped: 4,
  delivered: 5,
};

/** Moves on, never back, and never out of an end. */
function advanced(order: OrderBody, next: OrderStatus): OrderBody {
  const from = onTheWay[order.status];
  if (from === undefined) return order;
  const to = onTheWay[next];
  return to !== undefined && to <= from ? order : { ...order, status: next };
}

function created({ data }: EventOfType<'order.created'>): OrderBody {
  return {
    order_number: data.order_number,
    user_id: data.user_id,
    status: 'pending',
    channel: data.channel,
    placed_at: new Date(data.placed_at).toISOString(),
    country: data.country,
    currency: data.currency,
    items: data.items.map((item) => ({ ...item, shipped: 0, delivered: 0 })),
    item_total: data.item_total,
    discount: data.discount,
    shipping: data.shipping,
    tax: data.tax,
    total: data.total,
    refunded: 0,
    shop_ids: data.shop_ids,
    personal: data.personal ?? null,
    payment: null,
    failure: null,
    timeline: [],
    timeline_omitted: 0,
  };
}

function moved(order: OrderBody, event: EventOfType<'order.shipped' | 'order.delivered'>): OrderBody {
  const key = event.type === 'order.shipped' ? 'shipped' : 'delivered';
  const quantities = new Map(event.data.lines.map(({ line, quantity }) => [line, quantity]));
  const items = order.items.map((item): OrderLine => {
    const quantity = quantities.get(item.line);
    return quantity === undefined ? item : { ...item, [key]: item[key] + quantity };
  });
  const arrived = items.every((item) => item.delivered >= item.quantity);
  return advanced({ ...order, items }, arrived ? 'delivered' : 'shipped');
}

function refunded(order: OrderBody, amount: number): OrderBody {
  const sum = order.refunded + amount;
  return sum < order.total ? { ...order, refunded: sum } : advanced({ ...order, refunded: sum }, 'refunded');
}

function paymentAt(order: OrderBody, event: PaymentEvent, status: PaymentStatus, reason: string | null): OrderBody {
  const known = order.payment?.attempts ?? 0;
  const attempt = attemptOf(event, known);
  // A late word on an earlier attempt, or on money of it that goes back, says nothing about the payment as it stands.
  if (attempt < known) return order;
  return { ...order, payment: { payment_id: event.data.payment_id, attempts: attempt, status, reason } };
}

/** The attempt to pay that an event is about; a refund is about the one whose money goes back. */
function attemptOf({ data }: PaymentEvent, known: number): number {
  if ('attempt' in data) return data.attempt;
  for (let charge = 1; charge < known; charge += 1) {
    if (data.refund_id === refundId(data.order_id, charge, deriveId)) return charge;
  }
  return known;
}

/** What an event changes beside the timeline. How an order ends is told by its own events alone. */
function changed(order: OrderBody, event: OrderModelEvent): OrderBody {
  switch (event.type) {
    case 'order.paid':
      return advanced(order, 'paid');
    case 'order.confirmed':
      return advanced(order, 'confirmed');
    case 'order.failed': {
      const { stage, reason } = event.data;
      return advanced({ ...order, failure: { stage, reason } }, 'failed');
    }
    case 'order.cancelled':
      return advanced(order, 'cancelled');
    case 'order.shipped':
    case 'order.delivered':
      return moved(order, event);
    case 'order.refunded':
      return refunded(order, event.data.amount);
    case 'payment.initiated':
      return advanced(paymentAt(order, event, 'initiated', null), 'reserved');
    case 'payment.success':
      return paymentAt(order, event, 'succeeded', null);
    case 'payment.failed':
      return paymentAt(order, event, 'failed', event.data.reason);
    case 'payment.refund_requested':
      return paymentAt(order, event, 'refund-requested', event.data.reason);
    case 'payment.refunded':
      return paymentAt(order, event, 'refunded', event.data.reason);
    case 'payment.refund_failed':
      return paymentAt(order, event, 'refund-failed', event.data.reason);
    case 'order.created':
    case 'order.returned':
    case 'fulfilment.started':
    case 'fulfilment.step_taken':
    case 'fulfilment.ended':
    case 'inventory.reservation.failed':
    case 'inventory.confirmation.failed':
      return order;
  }
}

export const ordersProjection: Projection<OrderModelEvent, OrderBody> = {
  model: ordersModel,
  types: orderModelTypes,
  ids: (event: Recorded<OrderModelEvent>) => [event.data.order_id],
  evolve(order, event) {
    // Everything that names an order comes after its creation in the log: whoever wrote it had read the order.
    if (order === undefined) return event.type === 'order.created' ? withTimeline(created(event), event) : undefined;
    return withTimeline(changed(order, event), event);
  },
};
