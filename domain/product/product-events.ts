import { z } from 'zod';
import { defineEvent, type EventOf } from '../core/event-codec.js';
import { uuid } from '../core/ids.js';
import { currencyCode, minorUnits } from '../core/money.js';

// STORED CONTRACT. A changed shape needs a new version, an upcaster and a golden file; a changed meaning a new type.

export const productVariant = z.strictObject({
  variant_id: uuid,
  sku: z.string().min(1).max(100),
  title: z.string().max(300),
  price: minorUnits,
  currency: currencyCode,
});
export type ProductVariant = z.output<typeof productVariant>;

const ref = { product_id: uuid, shop_id: uuid };
const described = {
  name: z.string().min(1).max(300),
  description: z.string().max(10_000),
  category: z.string().max(200),
  images: z.array(z.string().max(2_000)).max(50),
};
const changes = z.strictObject({ ...described, variants: z.array(productVariant).min(1) }).partial();

export const productDefinitions = [
  defineEvent({
    type: 'product.created',
    data: z.strictObject({
      ...ref,
      ...described,
      status: z.enum(['pending']),
      variants: z.array(productVariant).min(1).max(250),
    }),
  }),
  defineEvent({ type: 'product.updated', data: z.strictObject({ ...ref, old: changes, new: changes }) }),
  defineEvent({
    type: 'product.price_changed',
    data: z.strictObject({
      ...ref,
      variant_id: uuid,
      old_price: minorUnits,
      new_price: minorUnits,
      currency: currencyCode,
    }),
  }),
  defineEvent({
    type: 'product.flagged',
    data: z.strictObject({ ...ref, score: z.number(), reasons: z.array(z.string()) }),
  }),
  defineEvent({ type: 'product.approved', data: z.strictObject({ ...ref, by: z.string() }) }),
  defineEvent({
    type: 'product.rejected',
    data: z.strictObject({ ...ref, by: z.string(), reasons: z.array(z.string()) }),
  }),
  defineEvent({ type: 'product.deleted', data: z.strictObject({ ...ref, by: z.string() }) }),
] as const;

export type ProductEvent = EventOf<typeof productDefinitions>;
export const productStream = (productId: string) => `product-${productId}`;
