import { type InventoryEvent, inventoryDefinitions, type StockPart } from '../../domain/inventory/inventory-events.js';
import type { Projection, Recorded } from '../projection.js';
import { type InventoryBody, inventoryModel, type StockLevel } from './document.js';

const nothing = (warehouse_id: string): StockLevel => ({ warehouse_id, on_hand: 0, reserved: 0, available: 0 });

function moved(stock: InventoryBody, warehouseId: string, onHand: number, reserved: number): InventoryBody {
  const { levels } = stock;
  const at = levels.findIndex(({ warehouse_id }) => warehouse_id === warehouseId);
  const was = levels[at] ?? nothing(warehouseId);
  const is = {
    warehouse_id: warehouseId,
    on_hand: was.on_hand + onHand,
    reserved: was.reserved + reserved,
    available: was.available + onHand - reserved,
  };
  return {
    ...stock,
    levels: at === -1 ? [...levels, is] : levels.with(at, is),
    on_hand: stock.on_hand + onHand,
    reserved: stock.reserved + reserved,
  };
}

/** @param signs what a unit does to the stock on hand and to what is reserved of it */
function movedParts(
  stock: InventoryBody,
  parts: readonly StockPart[],
  signs: readonly [onHand: number, reserved: number],
) {
  const [onHand, reserved] = signs;
  return parts.reduce(
    (next, { warehouse_id, quantity }) => moved(next, warehouse_id, quantity * onHand, quantity * reserved),
    stock,
  );
}

function changed(stock: InventoryBody, event: InventoryEvent): InventoryBody {
  switch (event.type) {
    case 'inventory.received':
      return moved(stock, event.data.warehouse_id, event.data.quantity, 0);
    case 'inventory.adjusted':
      return moved(stock, event.data.warehouse_id, event.data.delta, 0);
    case 'inventory.reserved':
      return movedParts(stock, event.data.reservations, [0, 1]);
    case 'inventory.confirmed':
      return movedParts(stock, event.data.reservations, [-1, -1]);
    case 'inventory.released':
      return movedParts(stock, event.data.reservations, [0, -1]);
    case 'inventory.restocked':
      return movedParts(stock, event.data.reservations, [1, 0]);
    case 'inventory.low':
      return { ...stock, low_stock_threshold: event.data.threshold };
    case 'inventory.reservation.failed':
    case 'inventory.extended':
    case 'inventory.confirmation.failed':
      return stock;
  }
}

function begun({ data: { product_id, shop_id, sku } }: InventoryEvent): InventoryBody {
  return {
    product_id,
    shop_id,
    sku,
    levels: [],
    on_hand: 0,
    reserved: 0,
    available: 0,
    low_stock_threshold: null,
    low_stock: true,
    last_change: null,
  };
}

function evolve(before: InventoryBody | undefined, event: Recorded<InventoryEvent>): InventoryBody {
  const stock = before ?? begun(event);
  const next = changed(stock, event);
  if (next === stock) return stock;
  // What is available is what the decider said; the levels are counted beside it and come to the same.
  const { available } = event.data;
  const low_stock = available <= (next.low_stock_threshold ?? 0);
  if (event.type === 'inventory.low') return { ...next, available, low_stock };
  return { ...next, available, low_stock, last_change: { type: event.type, occurred_at: event.occurredAt } };
}

/** Stock by variant: levels of each warehouse, what is available, whether it runs low. */
export const inventoryProjection: Projection<InventoryEvent, InventoryBody> = {
  model: inventoryModel,
  types: new Set(inventoryDefinitions.map(({ type }) => type)),
  ids: ({ data }) => [data.variant_id],
  evolve,
};
