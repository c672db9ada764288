import type { ReadModel } from '../../runtime/document-store/read-model.js';

// The contract with read-api: a changed shape or meaning raises the version.

export const productSearchModel: ReadModel = {
  name: 'product-search',
  version: 1,
  indexes: [
    { key: { status: 1, created_at: -1, _id: -1 } },
    { key: { status: 1, category: 1, created_at: -1, _id: -1 } },
    { key: { terms: 1 } },
  ],
};

/** `unknown`: stock has been heard of, the product has not yet. */
export type ProductStatus = 'unknown' | 'pending' | 'flagged' | 'approved' | 'rejected' | 'deleted';

/** `price` is in minor units of `currency`; `available` is what can be sold now. */
export interface SoldVariant {
  readonly variant_id: string;
  readonly sku: string;
  readonly title: string;
  readonly price: number;
  readonly currency: string;
  readonly available: number;
}

/** A product, `_id` is its id. */
export interface ProductBody {
  readonly status: ProductStatus;
  readonly shop_id: string;
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly images: readonly string[];
  readonly variants: readonly SoldVariant[];
  /** The lowest price among the variants sold in the first variant's currency, minor units. */
  readonly min_price: number | null;
  readonly currency: string | null;
  readonly in_stock: boolean;
  /** Distinct words, as {@link wordsOf} makes them. */
  readonly terms: readonly string[];
  /** Available stock by variant id: it may be known before the variant is. */
  readonly stock: Readonly<Record<string, number>>;
  /** ISO 8601 UTC with milliseconds; empty while the status is `unknown`. */
  readonly created_at: string;
}

export interface ProductDocument extends ProductBody {
  readonly _id: string;
  readonly position: bigint;
}

const word = /[\p{L}\p{N}]+/gu;
const longestWord = 64;

/** The words of a text as they are stored and searched: lower case, without accents, of letters and digits only. */
export function wordsOf(text: string): string[] {
  const plain = text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase();
  return (plain.match(word) ?? []).map((found) => found.slice(0, longestWord));
}
