import type { Command, Decider } from '../core/decider.js';
import { DomainError } from '../core/domain-error.js';
import { PersistentMap } from '../core/persistent-map.js';
import { type ExpiryQueue, withEntry, withoutTop } from './expiry-queue.js';
import type { InventoryEvent, ReleaseReason, StockPart } from './inventory-events.js';

/** Whose stock a stream holds. Every command carries it, so that a stream's first event knows it. */
export interface StockItem {
  readonly variant_id: string;
  readonly product_id: string;
  readonly shop_id: string;
  readonly sku: string;
}

interface ReservationRef {
  readonly reservation_id: string;
  readonly order_id: string;
}

export type ReceiveStock = Command<'ReceiveStock', StockItem & { warehouse_id: string; quantity: number }>;
export type AdjustStock = Command<'AdjustStock', StockItem & { warehouse_id: string; delta: number; reason: string }>;
export type ReserveStock = Command<
  'ReserveStock',
  StockItem & ReservationRef & { quantity: number; expires_at: string; low_stock_threshold: number }
>;
export type ExtendReservation = Command<'ExtendReservation', StockItem & ReservationRef & { expires_at: string }>;
export type ConfirmReservation = Command<'ConfirmReservation', StockItem & ReservationRef>;
export type ReleaseReservation = Command<
  'ReleaseReservation',
  StockItem & ReservationRef & { reason: Exclude<ReleaseReason, 'expired'> }
>;
export type RestockReservation = Command<
  'RestockReservation',
  StockItem & ReservationRef & { reason: 'confirmation_undone' | 'returned' }
>;
export type ExpireReservations = Command<'ExpireReservations', StockItem>;

export type InventoryCommand =
  | ReceiveStock
  | AdjustStock
  | ReserveStock
  | ExtendReservation
  | ConfirmReservation
  | ReleaseReservation
  | RestockReservation
  | ExpireReservations;

interface OpenReservation extends ReservationRef {
  readonly parts: readonly StockPart[];
  /** milliseconds since 1970 */
  readonly expiresAt: number;
}

interface ClosedReservation extends ReservationRef {
  readonly parts: readonly StockPart[];
  readonly ended: 'confirmed' | 'released' | 'restocked';
}

export interface InventoryState {
  readonly item: StockItem | undefined;
  /** warehouse -> units in it, and how many of them are reserved */
  readonly warehouses: Readonly<Record<string, { readonly onHand: number; readonly reserved: number }>>;
  readonly available: number;
  readonly open: PersistentMap<OpenReservation>;
  /** When open reservations lapse; its top is always one that is open. */
  readonly expiries: ExpiryQueue;
  /** Reservations that ended, in two generations, so that a stream that sells for years stays small in memory. */
  readonly closed: PersistentMap<ClosedReservation>;
  readonly closedBefore: PersistentMap<ClosedReservation>;
}

const generation = 5_000;

/** Expired reservations that one decision releases: more of them might not fit into one append. */
const mostReleases = 400;

const initialState: InventoryState = {
  item: undefined,
  warehouses: {},
  available: 0,
  open: PersistentMap.empty(),
  expiries: undefined,
  closed: PersistentMap.empty(),
  closedBefore: PersistentMap.empty(),
};

function closedReservation(state: InventoryState, id: string): ClosedReservation | undefined {
  return state.closed.get(id) ?? state.closedBefore.get(id);
}

function quantityOf(parts: readonly StockPart[]): number {
  return parts.reduce((sum, part) => sum + part.quantity, 0);
}

function moved(state: InventoryState, warehouseId: string, onHand: number, reserved: number): InventoryState {
  const was = state.warehouses[warehouseId] ?? { onHand: 0, reserved: 0 };
  const is = { onHand: was.onHand + onHand, reserved: was.reserved + reserved };
  const available = state.available + onHand - reserved;
  return { ...state, warehouses: { ...state.warehouses, [warehouseId]: is }, available };
}

function movedParts(state: InventoryState, parts: readonly StockPart[], onHand: number, reserved: number) {
  return parts.reduce(
    (next, part) => moved(next, part.warehouse_id, part.quantity * onHand, part.quantity * reserved),
    state,
  );
}

function withOpen(state: InventoryState, reservation: OpenReservation): InventoryState {
  const { reservation_id: id, expiresAt } = reservation;
  const open = state.open.set(id, reservation);
  return { ...state, open, expiries: openOnTop(withEntry(state.expiries, { id, expiresAt }), open) };
}

function withoutOpen(state: InventoryState, id: string): InventoryState {
  const open = state.open.delete(id);
  return open === state.open ? state : { ...state, open, expiries: openOnTop(state.expiries, open) };
}

