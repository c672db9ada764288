import { type Standing, standingOf } from '../../domain/fulfilment/standing.js';
import type { OrderProcess } from './order-process.js';
import type { OwedRefund, WaitingOrder } from './waiting-orders.js';

export interface FulfilmentStatus {
  /** Orders that have not ended, waiting and parked ones included. */
  readonly open: number;
  readonly parked: number;
  readonly steps: Readonly<Record<Exclude<Standing, 'ended'>, number>>;
  /** The age of the order that is open longest; null where none is. */
  readonly oldest_seconds: number | null;
  /** Money that the provider has refused to give back so far; the first of them. */
  readonly owed_refunds: readonly OwedRefund[];
  /** Orders that cannot go on until the next start; the first of them. */
  readonly parked_orders: readonly { readonly order_id: string; readonly reason: string }[];
}

const mostListed = 100;
const standingOfWaiting = { retry: 'awaiting-retry', provider: 'awaiting-payment', refund: 'owing-refund' } as const;

/** @param now milliseconds since 1970 */
export function fulfilmentStatus(
  inHand: Iterable<OrderProcess>,
  waiting: Iterable<WaitingOrder>,
  now: number,
): FulfilmentStatus {
  const steps = {
    reserving: 0,
    'awaiting-payment': 0,
    'awaiting-retry': 0,
    confirming: 0,
    compensating: 0,
    'owing-refund': 0,
  };
  const owed: OwedRefund[] = [];
  const parked: { order_id: string; reason: string }[] = [];
  let open = 0;
  let oldest = now;
  for (const { state, parked: reason, orderId: order_id, since } of inHand) {
    open += 1;
    if (since > 0) oldest = Math.min(oldest, since);
    if (reason !== undefined) {
      parked.push({ order_id, reason });
      continue;
    }
    const standing = standingOf(state);
    if (standing !== 'ended') steps[standing] += 1;
  }
  for (const order of waiting) {
    steps[standingOfWaiting[order.for]] += 1;
    if (order.owed !== undefined) owed.push(order.owed);
    if (order.for === 'refund') continue;
    open += 1;
    oldest = Math.min(oldest, order.since);
  }
  return {
    open,
    parked: parked.length,
    steps,
    oldest_seconds: open === 0 ? null : Math.round((now - oldest) / 1000),
    owed_refunds: owed.slice(0, mostListed),
    parked_orders: parked.slice(0, mostListed),
  };
}
