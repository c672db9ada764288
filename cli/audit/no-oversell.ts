import type { StockPart } from '../../domain/inventory/inventory-events.js';
import { type Finding, placeOf, tally } from './finding.js';
import type { FlowEvent, Watcher } from './flow.js';

/** Units of one variant in one warehouse: what came in, less what was sold, and how many of these are promised. */
interface Held {
  onHand: number;
  reserved: number;
}

/** Where a variant's stock stands at the end of the log. */
export interface StockLevel {
  readonly available: number;
  readonly reserved: number;
  /** Confirmed and not restocked. */
  readonly sold: number;
}

interface Variant {
  readonly warehouses: Map<string, Held>;
  sold: number;
}

export interface NoOversell extends Watcher {
  finding(): Finding;
  /** By variant id. */
  levels(): ReadonlyMap<string, StockLevel>;
}

/** How a reservation's parts move what is there and what is promised. */
const moves: Readonly<Record<string, { onHand: number; reserved: number }>> = {
  'inventory.reserved': { onHand: 0, reserved: 1 },
  'inventory.released': { onHand: 0, reserved: -1 },
  'inventory.confirmed': { onHand: -1, reserved: -1 },
  'inventory.restocked': { onHand: 1, reserved: 0 },
};

/**
 * I1, with arithmetic of its own: at every prefix of the log, in every warehouse, no more units of a variant are reserved
 * or sold than came in, and each event tells the amount that is left.
 */
export function noOversell(): NoOversell {
  const found = tally('I1', 'no oversell: reserved + sold <= received + adjusted, at every prefix', [
    'prefixes',
    'variants',
  ]);
  const variants = new Map<string, Variant>();

  const change = (variant: Variant, warehouseId: string, onHand: number, reserved: number) => {
    const held = variant.warehouses.get(warehouseId) ?? { onHand: 0, reserved: 0 };
    held.onHand += onHand;
    held.reserved += reserved;
    variant.warehouses.set(warehouseId, held);
  };
  const changeParts = (variant: Variant, type: string, parts: readonly StockPart[]) => {
    const { onHand, reserved } = moves[type] ?? { onHand: 0, reserved: 0 };
    for (const { warehouse_id, quantity } of parts) {
      change(variant, warehouse_id, onHand * quantity, reserved * quantity);
      variant.sold -= onHand * quantity;
    }
  };
  const availableOf = ({ warehouses }: Variant) => {
    let available = 0;
    for (const { onHand, reserved } of warehouses.values()) available += onHand - reserved;
    return available;
  };

  return {
    take(stored, event) {
      if (event === undefined || !isStock(event)) return;
      const { variant_id, available } = event.data;
      const variant = variants.get(variant_id) ?? { warehouses: new Map(), sold: 0 };
      if (!variants.has(variant_id)) found.count('variants');
      variants.set(variant_id, variant);
      if (event.type === 'inventory.received') change(variant, event.data.warehouse_id, event.data.quantity, 0);
      else if (event.type === 'inventory.adjusted') change(variant, event.data.warehouse_id, event.data.delta, 0);
      else if ('reservations' in event.data) changeParts(variant, event.type, event.data.reservations);
      found.count('prefixes');
      for (const [warehouseId, { onHand, reserved }] of variant.warehouses) {
        if (onHand >= reserved && onHand >= 0 && reserved >= 0) continue;
        const where = `${placeOf(stored)} (${event.type}, warehouse ${warehouseId})`;
        found.violated(where, `no more than ${onHand} units reserved`, `${reserved} reserved`);
      }
      const left = availableOf(variant);
      if (left !== available) {
        found.violated(`${placeOf(stored)} (${event.type})`, `available ${left}`, `available ${available}`);
      }
    },
    finding: () => found.finding(),
    levels: () =>
      new Map(
        [...variants].map(([id, variant]) => {
          const reserved = [...variant.warehouses.values()].reduce((sum, held) => sum + held.reserved, 0);
          return [id, { available: availableOf(variant), reserved, sold: variant.sold }];
        }),
      ),
  };
}

type StockEvent = Extract<FlowEvent, { type: `inventory.${string}` }>;

function isStock(event: FlowEvent): event is StockEvent {
  return event.type.startsWith('inventory.');
}
