import type { Collection, Db, Document, Filter } from 'mongodb';
import {
  type ProductSalesDocument,
  productSalesModel,
  type SalesBody,
  type SalesDocument,
  salesModel,
} from '../../projections/analytics/document.js';
import { productSearchModel } from '../../projections/product-search/document.js';
import { readModelId } from '../../runtime/document-store/read-model.js';

export const salesDimensions = ['day', 'month', 'country', 'channel', 'currency'] as const;
export type SalesDimension = (typeof salesDimensions)[number];

/** Which sales: days of `placed_at` from and to, both included, in UTC. */
export interface SalesRange {
  /** `2026-01-05` */
  readonly from: string;
  readonly to: string;
  readonly country?: string | undefined;
  readonly channel?: 'web' | 'import' | undefined;
  readonly currency?: string | undefined;
}

const salesSums = ['placed', 'confirmed', 'failed', 'cancelled', 'units', 'revenue', 'captured', 'refunded'] as const;

/** Sums of a group; it is always of one currency, in minor units. */
export interface SalesRow extends Pick<SalesBody, (typeof salesSums)[number]> {
  readonly key: Readonly<Partial<Record<SalesDimension, string>>> & { readonly currency: string };
}

export interface ProductRow {
  readonly product_id: string;
  readonly currency: string;
  /** null where the product is not known by name */
  readonly name: string | null;
  readonly orders: number;
  readonly units: number;
  readonly revenue: bigint;
}

export interface AnalyticsQueries {
  /** A row a group, in the order of the groups' keys; `more` where there are over `limit` of them. */
  sales(
    range: SalesRange,
    groupBy: readonly SalesDimension[],
    limit: number,
  ): Promise<{ rows: SalesRow[]; more: boolean }>;
  /** The products sold most, a row a product and currency. */
  topProducts(range: SalesRange, sort: 'units' | 'revenue', limit: number): Promise<ProductRow[]>;
}

/** Numbers of things; a sum beyond 32 bits comes from the store as a bigint. */
const counts = ['placed', 'confirmed', 'failed', 'cancelled', 'orders', 'units'];

function counted<Sums extends object>(sums: Sums): Sums {
  const numbers = Object.entries(sums).filter(([name]) => counts.includes(name));
  return { ...sums, ...Object.fromEntries(numbers.map(([name, sum]) => [name, Number(sum)])) };
}

const monthOf = (day: string) => day.slice(0, 7);

function narrowed({ country, channel, currency }: SalesRange): Filter<SalesDocument & ProductSalesDocument> {
  return {
    ...(country === undefined ? {} : { country }),
    ...(channel === undefined ? {} : { channel }),
    ...(currency === undefined ? {} : { currency }),
  };
}

function salesPipeline(range: SalesRange, groupBy: readonly SalesDimension[], limit: number): Document[] {
  const keys = [...new Set([...groupBy, 'currency' as const])];
  return [
    { $match: { ...narrowed(range), day: { $gte: range.from, $lte: range.to } } },
    {
      $group: {
        _id: Object.fromEntries(keys.map((key) => [key, `$${key}`])),
        ...Object.fromEntries(salesSums.map((sum) => [sum, { $sum: `$${sum}` }])),
      },
    },
    { $sort: Object.fromEntries(keys.map((key) => [`_id.${key}`, 1])) },
    { $limit: limit },
  ];
}

function productsPipeline(range: SalesRange, sort: 'units' | 'revenue', limit: number): Document[] {
  const { from, to } = range;
  const inRange = { $and: [{ $gte: ['$$day.day', from] }, { $lte: ['$$day.day', to] }] };
  const sumOf = (field: string) => ({ $sum: { $sum: `$days.${field}` } });
  return [
    { $match: { ...narrowed(range), month: { $gte: monthOf(from), $lte: monthOf(to) } } },
    { $project: { product_id: 1, currency: 1, days: { $filter: { input: '$days', as: 'day', cond: inRange } } } },
    {
      $group: {
        _id: { product_id: '$product_id', currency: '$currency' },
        orders: sumOf('orders'),
        units: sumOf('units'),
        revenue: sumOf('revenue'),
      },
    },
    { $match: { orders: { $gt: 0 } } },
    { $sort: { [sort]: -1, '_id.product_id': 1, '_id.currency': 1 } },
    { $limit: limit },
  ];
}

export function analyticsQueries(db: Db): AnalyticsQueries {
  const sales: Collection<SalesDocument> = db.collection(readModelId(salesModel));
  const products: Collection<ProductSalesDocument> = db.collection(readModelId(productSalesModel));
  const catalogue: Collection<{ _id: string; name: string }> = db.collection(readModelId(productSearchModel));
  return {
    async sales(range, groupBy, limit) {
      const found = await sales.aggregate(salesPipeline(range, groupBy, limit + 1)).toArray();
      const rows = found.slice(0, limit).map(({ _id, ...sums }) => ({ key: _id, ...counted(sums) }) as SalesRow);
      return { rows, more: found.length > limit };
    },
    async topProducts(range, sort, limit) {
      const found = await products
        .aggregate<
          { _id: Pick<ProductRow, 'product_id' | 'currency'> } & Pick<ProductRow, 'orders' | 'units' | 'revenue'>
        >(productsPipeline(range, sort, limit))
        .toArray();
      const ids = [...new Set(found.map(({ _id }) => _id.product_id))];
      const named = await catalogue.find({ _id: { $in: ids } }, { projection: { name: 1 } }).toArray();
      const names = new Map(named.map(({ _id, name }) => [_id, name]));
      return found.map(({ _id, ...sums }) => ({ ..._id, name: names.get(_id.product_id) || null, ...counted(sums) }));
    },
  };
}
