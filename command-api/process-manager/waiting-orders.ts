import type { ProcessState } from '../../domain/fulfilment/process-state.js';
import type { StoredEvent } from '../../runtime/event-store/event-log.js';

/** What an order waits for: its customer's next card, a provider that is silent, or the next try of a refused refund. */
export type WaitsFor = 'retry' | 'provider' | 'refund';

export interface OwedRefund {
  readonly order_id: string;
  /** minor units */
  readonly amount: number;
  readonly currency: string;
  /** How often the provider has refused. */
  readonly refusals: number;
}

export function owedBy({ order, refunds }: ProcessState): OwedRefund | undefined {
  const refused = Object.values(refunds).filter(({ status }) => status === 'failed');
  if (order === undefined || refused.length === 0) return undefined;
  const refusals = Math.max(...refused.map(({ attempt }) => attempt));
  return { order_id: order.order_id, amount: order.total * refused.length, currency: order.currency, refusals };
}

/** An order that nothing can be done for now: all that is kept of it in memory. The log has the rest. */
export interface WaitingOrder {
  readonly orderId: string;
  readonly for: WaitsFor;
  /** When it is looked at again though nothing is heard; milliseconds since 1970. */
  readonly until: number;
  /** When it was placed; milliseconds since 1970. */
  readonly since: number;
  /** The pause before this one, for a provider that stays silent. */
  readonly pauseMs: number;
  /** Until when the payment is asked for; where it is absent, the process that knew has died. ISO 8601, UTC */
  readonly deadline?: string | undefined;
  readonly owed?: OwedRefund | undefined;
  knows(event: StoredEvent): boolean;
}

export interface WaitingOrders {
  readonly size: number;
  get(orderId: string): WaitingOrder | undefined;
  put(order: WaitingOrder): void;
  delete(orderId: string): void;
  values(): IterableIterator<WaitingOrder>;
  /** Those whose time has come; with too many, also those that have waited longest for their customer. */
  due(now: number): WaitingOrder[];
}

/** @param most how many may wait at once; beyond it the customer who has waited longest gets no further try */
export function waitingOrders(most: number): WaitingOrders {
  const orders = new Map<string, WaitingOrder>();
  return {
    get size() {
      return orders.size;
    },
    get: (orderId) => orders.get(orderId),
    put(order) {
      orders.delete(order.orderId);
      orders.set(order.orderId, order);
    },
    delete: (orderId) => void orders.delete(orderId),
    values: () => orders.values(),
    due(now) {
      let tooMany = orders.size - most;
      const due: WaitingOrder[] = [];
      for (const order of orders.values()) {
        const isGivenUp = tooMany > 0 && order.for === 'retry';
        if (isGivenUp) tooMany -= 1;
        if (isGivenUp) due.push({ ...order, deadline: new Date(now).toISOString() });
        else if (order.until <= now) due.push(order);
      }
      return due;
    },
  };
}
