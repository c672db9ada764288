import type { Command, Decider } from '../core/decider.js';
import { DomainError } from '../core/domain-error.js';
import type { ProductEvent, ProductVariant } from './product-events.js';
import { checkPrice, checkVariants, priceChanges, withKeptPrices } from './variants.js';

type Variant = Readonly<ProductVariant>;

interface Description {
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly images: readonly string[];
}

export type CreateProduct = Command<
  'CreateProduct',
  Description & {
    readonly product_id: string;
    readonly shop_id: string;
    readonly variants: readonly Variant[];
    /** Who approves it in the same decision; absent when moderation is to decide. */
    readonly approved_by?: string | undefined;
  }
>;
/** What is absent stays as it is; `variants` replaces the whole list. */
export type UpdateProduct = Command<
  'UpdateProduct',
  {
    readonly name?: string | undefined;
    readonly description?: string | undefined;
    readonly category?: string | undefined;
    readonly images?: readonly string[] | undefined;
    readonly variants?: readonly Variant[] | undefined;
  }
>;
/** `price` in minor units of `currency`, which must be the product's. */
export type ChangePrice = Command<
  'ChangePrice',
  { readonly variant_id: string; readonly price: number; readonly currency: string }
>;
export type ApproveProduct = Command<'ApproveProduct', { readonly by: string }>;
export type RejectProduct = Command<'RejectProduct', { readonly by: string; readonly reasons: readonly string[] }>;
export type FlagProduct = Command<'FlagProduct', { readonly score: number; readonly reasons: readonly string[] }>;
export type DeleteProduct = Command<'DeleteProduct', { readonly by: string }>;

export type ProductCommand =
  | CreateProduct
  | UpdateProduct
  | ChangePrice
  | ApproveProduct
  | RejectProduct
  | FlagProduct
  | DeleteProduct;

interface LiveProduct extends Description {
  readonly status: 'pending' | 'flagged' | 'approved' | 'rejected';
  readonly product_id: string;
  readonly shop_id: string;
  readonly variants: readonly Variant[];
}

export type ProductState =
  | { readonly status: 'unknown' }
  | LiveProduct
  | { readonly status: 'deleted'; readonly product_id: string; readonly shop_id: string };

type Changes = Extract<ProductEvent, { type: 'product.updated' }>['data']['new'];

/** @throws DomainError `product-not-found`, `product-deleted` */
function live(state: ProductState): LiveProduct {
  switch (state.status) {
    case 'unknown':
      throw new DomainError('product-not-found', 'There is no such product.');
    case 'deleted':
      throw new DomainError('product-deleted', 'This product has been deleted.');
    default:
      return state;
  }
}

const ref = ({ product_id, shop_id }: LiveProduct) => ({ product_id, shop_id });

function create({ data }: CreateProduct, state: ProductState): ProductEvent[] {
  if (state.status !== 'unknown') throw new DomainError('product-already-exists', 'This product already exists.');
  checkVariants(data.variants);
  const { product_id, shop_id, name, description, category, images, variants, approved_by } = data;
  const created: ProductEvent = {
    type: 'product.created',
    data: {
      product_id,
      shop_id,
      name,
      description,
      category,
      images: [...images],
      status: 'pending',
      variants: [...variants],
    },
  };
  if (approved_by === undefined) return [created];
  return [created, { type: 'product.approved', data: { product_id, shop_id, by: approved_by } }];
}

function sameList<T>(a: readonly T[], b: readonly T[], same: (x: T, y: T) => boolean): boolean {
  return a.length === b.length && a.every((x, i) => same(x, b[i] as T));
}

const sameVariant = (a: Variant, b: Variant) =>
  a.variant_id === b.variant_id &&
  a.sku === b.sku &&
  a.title === b.title &&
  a.price === b.price &&
  a.currency === b.currency;

/** Prices of variants that stay change by events of their own, so that `product.price_changed` tells every price. */
function update({ data }: UpdateProduct, product: LiveProduct): ProductEvent[] {
  if (data.variants !== undefined) checkVariants(data.variants);
  const before: Changes = {};
  const after: Changes = {};
  for (const field of ['name', 'description', 'category'] as const) {
    const wanted = data[field];
    if (wanted === undefined || wanted === product[field]) continue;
    before[field] = product[field];
    after[field] = wanted;
  }
  if (data.images !== undefined && !sameList(data.images, product.images, Object.is)) {
    before.images = [...product.images];
    after.images = [...data.images];
  }
  const variants = withKeptPrices(data.variants ?? product.variants, product.variants);
  if (!sameList(variants, product.variants, sameVariant)) {
    before.variants = [...product.variants];
    after.variants = variants;
  }
  const prices = priceChanges(data.variants ?? [], product.variants).map(
    (change): ProductEvent => ({ type: 'product.price_changed', data: { ...ref(product), ...change } }),
  );
  if (Object.keys(after).length === 0) return prices;
  return [{ type: 'product.updated', data: { ...ref(product), old: before, new: after } }, ...prices];
}

