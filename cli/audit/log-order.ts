import type { StoredEvent } from '../../runtime/event-store/event-log.js';
import { type Finding, placeOf, tally } from './finding.js';
import type { FlowEvent, Watcher } from './flow.js';

/** How far an order had come in the log so far. Variants are counted, not named: one is in one standing at a time. */
interface Progress {
  readonly total: number;
  readonly variants: number;
  reserved: number;
  confirmed: number;
  started: 'reserved' | 'refused' | undefined;
  readonly attempts: Set<number>;
  captured: boolean;
  readonly refundsAsked: Set<string>;
  paid: boolean;
  end: string | undefined;
  settled: string | undefined;
}

export interface LogOrder extends Watcher {
  finding(): Finding;
}

/** The service that acts on nothing but what it read in the log. */
const follower = 'process-manager';

/** What must stand in the log before an event of an order's way may. @returns what is missing, if anything is */
function missingBefore(event: FlowEvent, order: Progress): string | undefined {
  const unless = (holds: boolean, text: string) => (holds ? undefined : text);
  switch (event.type) {
    case 'fulfilment.started': {
      const all = event.data.outcome === 'refused' || order.reserved >= order.variants;
      return unless(all, `${order.variants} variants reserved before, not ${order.reserved}`);
    }
    case 'payment.initiated':
      return unless(order.started === 'reserved', 'fulfilment.started {reserved} before');
    case 'payment.success':
    case 'payment.failed':
      return unless(
        order.attempts.has(event.data.attempt),
        `payment.initiated of attempt ${event.data.attempt} before`,
      );
    case 'payment.refund_requested':
      return unless(order.captured, 'payment.success before');
    case 'payment.refunded':
    case 'payment.refund_failed':
      return unless(order.refundsAsked.has(event.data.refund_id), 'payment.refund_requested before');
    case 'order.paid':
      if (order.end !== undefined) return `no ${order.end} before`;
      return unless(order.captured || order.total === 0, 'payment.success before');
    case 'inventory.confirmed':
      return unless(order.paid, 'order.paid before');
    case 'order.confirmed':
      if (!order.paid) return 'order.paid before';
      return unless(order.confirmed === order.variants, `${order.variants} variants confirmed, not ${order.confirmed}`);
    case 'fulfilment.ended':
      return unless(
        order.end === `order.${event.data.outcome}`,
        `order.${event.data.outcome} before, not ${order.end}`,
      );
    case 'order.failed':
    case 'order.cancelled':
    case 'inventory.reserved':
      return unless(order.settled === undefined, `no fulfilment.ended before, as at ${order.settled}`);
    default:
      return undefined;
  }
}

function advance(order: Progress, stored: StoredEvent, event: FlowEvent): void {
  switch (event.type) {
    case 'inventory.reserved':
      order.reserved += 1;
      break;
    case 'inventory.confirmed':
      order.confirmed += 1;
      break;
    case 'inventory.restocked':
      if (event.data.reason === 'confirmation_undone') order.confirmed -= 1;
      break;
    case 'fulfilment.started':
      order.started = event.data.outcome;
      break;
    case 'payment.initiated':
      order.attempts.add(event.data.attempt);
      break;
    case 'payment.success':
      order.captured = true;
      break;
    case 'payment.refund_requested':
      order.refundsAsked.add(event.data.refund_id);
      break;
    case 'order.paid':
      order.paid = true;
      break;
    case 'order.confirmed':
    case 'order.failed':
    case 'order.cancelled':
      order.end = event.type;
      break;
    case 'fulfilment.ended':
      order.settled = placeOf(stored);
      break;
    default:
  }
}

/**
 * I19, as far as a log can show it: whoever wrote an event had seen what it follows from. Causes stand before what they
 * caused, and the steps of every order's way stand in their order. That a document saw its events in log order shows in
 * its being their fold (I9).
 */
export function logOrder(): LogOrder {
  const found = tally('I19', "each order's events were seen in log order", [
    'causes',
    'steps',
    'causes outside the log',
  ]);
  const seen = new Set<string>();
  /** Named as a cause and not in the log so far: cause -> where it was named first. */
  const awaited = new Map<string, { place: string; mustBeSeen: boolean }>();
  const orders = new Map<string, Progress>();

  const checkCause = (stored: StoredEvent) => {
    const late = awaited.get(stored.id);
    if (late !== undefined) {
      found.violated(late.place, `its cause ${stored.id} before it`, `${stored.type} at ${placeOf(stored)}`);
      awaited.delete(stored.id);
    }
    seen.add(stored.id);
    const { $causationId: cause, command_id: commandId, source_service: service } = stored.metadata;
    if (typeof cause !== 'string' || cause === commandId) return;
    if (seen.has(cause)) found.count('causes');
    else if (!awaited.has(cause)) awaited.set(cause, { place: placeOf(stored), mustBeSeen: service === follower });
  };

  const checkStep = (stored: StoredEvent, event: FlowEvent) => {
    if (!('order_id' in event.data)) return;
    const { order_id } = event.data;
    if (event.type === 'order.created') {
      const { total, items } = event.data;
      if (!orders.has(order_id)) orders.set(order_id, begun(total, new Set(items.map((item) => item.variant_id)).size));
      return;
    }
    found.count('steps');
    const order = orders.get(order_id);
    const where = `${placeOf(stored)} (${event.type}), order ${order_id}`;
    if (order === undefined) {
      found.violated(where, 'order.created before', 'none');
      return;
    }
    const missing = missingBefore(event, order);
    if (missing !== undefined) found.violated(where, missing, event.type);
    advance(order, stored, event);
  };

  return {
    take(stored, event) {
      checkCause(stored);
      if (event !== undefined) checkStep(stored, event);
    },
    finding() {
      found.count('causes outside the log', awaited.size);
      for (const [cause, { place, mustBeSeen }] of awaited) {
        if (mustBeSeen) found.violated(place, `its cause ${cause} in the log, which ${follower} follows`, 'none');
      }
      return found.finding();
    },
  };
}

function begun(total: number, variants: number): Progress {
  return {
    total,
    variants,
    reserved: 0,
    confirmed: 0,
    started: undefined,
    attempts: new Set(),
    captured: false,
    refundsAsked: new Set(),
    paid: false,
    end: undefined,
    settled: undefined,
  };
}
