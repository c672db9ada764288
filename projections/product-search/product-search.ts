import { type InventoryEvent, inventoryDefinitions } from '../../domain/inventory/inventory-events.js';
import { type ProductEvent, type ProductVariant, productDefinitions } from '../../domain/product/product-events.js';
import type { Projection, Recorded } from '../projection.js';
import { type ProductBody, type ProductStatus, productSearchModel, wordsOf } from './document.js';

export type ProductModelEvent = ProductEvent | InventoryEvent;

const termLimit = 400;

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
  in_stock: false,
  terms: [],
  stock: {},
  created_at: '',
};

/** Fills in what follows from the product's own fields. */
function derived(product: ProductBody): ProductBody {
  const { variants, name, category, description } = product;
  const currency = variants[0]?.currency ?? null;
  const prices = variants.filter((variant) => variant.currency === currency).map(({ price }) => price);
  // What names the product comes first, so that the limit cuts the description.
  const texts = [name, category, ...variants.flatMap(({ title, sku }) => [title, sku]), description];
  const terms = new Set<string>();
  for (const text of texts) {
    for (const term of wordsOf(text)) if (terms.size < termLimit) terms.add(term);
  }
  return {
    ...product,
    currency,
    min_price: prices.length === 0 ? null : Math.min(...prices),
    in_stock: variants.some(({ available }) => available > 0),
    terms: [...terms],
  };
}

function withVariants(product: ProductBody, variants: readonly ProductVariant[]): ProductBody {
  const { stock } = product;
  return {
    ...product,
    variants: variants.map((variant) => ({ ...variant, available: stock[variant.variant_id] ?? 0 })),
  };
}

function withStock(product: ProductBody, variantId: string, available: number): ProductBody {
  if (product.stock[variantId] === available) return product;
  const variants = product.variants.map((variant) =>
    variant.variant_id === variantId ? { ...variant, available } : variant,
  );
  return {
    ...product,
    stock: { ...product.stock, [variantId]: available },
    variants,
    in_stock: variants.some((variant) => variant.available > 0),
  };
}

const withStatus = (product: ProductBody, status: ProductStatus): ProductBody => ({ ...product, status });

function changed(product: ProductBody, event: Recorded<ProductModelEvent>): ProductBody {
  switch (event.type) {
    case 'product.created': {
      const { shop_id, name, description, category, images, variants } = event.data;
      const described = { ...product, shop_id, name, description, category, images, created_at: event.occurredAt };
      return derived(withVariants(withStatus(described, 'pending'), variants));
    }
    case 'product.updated': {
      const { variants, name, description, category, images } = event.data.new;
      const described = {
        ...product,
        name: name ?? product.name,
        description: description ?? product.description,
        category: category ?? product.category,
        images: images ?? product.images,
      };
      return derived(variants === undefined ? described : withVariants(described, variants));
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
    case 'inventory.reservation.failed':
    case 'inventory.extended':
    case 'inventory.confirmed':
    case 'inventory.confirmation.failed':
    case 'inventory.restocked':
    case 'inventory.released':
    case 'inventory.low':
      return withStock(product, event.data.variant_id, event.data.available);
  }
}

export const productSearchProjection: Projection<ProductModelEvent, ProductBody> = {
  model: productSearchModel,
  types: new Set([...productDefinitions, ...inventoryDefinitions].map(({ type }) => type)),
  ids: (event: Recorded<ProductModelEvent>) => [event.data.product_id],
  evolve: (product = nothingYet, event) => (product.status === 'deleted' ? product : changed(product, event)),
};
