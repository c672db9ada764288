import { type FulfilmentEvent, fulfilmentDefinitions } from '../../domain/fulfilment/fulfilment-events.js';
import type { InventoryEvent } from '../../domain/inventory/inventory-events.js';
import { type OrderEvent, orderDefinitions } from '../../domain/order/order-events.js';
import { type PaymentEvent, paymentDefinitions } from '../../domain/payment/payment-events.js';

/** Of the stock's events only the failures: an order of a thousand lines is not rewritten for every line reserved. */
const stockFailures = ['inventory.reservation.failed', 'inventory.confirmation.failed'] as const;

/** What the read model of orders is made of. */
export type OrderModelEvent =
  | OrderEvent
  | PaymentEvent
  | FulfilmentEvent
  | Extract<InventoryEvent, { type: (typeof stockFailures)[number] }>;

export const orderModelTypes: ReadonlySet<string> = new Set([
  ...[...orderDefinitions, ...paymentDefinitions, ...fulfilmentDefinitions].map(({ type }) => type),
  ...stockFailures,
]);
