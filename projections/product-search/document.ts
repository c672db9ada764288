import type { ReadModel } from '../../runtime/document-store/read-model.js';

// The contract with read-api: a changed shape or meaning raises the version.

export const productSearchModel: ReadModel = {
  name: 'product-search',
  version: 2,
  indexes: [
    { key: { status: 1, created_at: -1, _id: -1 } },
    { key: { status: 1, category: 1, created_at: -1, _id: -1 } },
    { key: { status: 1, shop_id: 1, created_at: -1, _id: -1 } },
    { key: { status: 1, in_stock: 1, created_at: -1, _id: -1 } },
    { key: { status: 1, currency: 1, min_price: 1, _id: 1 } },
    { key: { status: 1, name_key: 1, _id: 1 } },
    { key: { status: 1, terms: 1, created_at: -1 } },
    { key: { status: 1, near: 1 } },
  ],
};

/** `unknown`: stock has been heard of, the product has not yet. */
export type ProductStatus = 'unknown' | 'pending' | 'flagged' | 'approved' | 'rejected' | 'deleted';

/** `price` is in minor units of `currency`. */
export interface SoldVariant {
  readonly variant_id: string;
  readonly sku: string;
  readonly title: string;
  readonly price: number;
  readonly currency: string;
}

/** A product, `_id` is its id. How many pieces there are is for the read model `inventory` to say. */
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
  /** Which of {@link priceBands} `min_price` is in: the index of the band's lower bound. */
  readonly price_band: number | null;
  readonly in_stock: boolean;
  /** Ids of variants of which a piece can be sold now, sorted; one may be known before its variant is. */
  readonly stocked: readonly string[];
  /** Distinct words of all that is said of it, as {@link wordsOf} makes them. */
  readonly terms: readonly string[];
  /** Distinct words of its name. */
  readonly name_terms: readonly string[];
  /** Its name as lists sort it. */
  readonly name_key: string;
  /** The {@link neighbourhood} of the words of name and category. */
  readonly near: readonly string[];
  /** ISO 8601 UTC with milliseconds; empty while the status is `unknown`. */
  readonly created_at: string;
}

export interface ProductDocument extends ProductBody {
  readonly _id: string;
  readonly position: bigint;
}

/** Where the bands of prices begin, in whole units of the currency. */
export const priceBands = [0, 5, 10, 20, 50, 100, 200, 500] as const;

const word = /[\p{L}\p{N}]+/gu;
const longestWord = 64;

/**
 * The words of a text as they are stored and searched: lower case, without accents, of letters and digits only. An
 * apostrophe does not part a word.
 */
export function wordsOf(text: string): string[] {
  const plain = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}'’]+/gu, '');
  return (plain.match(word) ?? []).map((found) => found.slice(0, longestWord));
}

const shortestMistyped = 4;
const longestMistyped = 24;

/** A word and what is left of it without one of its letters; nothing for words too short or too long to guess at. */
export function neighbourhood(text: string): string[] {
  const letters = [...text];
  if (letters.length < shortestMistyped || letters.length > longestMistyped) return [];
  return [...new Set([text, ...letters.map((_, at) => letters.toSpliced(at, 1).join(''))])];
}

/**
 * Whether one letter more, less, different or two neighbours swapped make one word out of the other. Two words of which
 * that is true share part of their {@link neighbourhood}; the converse does not hold.
 */
export function isOneLetterOff(one: string, other: string): boolean {
  const [short, long] = one.length <= other.length ? [[...one], [...other]] : [[...other], [...one]];
  if (long.length - short.length > 1) return false;
  let from = 0;
  while (from < short.length && short[from] === long[from]) from += 1;
  const restOf = (letters: readonly string[], start: number) => letters.slice(start).join('');
  if (long.length > short.length) return restOf(short, from) === restOf(long, from + 1);
  if (from === short.length || restOf(short, from + 1) === restOf(long, from + 1)) return true;
  const swapped = short[from] === long[from + 1] && short[from + 1] === long[from];
  return swapped && restOf(short, from + 2) === restOf(long, from + 2);
}
