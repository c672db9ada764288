import type { Collection, Document, Filter } from 'mongodb';
import { type ProductDocument, priceBands } from '../../projections/product-search/document.js';

export interface Counted {
  readonly value: string;
  readonly count: number;
}

/** How the products that match divide. */
export interface ProductFacets {
  /** Counting ends at 10,000; `total_is_at_least` says so. */
  readonly total: number;
  readonly total_is_at_least: boolean;
  /** The most frequent ones. */
  readonly categories: readonly Counted[];
  readonly shops: readonly Counted[];
  /** Whole units of the currency: from `from` up to, not including, `below` (null: no bound). */
  readonly prices: readonly { currency: string; from: number; below: number | null; count: number }[];
  readonly in_stock: number;
  readonly out_of_stock: number;
}

export const noFacets: ProductFacets = {
  total: 0,
  total_is_at_least: false,
  categories: [],
  shops: [],
  prices: [],
  in_stock: 0,
  out_of_stock: 0,
};

const mostCounted = 10_000;
const mostValues = 20;
const mostBands = 50;

const frequent = (field: string): Document[] => [
  { $group: { _id: `$${field}`, count: { $sum: 1 } } },
  { $sort: { count: -1, _id: 1 } },
  { $limit: mostValues },
];

function facetPipeline(filter: Filter<ProductDocument>): Document[] {
  return [
    { $match: filter },
    { $limit: mostCounted },
    { $project: { category: 1, shop_id: 1, currency: 1, price_band: 1, in_stock: 1 } },
    {
      $facet: {
        categories: frequent('category'),
        shops: frequent('shop_id'),
        prices: [
          { $match: { currency: { $ne: null } } },
          { $group: { _id: { currency: '$currency', band: '$price_band' }, count: { $sum: 1 } } },
          { $sort: { '_id.currency': 1, '_id.band': 1 } },
          { $limit: mostBands },
        ],
        stock: [{ $group: { _id: '$in_stock', count: { $sum: 1 } } }],
      },
    },
  ];
}

interface Found {
  readonly categories: readonly { _id: string; count: number }[];
  readonly shops: readonly { _id: string; count: number }[];
  readonly prices: readonly { _id: { currency: string; band: number }; count: number }[];
  readonly stock: readonly { _id: boolean; count: number }[];
}

const counted = (found: readonly { _id: string; count: number }[]) =>
  found.filter(({ _id }) => _id !== '').map(({ _id, count }) => ({ value: _id, count }));

export async function countFacets(
  products: Collection<ProductDocument>,
  filter: Filter<ProductDocument>,
): Promise<ProductFacets> {
  const [found] = await products.aggregate<Found>(facetPipeline(filter)).toArray();
  const { categories = [], shops = [], prices = [], stock = [] } = found ?? {};
  const total = stock.reduce((sum, { count }) => sum + count, 0);
  const countOf = (inStock: boolean) => stock.find(({ _id }) => _id === inStock)?.count ?? 0;
  return {
    total,
    total_is_at_least: total >= mostCounted,
    categories: counted(categories),
    shops: counted(shops),
    prices: prices.map(({ _id: { currency, band }, count }) => ({
      currency,
      from: priceBands[band] ?? 0,
      below: priceBands[band + 1] ?? null,
      count,
    })),
    in_stock: countOf(true),
    out_of_stock: countOf(false),
  };
}
