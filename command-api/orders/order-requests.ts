import { z } from 'zod';
import { countryCode, largestLineQuantity, uuid } from '../../domain/core/ids.js';
import { currencyCode } from '../../domain/core/money.js';
import { mostOrderLines } from '../../domain/order/order.js';
import { email } from '../auth/email.js';
import { externalId } from '../users/user-routes.js';

const line = z.strictObject({
  product_id: uuid,
  variant_id: uuid,
  quantity: z.int().min(1).max(largestLineQuantity),
});

const address = z.strictObject({
  name: z.string().trim().min(1).max(200).optional(),
  address_line1: z.string().trim().min(1).max(300),
  address_line2: z.string().trim().max(300).optional(),
  city: z.string().trim().min(1).max(200),
  state: z.string().trim().max(100).optional(),
  postal_code: z.string().trim().min(1).max(20),
  country: countryCode,
});

const common = {
  payment_method: z.string().trim().min(1).max(200),
  shipping_address: address,
  email: email.optional(),
};

/** Either a cart or lines; prices, totals and times are the server's, so there is no key for them. */
export const orderFromCart = z.strictObject({ cart_id: uuid, ...common });
export const orderFromItems = z.strictObject({ items: z.array(line).min(1).max(mostOrderLines), ...common });

/** An order that was agreed elsewhere, told by an importer. */
export const importedOrder = z.strictObject({
  channel: z.literal('import'),
  /** Its number where it comes from: one order a reference and importer, however often it is sent. */
  external_reference: externalId,
  /** When it was placed, in UTC; its year is the order number's. */
  placed_at: z.iso.datetime().refine((text) => text >= '1970' && Date.parse(text) >= 0, 'must be 1970 or later'),
  /** null for a guest */
  user_id: uuid.nullable(),
  currency: currencyCode,
  items: z
    .array(
      line.extend({
        /** The agreed price of one piece, a decimal amount of the currency such as 29.99. */
        price: z.union([z.number().nonnegative(), z.string().max(20)]),
      }),
    )
    .min(1)
    .max(mostOrderLines),
  ...common,
  shipping_address: address.partial().required({ country: true }),
});

export type PlacedOrder = z.output<typeof orderFromCart> | z.output<typeof orderFromItems>;
export type ImportedOrder = z.output<typeof importedOrder>;

export function parseOrder(body: unknown): PlacedOrder {
  const fromCart = typeof body === 'object' && body !== null && 'cart_id' in body;
  return fromCart ? orderFromCart.parse(body) : orderFromItems.parse(body);
}
