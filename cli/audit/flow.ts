import type { FulfilmentEvent } from '../../domain/fulfilment/fulfilment-events.js';
import { fulfilmentDefinitions } from '../../domain/fulfilment/fulfilment-events.js';
import { type InventoryEvent, inventoryDefinitions } from '../../domain/inventory/inventory-events.js';
import { type OrderEvent, orderDefinitions } from '../../domain/order/order-events.js';
import { type PaymentEvent, paymentDefinitions } from '../../domain/payment/payment-events.js';
import type { StoredEvent } from '../../runtime/event-store/event-log.js';

/** What an order's way is made of. */
export type FlowEvent = OrderEvent | PaymentEvent | FulfilmentEvent | InventoryEvent;

const flowTypes: ReadonlySet<string> = new Set(
  [...orderDefinitions, ...paymentDefinitions, ...fulfilmentDefinitions, ...inventoryDefinitions].map(
    ({ type }) => type,
  ),
);

export function isFlow(event: { readonly type: string }): event is FlowEvent {
  return flowTypes.has(event.type);
}

/** Looks at every event of the log once, in its order. */
export interface Watcher {
  /** @param event decoded as its newest version; undefined where it is no part of an order's way */
  take(stored: StoredEvent, event: FlowEvent | undefined): void;
}
