import type { StoredEvent } from '../../runtime/event-store/event-log.js';
import { type Finding, placeOf, tally } from './finding.js';
import type { FlowEvent, Watcher } from './flow.js';
import type { BookedOrder } from './order-book.js';

type Standing = 'open' | 'released' | 'confirmed' | 'undone' | 'returned';

interface Reservation {
  readonly orderId: string;
  readonly stream: string;
  readonly variantId: string;
  /** Units by warehouse, as text that compares. */
  readonly parts: string;
  readonly units: number;
  readonly place: string;
  standing: Standing;
}

/** From where to where a reservation may go, by event. */
const ways: Readonly<Record<string, { readonly from: Standing; readonly to: Standing }>> = {
  'inventory.released': { from: 'open', to: 'released' },
  'inventory.confirmed': { from: 'open', to: 'confirmed' },
  'inventory.restocked': { from: 'confirmed', to: 'undone' },
};

type WithParts = Extract<FlowEvent, { data: { reservations: unknown } }>;

const partsOf = ({ data }: WithParts) =>
  data.reservations
    .map(({ warehouse_id, quantity }) => `${quantity} in ${warehouse_id}`)
    .sort()
    .join(', ');

export interface ReservationsLeftOnce extends Watcher {
  /** @param orders what became of the orders that the reservations are for */
  finding(orders: ReadonlyMap<string, BookedOrder>): Finding;
}

/**
 * I2: a reservation is taken once and left exactly once, by what was taken; what was confirmed comes back by restocking
 * alone; an order that ended holds nothing, and one that was confirmed sold exactly its units of each variant.
 */
export function reservationsLeftOnce(): ReservationsLeftOnce {
  const found = tally('I2', 'stock is conserved: every reservation is left exactly once', [
    'reservations',
    'confirmed',
    'released',
    'restocked',
    'open',
    'orders',
  ]);
  const reservations = new Map<string, Reservation>();

  const taken = (stored: StoredEvent, event: Extract<FlowEvent, { type: 'inventory.reserved' }>) => {
    const { reservation_id: id, order_id: orderId, variant_id: variantId, reservations: taken } = event.data;
    const known = reservations.get(id);
    if (known !== undefined) {
      found.violated(`${placeOf(stored)}, reservation ${id}`, 'an id that is new', `reserved before at ${known.place}`);
      return;
    }
    const units = taken.reduce((sum, { quantity }) => sum + quantity, 0);
    const { stream } = stored;
    const parts = partsOf(event);
    reservations.set(id, { orderId, stream, variantId, parts, units, place: placeOf(stored), standing: 'open' });
    found.count('reservations');
  };

  return {
    take(stored, event) {
      if (event === undefined) return;
      if (event.type === 'inventory.reserved') return taken(stored, event);
      const way = ways[event.type];
      if (way === undefined || !('reservations' in event.data)) return;
      const { reservation_id: id, order_id } = event.data;
      const where = `${placeOf(stored)} (${event.type}), reservation ${id}`;
      const known = reservations.get(id);
      if (known === undefined || known.stream !== stored.stream) {
        found.violated(where, 'a reservation taken before in this stream', 'none');
        return;
      }
      if (known.standing !== way.from) {
        found.violated(where, `a reservation that is ${way.from}`, known.standing);
        return;
      }
      const parts = partsOf(event as WithParts);
      if (parts !== known.parts) found.violated(where, known.parts, parts);
      if (order_id !== known.orderId) found.violated(where, `order ${known.orderId}`, `order ${order_id}`);
      const returned = event.type === 'inventory.restocked' && event.data.reason === 'returned';
      known.standing = returned ? 'returned' : way.to;
      found.count(event.type.slice('inventory.'.length));
    },
    finding(orders) {
      const sold = new Map<string, Map<string, number>>();
      const sell = (orderId: string, variantId: string, units: number) => {
        const ofOrder = sold.get(orderId) ?? new Map<string, number>();
        sold.set(orderId, ofOrder.set(variantId, (ofOrder.get(variantId) ?? 0) + units));
      };
      for (const [id, { orderId, variantId, standing, units, place }] of reservations) {
        const order = orders.get(orderId);
        if (order?.created === undefined) {
          found.violated(`${place}, reservation ${id}`, `order ${orderId} in the log`, 'no such order');
        }
        if (standing === 'confirmed' || standing === 'returned') sell(orderId, variantId, units);
        if (standing !== 'open') continue;
        found.count('open');
        if (order?.settled === undefined) continue;
        const seen = `still held, though order ${orderId} ended ${order.settled.outcome} at ${order.settled.place}`;
        found.violated(`${place}, reservation ${id}`, 'confirmed or released', seen);
      }
      for (const { id, created, settled } of orders.values()) {
        if (created === undefined || settled === undefined) continue;
        found.count('orders');
        const due = settled.outcome === 'confirmed' ? created.units : nothing;
        const units = sold.get(id) ?? nothing;
        const wrong = firstThatDiffers(due, units);
        if (wrong === undefined) continue;
        found.violated(
          `order ${id}, ${settled.outcome} at ${settled.place}`,
          `${due.get(wrong) ?? 0} units of ${wrong} sold`,
          `${units.get(wrong) ?? 0} units sold`,
        );
      }
      return found.finding();
    },
  };
}

type Units = ReadonlyMap<string, number>;

const nothing: Units = new Map();

function firstThatDiffers(due: Units, sold: Units): string | undefined {
  for (const [variantId, units] of due) if (sold.get(variantId) !== units) return variantId;
  for (const variantId of sold.keys()) if (!due.has(variantId)) return variantId;
  return undefined;
}
