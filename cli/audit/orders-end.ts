import { type Finding, tally } from './finding.js';
import type { Patience } from './money-of-orders.js';
import type { BookedOrder } from './order-book.js';

/**
 * I14: every order ends, once, and its fulfilment with it. One that is past every deadline the log names for it, and the
 * grace, is a violation; a younger one is under way.
 */
export function ordersEnd(orders: ReadonlyMap<string, BookedOrder>, { now, graceMs }: Patience): Finding {
  const found = tally('I14', 'every order ends', ['orders', 'ended', 'open']);
  for (const { id, created, place, ends, settled, settledAgain, deadline } of orders.values()) {
    if (created === undefined) continue;
    found.count('orders');
    const [first, second] = ends;
    if (first !== undefined && second !== undefined) {
      found.violated(
        `order ${id}`,
        `${first.status} at ${first.place}, and no other end`,
        `${second.status} at ${second.place}`,
      );
    }
    if (settled !== undefined && settledAgain !== undefined) {
      found.violated(`order ${id}`, `a fulfilment that ended once, at ${settled.place}`, `again at ${settledAgain}`);
    }
    if (first !== undefined && settled !== undefined) {
      found.count('ended');
      if (first.status === settled.outcome) continue;
      found.violated(`order ${id}`, `${first.status}, as at ${first.place}`, `${settled.outcome} at ${settled.place}`);
      continue;
    }
    found.count('open');
    const overdue = now - deadline - graceMs;
    if (overdue <= 0) continue;
    const missing = first === undefined ? 'the order has no end' : `${first.status}, but its fulfilment has not ended`;
    const expected = `an end by ${new Date(deadline + graceMs).toISOString()}`;
    found.violated(`order ${id}, begun at ${place}`, expected, missing);
  }
  return found.finding();
}