/** Entries of reservations that ended or were extended stay in the queue until they come to its top. */
function openOnTop(expiries: ExpiryQueue, open: InventoryState['open']): ExpiryQueue {
  let queue = expiries;
  while (queue !== undefined && open.get(queue.id)?.expiresAt !== queue.expiresAt) queue = withoutTop(queue);
  return queue;
}

function withClosed(state: InventoryState, reservation: ClosedReservation): InventoryState {
  const closed = state.closed.set(reservation.reservation_id, reservation);
  return closed.size < generation
    ? { ...state, closed }
    : { ...state, closed: PersistentMap.empty(), closedBefore: closed };
}

function evolve(state: InventoryState, event: InventoryEvent): InventoryState {
  const { data } = event;
  const { variant_id, product_id, shop_id, sku } = data;
  const known = state.item === undefined ? { ...state, item: { variant_id, product_id, shop_id, sku } } : state;
  switch (event.type) {
    case 'inventory.received':
      return moved(known, event.data.warehouse_id, event.data.quantity, 0);
    case 'inventory.adjusted':
      return moved(known, event.data.warehouse_id, event.data.delta, 0);
    case 'inventory.reserved': {
      const { reservation_id, order_id, reservations: parts, expires_at } = event.data;
      const reservation = { reservation_id, order_id, parts, expiresAt: Date.parse(expires_at) };
      return withOpen(movedParts(known, parts, 0, 1), reservation);
    }
    case 'inventory.extended': {
      const reservation = known.open.get(event.data.reservation_id);
      if (reservation === undefined) return known;
      return withOpen(known, { ...reservation, expiresAt: Date.parse(event.data.expires_at) });
    }
    case 'inventory.confirmed': {
      const { reservation_id, order_id, reservations: parts } = event.data;
      const left = movedParts(withoutOpen(known, reservation_id), parts, -1, -1);
      return withClosed(left, { reservation_id, order_id, parts, ended: 'confirmed' });
    }
    case 'inventory.released': {
      const { reservation_id, order_id, reservations: parts } = event.data;
      const freed = movedParts(withoutOpen(known, reservation_id), parts, 0, -1);
      return withClosed(freed, { reservation_id, order_id, parts, ended: 'released' });
    }
    case 'inventory.restocked': {
      const { reservation_id, order_id, reservations: parts } = event.data;
      return withClosed(movedParts(known, parts, 1, 0), { reservation_id, order_id, parts, ended: 'restocked' });
    }
    case 'inventory.reservation.failed':
    case 'inventory.confirmation.failed':
    case 'inventory.low':
      return known;
  }
}

/**
 * Spreads a quantity over warehouses: one that holds it all where there is one (the fullest), else the fullest first.
 *
 * @returns undefined where there is not enough
 */
function allocate(state: InventoryState, item: StockItem, quantity: number): StockPart[] | undefined {
  if (quantity > state.available) return undefined;
  const fullestFirst = Object.entries(state.warehouses)
    .map(([warehouse_id, { onHand, reserved }]) => ({ warehouse_id, free: onHand - reserved }))
    .filter(({ free }) => free > 0)
    .sort((a, b) => b.free - a.free || (a.warehouse_id < b.warehouse_id ? -1 : 1));
  const parts: StockPart[] = [];
  let missing = quantity;
  for (const { warehouse_id, free } of fullestFirst) {
    const taken = Math.min(free, missing);
    parts.push({ product_id: item.product_id, variant_id: item.variant_id, quantity: taken, warehouse_id });
    missing -= taken;
    if (missing === 0) return parts;
  }
  return undefined;
}

/** Releases what is due, the longest overdue first. What one decision leaves is left to the next. */
function expired(state: InventoryState, item: StockItem, now: number, except?: string): InventoryEvent[] {
  let { expiries, available } = state;
  const events: InventoryEvent[] = [];
  while (expiries !== undefined && expiries.expiresAt <= now && events.length < mostReleases) {
    const due = state.open.get(expiries.id);
    if (due !== undefined && due.expiresAt === expiries.expiresAt && due.reservation_id !== except) {
      const { reservation_id, order_id, parts } = due;
      available += quantityOf(parts);
      const data = { reservation_id, order_id, reservations: [...parts], reason: 'expired' as const };
      events.push({ type: 'inventory.released', data: { ...data, ...item, available } });
    }
    expiries = withoutTop(expiries);
  }
  return events;
}

function positive(quantity: number): void {
  if (quantity < 1) throw new DomainError('quantity-not-positive', 'A quantity is at least 1.');
}