function changePrice({ data }: ChangePrice, product: LiveProduct): ProductEvent[] {
  const { variant_id, price, currency } = data;
  const variant = product.variants.find((candidate) => candidate.variant_id === variant_id);
  if (variant === undefined) throw new DomainError('variant-not-found', 'The product has no such variant.');
  if (currency !== variant.currency) {
    throw new DomainError('currency-mismatch', `This product is priced in ${variant.currency}.`, {
      currency: variant.currency,
    });
  }
  checkPrice(price);
  if (price === variant.price) return [];
  const change = { variant_id, old_price: variant.price, new_price: price, currency };
  return [{ type: 'product.price_changed', data: { ...ref(product), ...change } }];
}

/** A product in its shop: what it is, what it costs, and whether moderation lets it be sold. */
export const productDecider: Decider<ProductState, ProductCommand, ProductEvent> = {
  initialState: { status: 'unknown' },

  decide(command, state) {
    switch (command.type) {
      case 'CreateProduct':
        return create(command, state);
      case 'UpdateProduct':
        return update(command, live(state));
      case 'ChangePrice':
        return changePrice(command, live(state));
      case 'ApproveProduct': {
        const product = live(state);
        if (product.status === 'approved') return [];
        return [{ type: 'product.approved', data: { ...ref(product), by: command.data.by } }];
      }
      case 'RejectProduct': {
        const product = live(state);
        const { by, reasons } = command.data;
        if (product.status === 'rejected') return [];
        return [{ type: 'product.rejected', data: { ...ref(product), by, reasons: [...reasons] } }];
      }
      case 'FlagProduct': {
        const product = live(state);
        const { score, reasons } = command.data;
        // A rejection is the stronger word: a flag would put the product back into the queue.
        if (product.status === 'flagged' || product.status === 'rejected') return [];
        return [{ type: 'product.flagged', data: { ...ref(product), score, reasons: [...reasons] } }];
      }
      case 'DeleteProduct': {
        if (state.status === 'deleted') return [];
        return [{ type: 'product.deleted', data: { ...ref(live(state)), by: command.data.by } }];
      }
    }
  },

  evolve(state, event) {
    if (event.type === 'product.created') return event.data;
    if (state.status === 'unknown' || state.status === 'deleted') return state;
    switch (event.type) {
      case 'product.updated': {
        const { name, description, category, images, variants } = event.data.new;
        return {
          ...state,
          name: name ?? state.name,
          description: description ?? state.description,
          category: category ?? state.category,
          images: images ?? state.images,
          variants: variants ?? state.variants,
        };
      }
      case 'product.price_changed': {
        const { variant_id, new_price } = event.data;
        const variants = state.variants.map((variant) =>
          variant.variant_id === variant_id ? { ...variant, price: new_price } : variant,
        );
        return { ...state, variants };
      }
      case 'product.flagged':
        return { ...state, status: 'flagged' };
      case 'product.approved':
        return { ...state, status: 'approved' };
      case 'product.rejected':
        return { ...state, status: 'rejected' };
      case 'product.deleted':
        return { status: 'deleted', product_id: state.product_id, shop_id: state.shop_id };
      default:
        event satisfies never;
        return state;
    }
  },
};

export interface VariantForSale {
  readonly product_id: string;
  readonly shop_id: string;
  readonly name: string;
  readonly variant: Variant;
}

/**
 * What an order line needs of a product: the variant with its price, and whose it is.
 *
 * @throws DomainError `product-not-found`, `product-deleted`, `product-not-sold` unless it is approved, `variant-not-found`
 */
export function variantForSale(state: ProductState, variantId: string): VariantForSale {
  const product = live(state);
  const { product_id, shop_id, name, status } = product;
  if (status !== 'approved') throw new DomainError('product-not-sold', 'This product is not sold.', { product_id });
  const variant = product.variants.find((candidate) => candidate.variant_id === variantId);
  if (variant === undefined) {
    throw new DomainError('variant-not-found', 'The product has no such variant.', {
      product_id,
      variant_id: variantId,
    });
  }
  return { product_id, shop_id, name, variant };
}
