import type { Recorded } from '../projection.js';
import type { OrderBody, TimelineEntry } from './document.js';
import type { OrderModelEvent } from './order-model-events.js';

export const timelineLimit = 500;
const keptFromTheStart = 50;

type Facts = TimelineEntry['facts'];

/** What the timeline says about an event. Free text that a person typed is left out: it may be personal. */
function factsOf(event: OrderModelEvent): Facts {
  switch (event.type) {
    case 'order.created': {
      const { channel, items, total } = event.data;
      return { channel, lines: items.length, amount: total };
    }
    case 'order.paid':
      return { payment_id: event.data.payment_id, amount: event.data.amount };
    case 'order.confirmed':
      return { amount: event.data.total };
    case 'order.failed':
      return { stage: event.data.stage, reason: event.data.reason };
    case 'order.cancelled':
      return { by: event.data.by };
    case 'order.shipped':
    case 'order.delivered': {
      const { shop_id, carrier, tracking } = event.data;
      return { shop_id, carrier, tracking };
    }
    case 'order.returned':
      return { lines: event.data.lines.length };
    case 'order.refunded':
      return { lines: event.data.lines.length, amount: event.data.amount };
    case 'payment.initiated': {
      const { payment_id, attempt, amount, provider, deadline } = event.data;
      return { payment_id, attempt, amount, provider, deadline };
    }
    case 'payment.success': {
      const { payment_id, attempt, amount, transaction_id } = event.data;
      return { payment_id, attempt, amount, transaction_id };
    }
    case 'payment.failed': {
      const { payment_id, attempt, reason, retryable } = event.data;
      return { payment_id, attempt, reason, retryable };
    }
    case 'payment.refund_requested':
    case 'payment.refunded':
    case 'payment.refund_failed': {
      const { payment_id, refund_id, amount, reason } = event.data;
      return { payment_id, refund_id, amount, reason };
    }
    case 'fulfilment.started':
      return { outcome: event.data.outcome, deadline: event.data.deadline };
    case 'fulfilment.step_taken':
      return { step: event.data.step, attempt: event.data.attempt };
    case 'fulfilment.ended':
      return { outcome: event.data.outcome };
    case 'inventory.reservation.failed': {
      const { variant_id, sku, requested, available, reason } = event.data;
      return { variant_id, sku, requested, available, reason };
    }
    case 'inventory.confirmation.failed': {
      const { variant_id, sku, reason } = event.data;
      return { variant_id, sku, reason };
    }
  }
}

/** The order with one more entry; past the limit the oldest entry after the first fifty goes. */
export function withTimeline(order: OrderBody, event: Recorded<OrderModelEvent>): OrderBody {
  const entry: TimelineEntry = {
    type: event.type,
    event_id: event.eventId,
    occurred_at: event.occurredAt,
    recorded_at: event.recordedAt,
    facts: factsOf(event),
  };
  const { timeline, timeline_omitted } = order;
  if (timeline.length < timelineLimit) return { ...order, timeline: [...timeline, entry] };
  return {
    ...order,
    timeline: [...timeline.slice(0, keptFromTheStart), ...timeline.slice(keptFromTheStart + 1), entry],
    timeline_omitted: timeline_omitted + 1,
  };
}
