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
import { follows, type PageEnd } from '../paging.js';

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
      const filter = after === undefined ? wanted : { $and: [wanted, follows(field, direction, after)] };
      const found = await stock
        .find(filter)
        .sort({ [field]: direction, _id: direction })
        .limit(limit + 1)
        .toArray();
      return { stock: found.slice(0, limit), more: found.length > limit };
    },
    async find(variantId) {
      return (await stock.findOne({ _id: variantId })) ?? undefined;
    },
    async reservations({ variantId, status, after, limit }) {
      const filter: Filter<ReservationDocument> = {
        variant_id: variantId,
        status,
        ...(after === undefined ? {} : follows('reserved_at', -1, after)),
      };
      const found = await reservations
        .find(filter)
        .sort({ reserved_at: -1, _id: -1 })
        .limit(limit + 1)
        .toArray();
      return { reservations: found.slice(0, limit), more: found.length > limit };
    },
    async owns(userId, shopId) {
      return (await shops.findOne({ _id: shopId, owner_id: userId }, { projection: { _id: 1 } })) !== null;
    },
  };
}
