import { z } from 'zod';
import { defineEvent, type EventOf } from '../core/event-codec.js';
import { countryCode, positiveQuantity, timestamp, uuid } from '../core/ids.js';
import { currencyCode, minorUnits } from '../core/money.js';
import { personal } from '../core/personal.js';

// STORED CONTRACT. A changed shape needs a new version, an upcaster and a golden file; a changed meaning a new type.

export const orderNumber = z.string().regex(/^ORD-\d{4}-\d{5,}$/);
export const channel = z.enum(['web', 'import']);

/** Keys that projections need on every event of an order and of its payment. */
export const orderKeys = {
  order_number: orderNumber,
  user_id: uuid.nullable(),
  shop_ids: z.array(uuid).min(1),
  country: countryCode,
  currency: currencyCode,
  placed_at: timestamp,
  channel,
};
export type OrderKeys = z.output<z.ZodObject<typeof orderKeys>>;

export const orderItem = z.strictObject({
  line: z.int().min(1),
  product_id: uuid,
  variant_id: uuid,
  shop_id: uuid,
  sku: z.string().min(1).max(100),
  title: z.string().max(600),
  quantity: positiveQuantity,
  price: minorUnits,
  amount: minorUnits,
});
export type OrderItem = z.output<typeof orderItem>;

export const orderPersonalFields = [
  'email',
  'name',
  'address_line1',
  'address_line2',
  'city',
  'state',
  'postal_code',
] as const;

const order = { order_id: uuid };
const lines = z.array(z.strictObject({ line: z.int().min(1), quantity: positiveQuantity })).min(1);
const parcel = { shop_id: uuid, carrier: z.string().max(200), tracking: z.string().max(200).nullable(), lines };

export const orderDefinitions = [
  defineEvent({
    type: 'order.created',
    data: z.strictObject({
      ...order,
      ...orderKeys,
      cart_id: uuid.nullable(),
      payment_method: z.string().min(1).max(200),
      email_hmac: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .nullable(),
      external_reference: z.string().min(1).max(200).nullable(),
      items: z.array(orderItem).min(1),
      item_total: minorUnits,
      discount: minorUnits,
      shipping: minorUnits,
      tax: minorUnits,
      total: minorUnits,
      personal: personal(orderPersonalFields).optional(),
    }),
  }),
  defineEvent({
    type: 'order.paid',
    data: z.strictObject({ ...order, payment_id: uuid, amount: minorUnits, ...orderKeys }),
  }),
  defineEvent({
    type: 'order.confirmed',
    data: z.strictObject({
      ...order,
      total: minorUnits,
      items: z.array(
        orderItem.pick({ product_id: true, variant_id: true, shop_id: true, quantity: true, amount: true }),
      ),
      ...orderKeys,
    }),
  }),
  defineEvent({
    type: 'order.failed',
    data: z.strictObject({
      ...order,
      stage: z.enum(['reserving', 'payment', 'confirming']),
      reason: z.string().min(1).max(200),
      ...orderKeys,
    }),
  }),
  defineEvent({
    type: 'order.cancelled',
    data: z.strictObject({ ...order, by: z.string(), reason: z.string().max(500), ...orderKeys }),
  }),
  defineEvent({ type: 'order.shipped', data: z.strictObject({ ...order, ...parcel, ...orderKeys }) }),
  defineEvent({ type: 'order.delivered', data: z.strictObject({ ...order, ...parcel, ...orderKeys }) }),
  defineEvent({
    type: 'order.returned',
    data: z.strictObject({ ...order, lines, reason: z.string().max(500), ...orderKeys }),
  }),
  defineEvent({
    type: 'order.refunded',
    data: z.strictObject({ ...order, lines, amount: minorUnits, ...orderKeys }),
  }),
] as const;

export type OrderEvent = EventOf<typeof orderDefinitions>;
export const orderStream = (orderId: string) => `order-${orderId}`;
