import type { InventoryEvent } from '../../domain/inventory/inventory-events.js';
import type { Projection, Recorded } from '../projection.js';
import { type ReservationBody, type ReservationStatus, reservationsModel } from './document.js';

const types = [
  'inventory.reserved',
  'inventory.extended',
  'inventory.confirmed',
  'inventory.released',
  'inventory.restocked',
] as const;

export type ReservationEvent = Extract<InventoryEvent, { type: (typeof types)[number] }>;

const instant = (text: string) => new Date(text).toISOString();

function reserved({ data, occurredAt }: Recorded<Extract<ReservationEvent, { type: 'inventory.reserved' }>>) {
  const { order_id, variant_id, product_id, shop_id, sku, reservations, expires_at } = data;
  return {
    order_id,
    variant_id,
    product_id,
    shop_id,
    sku,
    quantity: reservations.reduce((sum, { quantity }) => sum + quantity, 0),
    parts: reservations.map(({ warehouse_id, quantity }) => ({ warehouse_id, quantity })),
    status: 'open' as const,
    reason: null,
    expires_at: instant(expires_at),
    reserved_at: occurredAt,
    changed_at: occurredAt,
  };
}

function ended(
  reservation: ReservationBody,
  status: ReservationStatus,
  reason: string | null,
  { occurredAt }: Recorded<ReservationEvent>,
): ReservationBody {
  return { ...reservation, status, reason, changed_at: occurredAt };
}

/** Every reservation of stock, and what became of it. */
export const reservationsProjection: Projection<ReservationEvent, ReservationBody> = {
  model: reservationsModel,
  types: new Set(types),
  ids: ({ data }) => [data.reservation_id],
  evolve(reservation, event) {
    if (event.type === 'inventory.reserved') return reserved(event);
    if (reservation === undefined) return undefined;
    switch (event.type) {
      case 'inventory.extended':
        return { ...reservation, expires_at: instant(event.data.expires_at) };
      case 'inventory.confirmed':
        return ended(reservation, 'confirmed', null, event);
      case 'inventory.released':
        return ended(reservation, 'released', event.data.reason, event);
      case 'inventory.restocked':
        return ended(reservation, 'restocked', event.data.reason, event);
    }
  },
};
