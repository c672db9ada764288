/** A product as a search read model keeps it: about 600 bytes of BSON. */
export interface Product {
  readonly _id: string;
  readonly shop: string;
  readonly category: string;
  readonly price: number;
  readonly stock: number;
  readonly created: Date;
  readonly title: string;
  readonly terms: readonly string[];
  readonly rating: { readonly average: number; readonly count: number };
}

export const indexes = [{ shop: 1, created: -1 }, { terms: 1 }, { category: 1, price: 1 }] as const;

/** How many products have a shop, and a brand, however many products there are: what is found stays as much. */
export const perShop = 20;
export const perBrand = 200;
export const categories = 20;
export const dearest = 100_000;
const vocabulary = 2_000;
const shortestTitle = 8;
const longestTitle = 15;
const firstDay = Date.UTC(2026, 0, 1);

/** 32 bits that look random; different numbers give different ones. */
function mixed(seed: number, n: number): number {
  let bits = (n ^ Math.imul(seed, 0x9e3779b1)) >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

const syllables = [...'bdfgklmnprstvz'].flatMap((letter) => ['a', 'e', 'i', 'o', 'u'].map((vowel) => letter + vowel));

/** A pronounceable word for a number, another for every one below 4,900 to the power of two. */
function wordOf(n: number, length: number): string {
  let rest = (n * 7_919) % syllables.length ** length;
  let word = '';
  for (let at = 0; at < length; at++) {
    word += syllables[rest % syllables.length] ?? '';
    rest = Math.floor(rest / syllables.length);
  }
  return word;
}

/** Common words have three syllables, brands four. */
const words = Array.from({ length: vocabulary }, (_, rank) => wordOf(rank, 3));
const rankOf = new Map(words.map((word, rank) => [word, rank]));
const brandOf = (place: number): string => wordOf(Math.floor(place / perBrand), 4);
const shopOf = (place: number): string => `shop-${String(Math.floor(place / perShop)).padStart(6, '0')}`;

/** Every place below `total` once, in an order that looks random. */
const scattered = (n: number, total: number, prime: number): number => (n * prime) % total;

/**
 * Product number n of a collection of so many. Low words of the vocabulary stand in many titles, high ones in few.
 *
 * @param n from `total` on it is one more product than the collection has
 */
export function product(seed: number, n: number, total: number): Product {
  const bits = (salt: number) => mixed(seed + salt, n);
  const hex = (salt: number) => bits(salt).toString(16).padStart(8, '0');
  const brand = brandOf(scattered(n, total, 2_246_822_519));
  const terms = new Set([brand]);
  const length = shortestTitle + (bits(1) % (longestTitle - shortestTitle + 1));
  for (let at = 2; terms.size < length; at++) {
    terms.add(words[Math.floor((bits(at) / 2 ** 32) ** 2 * vocabulary)] ?? '');
  }
  return {
    _id: `${hex(40)}-${hex(41).slice(0, 4)}-4${hex(41).slice(5)}-8${hex(42).slice(5)}-${hex(43)}0000`,
    shop: shopOf(scattered(n, total, 2_654_435_761)),
    category: `category-${bits(50) % categories}`,
    price: bits(51) % dearest,
    stock: bits(52) % 1_000,
    created: new Date(firstDay + n * 1_000),
    title: `${[...terms].join(' ')}, in the colour ${words[bits(53) % vocabulary]} and sizes of all kinds, from ${brand}; sent within two working days, free of charge from forty pounds`,
    terms: [...terms],
    rating: { average: (bits(54) % 50) / 10, count: bits(55) % 500 },
  };
}

/** What somebody types who looks for a product: its brand, its most common word, the beginning of another. */
export function searchFor({ terms }: Product): { brand: string; common: string; prefix: string } {
  const [brand = '', ...rest] = terms;
  const [common = '', begun = ''] = rest.sort((a, b) => (rankOf.get(a) ?? 0) - (rankOf.get(b) ?? 0));
  return { brand, common, prefix: begun.slice(0, 2) };
}
