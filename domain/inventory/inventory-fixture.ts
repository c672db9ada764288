import type { InventoryCommand } from './inventory.js';
import type { InventoryEvent, ReleaseReason } from './inventory-events.js';

// What the specifications of this folder share: ids, times, commands and events of one variant's stock.

const id = (kind: string, n: number) => `018f3c1a-0000-7000-80${kind}-${String(n).padStart(12, '0')}`;
export const warehouse = (n: number) => id('0a', n);
export const reservationId = (n: number) => id('0b', n);
export const orderId = (n: number) => id('0c', n);
const variant_id = id('0d', 1);
const product_id = id('0e', 1);
export const item = { variant_id, product_id, shop_id: id('0f', 1), sku: 'MUG-1' };

/** ISO 8601, UTC: seconds after the start of the story. */
export function at(seconds: number): string {
  return new Date(Date.parse('2026-03-01T09:30:00.000Z') + seconds * 1000).toISOString();
}

const ref = (n: number) => ({ reservation_id: reservationId(n), order_id: orderId(n) });
const metadata = (seconds: number) => ({ now: at(seconds) });
/** What a reservation holds: `[warehouse, quantity]` each. */
export type Parts = readonly (readonly [number, number])[];
const partsOf = (parts: Parts) =>
  parts.map(([n, quantity]) => ({ product_id, variant_id, quantity, warehouse_id: warehouse(n) }));

/** Commands; the last argument is the second they come at. */
export const commands = {
  receive: (quantity: number, n = 1, now = 0): InventoryCommand => ({
    type: 'ReceiveStock',
    data: { ...item, warehouse_id: warehouse(n), quantity },
    metadata: metadata(now),
  }),
  adjust: (delta: number, n = 1, now = 0): InventoryCommand => ({
    type: 'AdjustStock',
    data: { ...item, warehouse_id: warehouse(n), delta, reason: 'counted' },
    metadata: metadata(now),
  }),
  reserve: (n: number, quantity: number, until = 900, now = 0, low_stock_threshold = 0): InventoryCommand => ({
    type: 'ReserveStock',
    data: { ...item, ...ref(n), quantity, expires_at: at(until), low_stock_threshold },
    metadata: metadata(now),
  }),
  extend: (n: number, until: number, now = 0): InventoryCommand => ({
    type: 'ExtendReservation',
    data: { ...item, ...ref(n), expires_at: at(until) },
    metadata: metadata(now),
  }),
  confirm: (n: number, now = 0): InventoryCommand => ({
    type: 'ConfirmReservation',
    data: { ...item, ...ref(n) },
    metadata: metadata(now),
  }),
  release: (n: number, now = 0, reason: Exclude<ReleaseReason, 'expired'> = 'cancelled'): InventoryCommand => ({
    type: 'ReleaseReservation',
    data: { ...item, ...ref(n), reason },
    metadata: metadata(now),
  }),
  restock: (n: number, now = 0, reason: 'confirmation_undone' | 'returned' = 'returned'): InventoryCommand => ({
    type: 'RestockReservation',
    data: { ...item, ...ref(n), reason },
    metadata: metadata(now),
  }),
  expire: (now: number): InventoryCommand => ({ type: 'ExpireReservations', data: item, metadata: metadata(now) }),
};

/** Events; the last argument is what is available after them. */
export const events = {
  received: (quantity: number, n: number, available: number): InventoryEvent => ({
    type: 'inventory.received',
    data: { ...item, warehouse_id: warehouse(n), quantity, available },
  }),
  adjusted: (delta: number, n: number, available: number): InventoryEvent => ({
    type: 'inventory.adjusted',
    data: { ...item, warehouse_id: warehouse(n), delta, reason: 'counted', available },
  }),
  reserved: (n: number, parts: Parts, until: number, available: number): InventoryEvent => ({
    type: 'inventory.reserved',
    data: { ...item, ...ref(n), reservations: partsOf(parts), expires_at: at(until), available },
  }),
  refused: (
    n: number,
    requested: number,
    reason: 'insufficient_stock' | 'unknown_stock',
    available: number,
  ): InventoryEvent => ({
    type: 'inventory.reservation.failed',
    data: { ...item, ...ref(n), requested, reason, available },
  }),
  extended: (n: number, until: number, available: number): InventoryEvent => ({
    type: 'inventory.extended',
    data: { ...item, ...ref(n), expires_at: at(until), available },
  }),
  confirmed: (n: number, parts: Parts, available: number): InventoryEvent => ({
    type: 'inventory.confirmed',
    data: { ...item, ...ref(n), reservations: partsOf(parts), available },
  }),
  lapsed: (n: number, available: number): InventoryEvent => ({
    type: 'inventory.confirmation.failed',
    data: { ...item, ...ref(n), reason: 'lapsed', available },
  }),
  released: (n: number, parts: Parts, reason: ReleaseReason, available: number): InventoryEvent => ({
    type: 'inventory.released',
    data: { ...item, ...ref(n), reservations: partsOf(parts), reason, available },
  }),
  restocked: (
    n: number,
    parts: Parts,
    reason: 'confirmation_undone' | 'returned',
    available: number,
  ): InventoryEvent => ({
    type: 'inventory.restocked',
    data: { ...item, ...ref(n), reservations: partsOf(parts), reason, available },
  }),
  low: (threshold: number, available: number): InventoryEvent => ({
    type: 'inventory.low',
    data: { ...item, threshold, available },
  }),
};
