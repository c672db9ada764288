import { decimalsOf } from '../../domain/core/money.js';
import type { InventoryEvent } from '../../domain/inventory/inventory-events.js';
import { type ProductEvent, productDefinitions } from '../../domain/product/product-events.js';
import type { Projection, Recorded } from '../projection.js';
import {
  neighbourhood,
  type ProductBody,
  type ProductStatus,
  priceBands,
  productSearchModel,
  wordsOf,
} from './document.js';

const stockTypes = [
  'inventory.received',
  'inventory.adjusted',
  'inventory.reserved',
  'inventory.released',
  'inventory.restocked',
] as const;
type StockEvent = Extract<InventoryEvent, { type: (typeof stockTypes)[number] }>;

export type ProductModelEvent = ProductEvent | StockEvent;

const termLimit = 400;
const guessedWords = 20;

const nothingYet: ProductBody = {
  status: 'unknown',
  shop_id: '',
  name: '',
  description: '',
  category: '',
  images: [],
  variants: [],
  min_price: null,
  currency: null,
  price_band: null,
  in_stock: false,
  stocked: [],
  terms: [],
  name_terms: [],
  name_key: '',
  near: [],
  created_at: '',
};

function bandOf(price: number, currency: string): number {
  const units = price / 10 ** decimalsOf(currency);
  return priceBands.findLastIndex((from) => units >= from);
}

/** Fills in what follows from the product's own fields. */
function derived(product: ProductBody): ProductBody {
  const { variants, name, category, description, stocked } = product;
  const currency = variants[0]?.currency ?? null;
  const prices = variants.filter((variant) => variant.currency === currency).map(({ price }) => price);
  const min_price = prices.length === 0 ? null : Math.min(...prices);
  const nameWords = wordsOf(name);
  // What names the product comes first, so that the limit cuts the description.
  const texts = [name, category, ...variants.flatMap(({ title, sku }) => [title, sku]), description];
  const terms = new Set<string>();
  for (const text of texts) {
    for (const term of wordsOf(text)) if (terms.size < termLimit) terms.add(term);
  }
  const guessed = [...new Set([...nameWords, ...wordsOf(category)])].slice(0, guessedWords);
  return {
    ...product,
    currency,
    min_price,
    price_band: min_price === null || currency === null ? null : bandOf(min_price, currency),
    in_stock: variants.some(({ variant_id }) => stocked.includes(variant_id)),
    terms: [...terms],
    name_terms: [...new Set(nameWords)],
    name_key: nameWords.join(' '),
    near: [...new Set(guessed.flatMap(neighbourhood))],
  };
}

function withStock(product: ProductBody, variantId: string, available: number): ProductBody {
  if (product.stocked.includes(variantId) === available > 0) return product;
  const stocked =
    available > 0 ? [...product.stocked, variantId].sort() : product.stocked.filter((id) => id !== variantId);
  return { ...product, stocked, in_stock: product.variants.some(({ variant_id }) => stocked.includes(variant_id)) };
}

const withStatus = (product: ProductBody, status: ProductStatus): ProductBody => ({ ...product, status });

function changed(product: ProductBody, event: Recorded<ProductModelEvent>): ProductBody {
  switch (event.type) {
    case 'product.created': {
      const { shop_id, name, description, category, images, variants } = event.data;
      const described = { ...product, shop_id, name, description, category, images, created_at: event.occurredAt };
      return derived({ ...withStatus(described, 'pending'), variants });
    }
    case 'product.updated': {
      const { variants, name, description, category, images } = event.data.new;
      const described = {
        ...product,
        name: name ?? product.name,
        description: description ?? product.description,
        category: category ?? product.category,
        images: images ?? product.images,
        variants: variants ?? product.variants,
      };
      return derived(described);
    }
    case 'product.price_changed': {
      const { variant_id, new_price, currency } = event.data;
      const variants = product.variants.map((variant) =>
        variant.variant_id === variant_id ? { ...variant, price: new_price, currency } : variant,
      );
      return derived({ ...product, variants });
    }
    case 'product.flagged':
      return withStatus(product, 'flagged');
    case 'product.approved':
      return withStatus(product, 'approved');
    case 'product.rejected':
      return withStatus(product, 'rejected');
    case 'product.deleted':
      return withStatus(product, 'deleted');
    case 'inventory.received':
    case 'inventory.adjusted':
    case 'inventory.reserved':
    case 'inventory.released':
    case 'inventory.restocked':
      return withStock(product, event.data.variant_id, event.data.available);
  }
}

function isStock(event: Recorded<ProductModelEvent>): event is Recorded<StockEvent> {
  return (stockTypes as readonly string[]).includes(event.type);
}

/** What an event did to what is available. */
function movedBy(event: StockEvent): number {
  if (event.type === 'inventory.received') return event.data.quantity;
  if (event.type === 'inventory.adjusted') return event.data.delta;
  const quantity = event.data.reservations.reduce((sum, part) => sum + part.quantity, 0);
  return event.type === 'inventory.reserved' ? -quantity : quantity;
}

/** Only the first piece and the last one count here: most stock events belong to no product, and cost not even a read. */
function changesStocked(event: StockEvent): boolean {
  const { available } = event.data;
  return available > 0 !== available - movedBy(event) > 0;
}

export const productSearchProjection: Projection<ProductModelEvent, ProductBody> = {
  model: productSearchModel,
  types: new Set([...productDefinitions.map(({ type }) => type), ...stockTypes]),
  ids: (event: Recorded<ProductModelEvent>) =>
    isStock(event) && !changesStocked(event) ? [] : [event.data.product_id],
  evolve: (product = nothingYet, event) => (product.status === 'deleted' ? product : changed(product, event)),
};
