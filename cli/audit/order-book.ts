import type { StoredEvent } from '../../runtime/event-store/event-log.js';
import { placeOf } from './finding.js';
import type { FlowEvent, Watcher } from './flow.js';

export type OrderEnd = 'confirmed' | 'failed' | 'cancelled';

export interface Capture {
  readonly attempt: number;
  readonly amount: number;
  readonly currency: string;
  /** The provider's id of the payment. */
  readonly providerId: string;
  readonly place: string;
  readonly position: bigint;
}

export interface Refund {
  readonly amount: number;
  readonly currency: string;
  status: 'requested' | 'refunded' | 'refused';
  /** How often it was recorded as given back. */
  timesRefunded: number;
  place: string;
  position: bigint;
  /** Milliseconds since 1970. */
  changedAt: number;
}

/** What the log says of one order: what it owes, what was taken for it, how it ended. */
export interface BookedOrder {
  readonly id: string;
  /** Undefined where the log speaks of an order that it does not create. */
  created:
    | {
        readonly total: number;
        readonly currency: string;
        /** By variant id. */
        readonly units: ReadonlyMap<string, number>;
        readonly at: number;
      }
    | undefined;
  /** The first event that names it. */
  readonly place: string;
  ends: { readonly status: OrderEnd; readonly place: string }[];
  /** How its fulfilment ended: from here on nothing is under way. */
  settled: { readonly outcome: OrderEnd; readonly place: string } | undefined;
  /** Where its fulfilment ended once more. */
  settledAgain: string | undefined;
  /** The latest deadline that the log names for it, milliseconds since 1970. */
  deadline: number;
  readonly attempts: Set<number>;
  readonly captures: Capture[];
  readonly refunds: Map<string, Refund>;
  /** Given back for goods that were returned. */
  returned: number;
}

export interface OrderBook extends Watcher {
  readonly orders: ReadonlyMap<string, BookedOrder>;
}

function blank(id: string, stored: StoredEvent): BookedOrder {
  return {
    id,
    created: undefined,
    place: placeOf(stored),
    ends: [],
    settled: undefined,
    settledAgain: undefined,
    deadline: 0,
    attempts: new Set(),
    captures: [],
    refunds: new Map(),
    returned: 0,
  };
}

/** What was taken for an order less what was given back, minor units. */
export function netOf({ captures, refunds }: BookedOrder): number {
  let net = 0;
  for (const { amount } of captures) net += amount;
  for (const { amount, timesRefunded } of refunds.values()) net -= amount * timesRefunded;
  return net;
}

/** The refunds that the provider refused, so that they are still owed. */
export function owedOf({ refunds }: BookedOrder): readonly Refund[] {
  return [...refunds.values()].filter(({ status }) => status === 'refused');
}

/** Books every order's money and end, for the checks that compare them. */
export function orderBook(): OrderBook {
  const orders = new Map<string, BookedOrder>();
  const orderOf = (id: string, stored: StoredEvent): BookedOrder => {
    let order = orders.get(id);
    if (order === undefined) {
      order = blank(id, stored);
      orders.set(id, order);
    }
    return order;
  };
  return {
    orders,
    take(stored, event) {
      if (event === undefined || !('order_id' in event.data)) return;
      const order = orderOf(event.data.order_id, stored);
      if (event.type === 'order.created') {
        const { total, currency, items } = event.data;
        const units = new Map<string, number>();
        for (const { variant_id, quantity } of items) units.set(variant_id, (units.get(variant_id) ?? 0) + quantity);
        order.created ??= { total, currency, units, at: stored.recordedAt.getTime() };
        order.deadline = Math.max(order.deadline, stored.recordedAt.getTime());
      } else bookEnd(order, stored, event) || bookMoney(order, stored, event) || bookDeadline(order, event);
    },
  };
}

function bookEnd(order: BookedOrder, stored: StoredEvent, event: FlowEvent): boolean {
  switch (event.type) {
    case 'order.confirmed':
    case 'order.failed':
    case 'order.cancelled':
      order.ends.push({ status: event.type.slice('order.'.length) as OrderEnd, place: placeOf(stored) });
      return true;
    case 'fulfilment.ended':
      if (order.settled === undefined) order.settled = { outcome: event.data.outcome, place: placeOf(stored) };
      else order.settledAgain ??= placeOf(stored);
      return true;
    default:
      return false;
  }
}

function bookMoney(order: BookedOrder, stored: StoredEvent, event: FlowEvent): boolean {
  const at = { place: placeOf(stored), position: stored.position };
  switch (event.type) {
    case 'payment.initiated':
      order.attempts.add(event.data.attempt);
      order.deadline = Math.max(order.deadline, Date.parse(event.data.deadline));
      return true;
    case 'payment.success': {
      const { attempt, amount, currency, provider_transaction_id: providerId } = event.data;
      order.captures.push({ attempt, amount, currency, providerId, ...at });
      return true;
    }
    case 'payment.refund_requested':
    case 'payment.refunded':
    case 'payment.refund_failed': {
      const { refund_id, amount, currency } = event.data;
      const known = order.refunds.get(refund_id);
      const refund: Refund = known ?? { amount, currency, status: 'requested', timesRefunded: 0, ...at, changedAt: 0 };
      order.refunds.set(refund_id, Object.assign(refund, at, { changedAt: stored.recordedAt.getTime() }));
      if (event.type === 'payment.refunded') {
        refund.status = 'refunded';
        refund.timesRefunded += 1;
      } else if (event.type === 'payment.refund_failed') refund.status = 'refused';
      return true;
    }
    case 'order.refunded':
      order.returned += event.data.amount;
      return true;
    default:
      return false;
  }
}

function bookDeadline(order: BookedOrder, event: FlowEvent): void {
  const named =
    event.type === 'fulfilment.started'
      ? event.data.deadline
      : event.type === 'inventory.reserved' || event.type === 'inventory.extended'
        ? event.data.expires_at
        : null;
  if (named !== null) order.deadline = Math.max(order.deadline, Date.parse(named));
}
