import { z } from 'zod';
import { defineEvent, type EventOf } from '../core/event-codec.js';
import { positiveQuantity, uuid } from '../core/ids.js';

// STORED CONTRACT. A changed shape needs a new version, an upcaster and a golden file; a changed meaning a new type.

/** `user:<id>`, or `guest:<id>` for somebody who has not logged in. */
export const cartOwner = z.string().regex(/^(user|guest):[0-9a-f-]{36}$/);

const cart = { cart_id: uuid, owner: cartOwner };
const item = { product_id: uuid, variant_id: uuid };
const items = z.array(z.strictObject({ ...item, quantity: positiveQuantity }));

export const cartDefinitions = [
  defineEvent({ type: 'cart.item_added', data: z.strictObject({ ...cart, ...item, quantity: positiveQuantity }) }),
  defineEvent({
    type: 'cart.quantity_changed',
    data: z.strictObject({ ...cart, ...item, old_quantity: positiveQuantity, new_quantity: positiveQuantity }),
  }),
  defineEvent({ type: 'cart.item_removed', data: z.strictObject({ ...cart, ...item, quantity: positiveQuantity }) }),
  defineEvent({ type: 'cart.merged', data: z.strictObject({ ...cart, from_cart_id: uuid, items }) }),
  defineEvent({ type: 'cart.checked_out', data: z.strictObject({ ...cart, order_id: uuid, items }) }),
] as const;

export type CartEvent = EventOf<typeof cartDefinitions>;
export const cartStream = (cartId: string) => `cart-${cartId}`;
