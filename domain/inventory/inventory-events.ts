import { z } from 'zod';
import { defineEvent, type EventOf } from '../core/event-codec.js';
import { positiveQuantity, timestamp, uuid } from '../core/ids.js';

// STORED CONTRACT. A changed shape needs a new version, an upcaster and a golden file; a changed meaning a new type.

/** Keys that projections need on every event: whose stock, and how much is available after the event. */
const stock = {
  variant_id: uuid,
  product_id: uuid,
  shop_id: uuid,
  sku: z.string().min(1).max(100),
  available: z.int(),
};

export const stockPart = z.strictObject({
  product_id: uuid,
  variant_id: uuid,
  quantity: positiveQuantity,
  warehouse_id: uuid,
});
export type StockPart = z.output<typeof stockPart>;

const reservation = { reservation_id: uuid, order_id: uuid };
const parts = { reservations: z.array(stockPart).min(1) };

export const releaseReason = z.enum(['expired', 'cancelled', 'payment_failed', 'stock_refused']);
export type ReleaseReason = z.output<typeof releaseReason>;

export const inventoryDefinitions = [
  defineEvent({
    type: 'inventory.received',
    data: z.strictObject({ warehouse_id: uuid, quantity: positiveQuantity, ...stock }),
  }),
  defineEvent({
    type: 'inventory.adjusted',
    data: z.strictObject({ warehouse_id: uuid, delta: z.int(), reason: z.string().min(1).max(500), ...stock }),
  }),
  defineEvent({
    type: 'inventory.reserved',
    data: z.strictObject({ ...reservation, ...parts, expires_at: timestamp, ...stock }),
  }),
  defineEvent({
    type: 'inventory.reservation.failed',
    data: z.strictObject({
      ...reservation,
      requested: positiveQuantity,
      reason: z.enum(['insufficient_stock', 'unknown_stock']),
      ...stock,
    }),
  }),
  defineEvent({
    type: 'inventory.extended',
    data: z.strictObject({ ...reservation, expires_at: timestamp, ...stock }),
  }),
  defineEvent({ type: 'inventory.confirmed', data: z.strictObject({ ...reservation, ...parts, ...stock }) }),
  defineEvent({
    type: 'inventory.confirmation.failed',
    data: z.strictObject({ ...reservation, reason: z.enum(['lapsed']), ...stock }),
  }),
  defineEvent({
    type: 'inventory.restocked',
    data: z.strictObject({ ...reservation, ...parts, reason: z.enum(['confirmation_undone', 'returned']), ...stock }),
  }),
  defineEvent({
    type: 'inventory.released',
    data: z.strictObject({ ...reservation, ...parts, reason: releaseReason, ...stock }),
  }),
  defineEvent({
    type: 'inventory.low',
    data: z.strictObject({ threshold: z.int().min(0), ...stock }),
  }),
] as const;

export type InventoryEvent = EventOf<typeof inventoryDefinitions>;
/** The consistency boundary of stock: one stream a variant, every warehouse inside it. */
export const inventoryStream = (variantId: string) => `inventory-${variantId}`;
