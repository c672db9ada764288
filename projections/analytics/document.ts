import type { ReadModel } from '../../runtime/document-store/read-model.js';

// The contract with read-api: a changed shape or meaning raises the version.

export const salesModel: ReadModel = {
  name: 'analytics-sales',
  version: 1,
  indexes: [{ key: { day: 1 } }, { key: { country: 1, day: 1 } }],
};

export const productSalesModel: ReadModel = {
  name: 'analytics-products',
  version: 1,
  indexes: [{ key: { month: 1 } }, { key: { country: 1, month: 1 } }],
};

/** What sales are told apart by. Days and months are those of the order's `placed_at`, in UTC. */
export interface SalesKeys {
  /** `2026-01` */
  readonly month: string;
  readonly country: string;
  readonly channel: 'web' | 'import';
  readonly currency: string;
}

/** The sales of one day, country, channel and currency. Amounts are minor units, as wide as the store's integers. */
export interface SalesBody extends SalesKeys {
  /** `2026-01-05` */
  readonly day: string;
  /** Orders: every order is placed, and ends as at most one of the others. */
  readonly placed: number;
  readonly confirmed: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Of confirmed orders: the lines' quantities and amounts, without shipping and tax. */
  readonly units: number;
  readonly revenue: bigint;
  /** Of every order, however it ended: what the provider took and gave back. */
  readonly captured: bigint;
  readonly refunded: bigint;
}

export interface SalesDocument extends SalesBody {
  readonly _id: string;
  readonly position: bigint;
}

/** What confirmed orders of one day hold of a product. */
export interface ProductDay {
  readonly day: string;
  readonly orders: number;
  readonly units: number;
  readonly revenue: bigint;
}

/** A product's sales of one month, country, channel and currency: its days in the order they were heard of. */
export interface ProductSalesBody extends SalesKeys {
  readonly product_id: string;
  readonly days: readonly ProductDay[];
}

export interface ProductSalesDocument extends ProductSalesBody {
  readonly _id: string;
  readonly position: bigint;
}
