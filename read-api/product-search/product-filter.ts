import type { Filter } from 'mongodb';
import { type ProductDocument, wordsOf } from '../../projections/product-search/document.js';

/** What a list is narrowed to. Prices are minor units of `currency`. */
export interface ProductFilter {
  readonly search?: string | undefined;
  readonly category?: string | undefined;
  readonly shopId?: string | undefined;
  readonly currency?: string | undefined;
  readonly minPrice?: number | undefined;
  readonly maxPrice?: number | undefined;
  readonly inStock?: boolean | undefined;
}

/** The words that are looked for, each with all the ways of writing it that count. */
export interface Words {
  readonly all: readonly (readonly string[])[];
  /** What the last word begins with; undefined where it counts only as it is written. */
  readonly beginning: string | undefined;
}

const mostWords = 12;

/** @returns undefined where the text has no word in it: such a search finds nothing rather than everything */
export function searchedWords(search: string): Words | undefined {
  const words = wordsOf(search).slice(0, mostWords);
  const beginning = words.at(-1);
  return beginning === undefined ? undefined : { all: words.map((word) => [word]), beginning };
}

/** A word is letters and digits, which mean nothing else to an expression. */
export const beginsWith = (beginning: string): Filter<ProductDocument> => ({ terms: { $regex: `^${beginning}` } });

function withWords({ all, beginning }: Words): Filter<ProductDocument>[] {
  const whole = beginning === undefined ? all : all.slice(0, -1);
  const written = whole.map((ways): Filter<ProductDocument> => ({ terms: { $in: [...ways] } }));
  return beginning === undefined ? written : [beginsWith(beginning), ...written];
}

/** Approved products that have every word and everything else that is asked for. */
export function matching(filter: ProductFilter, words: Words | undefined): Filter<ProductDocument> {
  const { category, shopId, currency, minPrice, maxPrice, inStock } = filter;
  const price = {
    ...(minPrice === undefined ? {} : { $gte: minPrice }),
    ...(maxPrice === undefined ? {} : { $lte: maxPrice }),
  };
  return {
    status: 'approved',
    ...(category === undefined ? {} : { category }),
    ...(shopId === undefined ? {} : { shop_id: shopId }),
    ...(currency === undefined ? {} : { currency }),
    ...(Object.keys(price).length === 0 ? {} : { min_price: price }),
    ...(inStock === undefined ? {} : { in_stock: inStock }),
    ...(words === undefined ? {} : { $and: withWords(words) }),
  };
}
