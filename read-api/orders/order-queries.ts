import type { Collection, Db, Filter } from 'mongodb';
import { type OrderDocument, type OrderStatus, ordersModel } from '../../projections/orders/document.js';
import { readModelId } from '../../runtime/document-store/read-model.js';
import { type PageEnd, readPage } from '../paging.js';

/** Whose orders: one user's, with those that were imported for an importer, or everybody's, guests included. */
export type OrderScope = { readonly userId: string; readonly imported?: boolean } | 'everybody';

export interface OrderListQuery {
  readonly scope: OrderScope;
  readonly status?: OrderStatus | undefined;
  readonly after?: PageEnd | undefined;
  readonly limit: number;
}

/** An order as lists show it. */
export type OrderSummary = Omit<OrderDocument, 'items' | 'personal' | 'timeline' | 'timeline_omitted' | 'position'>;

export interface OrderQueries {
  /** Newest first. `more` tells whether there is another page. */
  list(query: OrderListQuery): Promise<{ orders: readonly OrderSummary[]; more: boolean }>;
  /** @returns undefined where there is no such order in the scope */
  find(orderId: string, scope: OrderScope): Promise<OrderDocument | undefined>;
}

function within(scope: OrderScope): Filter<OrderDocument> {
  if (scope === 'everybody') return {};
  const own = { user_id: scope.userId };
  return scope.imported === true ? { $or: [own, { channel: 'import' }] } : own;
}

export function orderQueries(db: Db): OrderQueries {
  const orders: Collection<OrderDocument> = db.collection(readModelId(ordersModel));
  return {
    async list({ scope, status, after, limit }) {
      const filter: Filter<OrderDocument> = { ...within(scope), ...(status === undefined ? {} : { status }) };
      const projection = { items: 0, personal: 0, timeline: 0, timeline_omitted: 0, position: 0 };
      const asked = { filter, field: 'placed_at' as const, direction: -1 as const, after, limit, projection };
      const { page, more } = await readPage(orders, asked);
      return { orders: page, more };
    },
    async find(orderId, scope) {
      return (await orders.findOne({ ...within(scope), _id: orderId })) ?? undefined;
    },
  };
}
