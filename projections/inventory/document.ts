import type { ReadModel } from '../../runtime/document-store/read-model.js';

// The contract with read-api: a changed shape or meaning raises the version.

// Most variants do not run low: those that do have indexes of their own, which the others cost nothing.
const lowOnly = { partialFilterExpression: { low_stock: true } };

export const inventoryModel: ReadModel = {
  name: 'inventory',
  version: 1,
  indexes: [
    { key: { sku: 1, _id: 1 } },
    { key: { shop_id: 1, sku: 1, _id: 1 } },
    { key: { product_id: 1, sku: 1, _id: 1 } },
    // The one that every sale moves; across shops there is none.
    { key: { shop_id: 1, available: 1, _id: 1 } },
    { key: { low_stock: 1, sku: 1, _id: 1 }, ...lowOnly },
    { key: { low_stock: 1, available: 1, _id: 1 }, ...lowOnly },
    { key: { shop_id: 1, low_stock: 1, sku: 1, _id: 1 }, ...lowOnly },
    { key: { shop_id: 1, low_stock: 1, available: 1, _id: 1 }, ...lowOnly },
  ],
};

/** Stock in one warehouse: `available` is what is on hand and not reserved. */
export interface StockLevel {
  readonly warehouse_id: string;
  readonly on_hand: number;
  readonly reserved: number;
  readonly available: number;
}

/** The stock of a variant, `_id` is the variant's id. It holds no reservations: a hot variant has thousands. */
export interface InventoryBody {
  readonly product_id: string;
  readonly shop_id: string;
  readonly sku: string;
  readonly levels: readonly StockLevel[];
  /** Sums over all warehouses. */
  readonly on_hand: number;
  readonly reserved: number;
  readonly available: number;
  /** What `inventory.low` last told; null until then. */
  readonly low_stock_threshold: number | null;
  /** Whether `available` is at or below the threshold, or at 0 where none has been told. */
  readonly low_stock: boolean;
  /** The last event that moved stock; times are ISO 8601 UTC with milliseconds. */
  readonly last_change: { readonly type: string; readonly occurred_at: string } | null;
}

export interface InventoryDocument extends InventoryBody {
  readonly _id: string;
  readonly position: bigint;
}

export const reservationsModel: ReadModel = {
  name: 'reservations',
  version: 1,
  indexes: [{ key: { variant_id: 1, status: 1, reserved_at: -1, _id: -1 } }],
};

export const reservationStatuses = ['open', 'confirmed', 'released', 'restocked'] as const;
export type ReservationStatus = (typeof reservationStatuses)[number];

/** A reservation, `_id` is its id. Times are ISO 8601 UTC with milliseconds. */
export interface ReservationBody {
  readonly order_id: string;
  readonly variant_id: string;
  readonly product_id: string;
  readonly shop_id: string;
  readonly sku: string;
  readonly quantity: number;
  /** Of `quantity`, how much lies in each warehouse. */
  readonly parts: readonly { readonly warehouse_id: string; readonly quantity: number }[];
  readonly status: ReservationStatus;
  /** Why it was released or restocked; null otherwise. */
  readonly reason: string | null;
  readonly expires_at: string;
  readonly reserved_at: string;
  /** When the status last changed. */
  readonly changed_at: string;
}

export interface ReservationDocument extends ReservationBody {
  readonly _id: string;
  readonly position: bigint;
}
