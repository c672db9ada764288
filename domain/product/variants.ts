import { DomainError } from '../core/domain-error.js';
import type { ProductVariant } from './product-events.js';

export const mostVariants = 250;

type Variants = readonly Readonly<ProductVariant>[];

/** @throws DomainError `price-not-positive` unless `price` is a whole number of minor units, zero included */
export function checkPrice(price: number): void {
  if (!Number.isSafeInteger(price) || price < 0) {
    throw new DomainError('price-not-positive', 'A price is a whole number of minor units, not below zero.');
  }
}

function repeated(values: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return values.find((value) => seen.has(value) || !seen.add(value));
}

/**
 * What holds for the variants of every product.
 *
 * @throws DomainError `product-without-variants`, `product-too-many-variants`, `variant-duplicate`, `sku-duplicate`,
 *   `currency-mismatch`, `price-not-positive`
 */
export function checkVariants(variants: Variants): void {
  const [first] = variants;
  if (first === undefined) throw new DomainError('product-without-variants', 'A product has at least one variant.');
  if (variants.length > mostVariants) {
    throw new DomainError('product-too-many-variants', `A product has at most ${mostVariants} variants.`);
  }
  const variant_id = repeated(variants.map((variant) => variant.variant_id));
  if (variant_id !== undefined) {
    throw new DomainError('variant-duplicate', 'Two variants share an id.', { variant_id });
  }
  const sku = repeated(variants.map((variant) => variant.sku));
  if (sku !== undefined) throw new DomainError('sku-duplicate', 'Two variants share a SKU.', { sku });
  if (variants.some((variant) => variant.currency !== first.currency)) {
    throw new DomainError('currency-mismatch', 'All variants of a product are priced in one currency.');
  }
  for (const { price } of variants) checkPrice(price);
}

function comparable(wanted: ProductVariant, before: Variants): ProductVariant | undefined {
  return before.find(({ variant_id, currency }) => variant_id === wanted.variant_id && currency === wanted.currency);
}

/** The wanted variants, at the prices they have so far; one that is new or priced in another currency keeps its own. */
export function withKeptPrices(wanted: Variants, before: Variants): ProductVariant[] {
  return wanted.map((variant) => ({ ...variant, price: comparable(variant, before)?.price ?? variant.price }));
}

export interface PriceChange {
  variant_id: string;
  old_price: number;
  new_price: number;
  currency: string;
}

/** The variants that stay and cost another price than before, in the same currency. */
export function priceChanges(wanted: Variants, before: Variants): PriceChange[] {
  return wanted.flatMap((variant) => {
    const old = comparable(variant, before);
    if (old === undefined || old.price === variant.price) return [];
    const { variant_id, price, currency } = variant;
    return [{ variant_id, old_price: old.price, new_price: price, currency }];
  });
}
