import type { Collection, Db, Filter } from 'mongodb';
import {
  type InventoryDocument,
  inventoryModel,
  type ReservationDocument,
  type ReservationStatus,
  reservationsModel,
} from '../../projections/inventory/document.js';
import { type ShopDocument, shopsModel } from '../../projections/shops/document.js';
import { readModelId } from '../../runtime/document-store/read-model.js';
import { type PageEnd, readPage } from '../paging.js';

/** What a list of stock can be sorted by; `-` turns it round. */
export const inventorySorts = ['sku', '-sku', 'available', '-available'] as const;
export type InventorySort = (typeof inventorySorts)[number];

export interface InventoryListQuery {
  readonly shopId?: string | undefined;
  readonly productId?: string | undefined;
  readonly sku?: string | undefined;
  readonly lowOnly?: boolean | undefined;
  readonly sort: InventorySort;
  readonly after?: PageEnd<string | number> | undefined;
  readonly limit: number;
}

export interface ReservationListQuery {
  readonly variantId: string;
  readonly status: ReservationStatus;
  readonly after?: PageEnd | undefined;
  readonly limit: number;
}

export interface InventoryQueries {
  /** `more` tells whether there is another page. */
  list(query: InventoryListQuery): Promise<{ stock: readonly InventoryDocument[]; more: boolean }>;
  find(variantId: string): Promise<InventoryDocument | undefined>;
  /** Newest first. `more` tells whether there is another page. */
  reservations(query: ReservationListQuery): Promise<{ reservations: readonly ReservationDocument[]; more: boolean }>;
  owns(userId: string, shopId: string): Promise<boolean>;
}

/** The field and direction of a sort. */
export function orderOf(sort: InventorySort): { field: 'sku' | 'available'; direction: 1 | -1 } {
  return { field: sort.endsWith('sku') ? 'sku' : 'available', direction: sort.startsWith('-') ? -1 : 1 };
}

export function inventoryQueries(db: Db): InventoryQueries {
  const stock: Collection<InventoryDocument> = db.collection(readModelId(inventoryModel));
  const reservations: Collection<ReservationDocument> = db.collection(readModelId(reservationsModel));
  const shops: Collection<ShopDocument> = db.collection(readModelId(shopsModel));
  return {
    async list({ shopId, productId, sku, lowOnly, sort, after, limit }) {
      const { field, direction } = orderOf(sort);
      const wanted: Filter<InventoryDocument> = {
        ...(shopId === undefined ? {} : { shop_id: shopId }),
        ...(productId === undefined ? {} : { product_id: productId }),
        ...(sku === undefined ? {} : { sku }),
        ...(lowOnly === true ? { low_stock: true } : {}),
      };
      const { page, more } = await readPage(stock, { filter: wanted, field, direction, after, limit });
      return { stock: page, more };
    },
    async find(variantId) {
      return (await stock.findOne({ _id: variantId })) ?? undefined;
    },
    async reservations({ variantId, status, after, limit }) {
      const filter = { variant_id: variantId, status };
      const asked = { filter, field: 'reserved_at' as const, direction: -1 as const, after, limit };
      const { page, more } = await readPage(reservations, asked);
      return { reservations: page, more };
    },
    async owns(userId, shopId) {
      return (await shops.findOne({ _id: shopId, owner_id: userId }, { projection: { _id: 1 } })) !== null;
    },
  };
}