function afterExpiry(command: InventoryCommand, state: InventoryState, item: StockItem): InventoryEvent[] {
  const { available } = state;
  switch (command.type) {
    case 'ReceiveStock': {
      const { warehouse_id, quantity } = command.data;
      positive(quantity);
      return [
        { type: 'inventory.received', data: { warehouse_id, quantity, ...item, available: available + quantity } },
      ];
    }
    case 'AdjustStock': {
      const { warehouse_id, delta, reason } = command.data;
      if (delta === 0) return [];
      const { onHand, reserved } = state.warehouses[warehouse_id] ?? { onHand: 0, reserved: 0 };
      if (onHand + delta < reserved) {
        throw new DomainError('stock-below-zero', 'That would leave less than what is reserved.', { onHand, reserved });
      }
      return [
        { type: 'inventory.adjusted', data: { warehouse_id, delta, reason, ...item, available: available + delta } },
      ];
    }
    case 'ReserveStock': {
      const { reservation_id, order_id, quantity, expires_at, low_stock_threshold: threshold } = command.data;
      positive(quantity);
      if (state.open.get(reservation_id) !== undefined) return [];
      const ref = { reservation_id, order_id };
      const reservations = allocate(state, item, quantity);
      if (reservations === undefined || closedReservation(state, reservation_id) !== undefined) {
        const unknown = Object.keys(state.warehouses).length === 0;
        const reason = unknown ? ('unknown_stock' as const) : ('insufficient_stock' as const);
        const data = { ...ref, requested: quantity, reason, ...item, available };
        return [{ type: 'inventory.reservation.failed', data }];
      }
      const left = available - quantity;
      const reserved = { ...ref, reservations, expires_at, ...item, available: left };
      const low = available > threshold && left <= threshold;
      return [
        { type: 'inventory.reserved', data: reserved },
        ...(low ? [{ type: 'inventory.low' as const, data: { threshold, ...item, available: left } }] : []),
      ];
    }
    case 'ExtendReservation': {
      const { reservation_id, order_id, expires_at } = command.data;
      const reservation = state.open.get(reservation_id);
      if (reservation === undefined) throw unknownReservation(reservation_id);
      if (Date.parse(expires_at) <= reservation.expiresAt) return [];
      return [{ type: 'inventory.extended', data: { reservation_id, order_id, expires_at, ...item, available } }];
    }
    case 'ConfirmReservation': {
      const { reservation_id, order_id } = command.data;
      const reservation = state.open.get(reservation_id);
      if (reservation !== undefined) {
        const reservations = [...reservation.parts];
        return [{ type: 'inventory.confirmed', data: { reservation_id, order_id, reservations, ...item, available } }];
      }
      if (closedReservation(state, reservation_id)?.ended === 'confirmed') return [];
      const data = { reservation_id, order_id, reason: 'lapsed' as const, ...item, available };
      return [{ type: 'inventory.confirmation.failed', data }];
    }
    case 'ReleaseReservation': {
      const { reservation_id, order_id, reason } = command.data;
      const reservation = state.open.get(reservation_id);
      if (reservation === undefined) {
        // Whoever gives stock back may not have heard that it was confirmed: it must come back all the same.
        const confirmed = closedReservation(state, reservation_id);
        return confirmed?.ended === 'confirmed' ? [restocked(confirmed, 'confirmation_undone', item, available)] : [];
      }
      const reservations = [...reservation.parts];
      const data = { reservation_id, order_id, reservations, reason, ...item };
      return [{ type: 'inventory.released', data: { ...data, available: available + quantityOf(reservations) } }];
    }
    case 'RestockReservation': {
      const { reservation_id, reason } = command.data;
      const reservation = closedReservation(state, reservation_id);
      if (reservation?.ended === 'restocked') return [];
      if (reservation?.ended !== 'confirmed') throw unknownReservation(reservation_id);
      return [restocked(reservation, reason, item, available)];
    }
    case 'ExpireReservations':
      return [];
  }
}

function restocked(
  { reservation_id, order_id, parts }: ClosedReservation,
  reason: RestockReservation['data']['reason'],
  item: StockItem,
  available: number,
): InventoryEvent {
  const data = { reservation_id, order_id, reservations: [...parts], reason, ...item };
  return { type: 'inventory.restocked', data: { ...data, available: available + quantityOf(parts) } };
}

function unknownReservation(reservation_id: string): DomainError {
  return new DomainError('reservation-not-found', 'There is no such reservation.', { reservation_id });
}

/** Releases what is due first, in the same decision: a lost timer can never block stock. */
function decide(command: InventoryCommand, state: InventoryState): readonly InventoryEvent[] {
  const { variant_id, product_id, shop_id, sku } = command.data;
  const item = state.item ?? { variant_id, product_id, shop_id, sku };
  // A reservation that is due but still held may be confirmed or extended: nobody else has its stock.
  const keeps = command.type === 'ConfirmReservation' || command.type === 'ExtendReservation';
  const own = keeps ? command.data.reservation_id : undefined;
  const due = expired(state, item, Date.parse(command.metadata.now), own);
  return [...due, ...afterExpiry(command, due.reduce(evolve, state), item)];
}

export const inventoryDecider: Decider<InventoryState, InventoryCommand, InventoryEvent> = {
  initialState,
  decide,
  evolve,
};
