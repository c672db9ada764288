import { ordersProjection } from './orders/orders.js';
import type { Projection } from './projection.js';

export interface Seen {
  readonly seen: readonly string[];
}

/** Keeps the types of an order's events in their order; cannot fold payments of the orders that are named. */
export function picky(...poisoned: readonly string[]): Projection {
  return {
    model: { name: 'seen', version: 1, indexes: [] },
    types: ordersProjection.types,
    ids: (event) => [String((event.data as { order_id: string }).order_id)],
    evolve(document, event, id) {
      if (event.type === 'order.paid' && poisoned.includes(id)) throw new Error('Jane Doe cannot be folded');
      return { seen: [...((document as Seen | undefined)?.seen ?? []), event.type] };
    },
  };
}
