import { createHash } from 'node:crypto';
import type { DomainEvent } from '../domain/core/decider.js';
import type { FulfilmentEvent } from '../domain/fulfilment/fulfilment-events.js';
import { fulfilmentStream } from '../domain/fulfilment/fulfilment-events.js';
import type { InventoryEvent } from '../domain/inventory/inventory-events.js';
import { inventoryStream } from '../domain/inventory/inventory-events.js';
import type { OrderEvent } from '../domain/order/order-events.js';
import { orderStream } from '../domain/order/order-events.js';
import type { PaymentEvent } from '../domain/payment/payment-events.js';
import { paymentStream } from '../domain/payment/payment-events.js';
import type { ProductEvent } from '../domain/product/product-events.js';
import { productStream } from '../domain/product/product-events.js';
import type { ShopEvent } from '../domain/shop/shop-events.js';
import { shopStream } from '../domain/shop/shop-events.js';
import type { StoredEvent } from '../runtime/event-store/event-log.js';
import type { Recorded } from './projection.js';

// Histories for the specifications of this folder; nothing else imports them.

/** The same id for the same words. */
export function idFor(...words: readonly (string | number)[]): string {
  const hex = createHash('sha256').update(words.join(' ')).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export type AnyEvent = OrderEvent | PaymentEvent | FulfilmentEvent | InventoryEvent | ProductEvent | ShopEvent;
type Data<Type extends AnyEvent['type']> = Extract<AnyEvent, { type: Type }>['data'];
type Of<Type extends AnyEvent['type']> = Extract<AnyEvent, { type: Type }>;

export function streamOf(event: AnyEvent): string {
  const { type, data } = event;
  const category = type.slice(0, type.indexOf('.'));
  if (category === 'payment' && 'payment_id' in data) return paymentStream(data.payment_id);
  if (category === 'inventory' && 'variant_id' in data) return inventoryStream(data.variant_id);
  if (category === 'fulfilment' && 'order_id' in data) return fulfilmentStream(data.order_id);
  if (category === 'order' && 'order_id' in data) return orderStream(data.order_id);
  if (category === 'product' && 'product_id' in data) return productStream(data.product_id);
  if (category === 'shop' && 'shop_id' in data) return shopStream(data.shop_id);
  throw new Error(`no stream for ${type}`);
}

const epoch = Date.UTC(2026, 0, 5, 9, 0, 0);

/** Events as the log would hold them: one after another, a second apart. */
export function asStored(events: readonly AnyEvent[], first = 1n): StoredEvent[] {
  const revisions = new Map<string, bigint>();
  return events.map((event, index) => {
    const stream = streamOf(event);
    const revision = (revisions.get(stream) ?? -1n) + 1n;
    revisions.set(stream, revision);
    const position = (first + BigInt(index)) * 100n;
    return {
      id: idFor('event', String(position)),
      stream,
      revision,
      position,
      type: event.type,
      data: event.data as unknown as StoredEvent['data'],
      metadata: { event_version: 1, occurred_at: new Date(epoch + index * 1_000).toISOString() },
      recordedAt: new Date(epoch + index * 1_000 + 5),
    };
  });
}

/** Events as `evolve` sees them. */
export function asRecorded<E extends DomainEvent>(events: readonly E[]): Recorded<E>[] {
  return events.map((event, index) => {
    const recording = {
      eventId: idFor('event', index),
      stream: 'any-stream',
      revision: BigInt(index),
      position: BigInt(index + 1) * 100n,
      occurredAt: new Date(epoch + index * 1_000).toISOString(),
      recordedAt: new Date(epoch + index * 1_000 + 5).toISOString(),
    };
    return { ...event, ...recording } as unknown as Recorded<E>;
  });
}

/** Builders of one order's events; `overrides` replace single fields. */
export function orderOf(name: string, lines = 2) {
  const order_id = idFor('order', name);
  const payment_id = idFor('payment', name);
  const shop_id = idFor('shop', name);
  const keys = {
    order_number: 'ORD-2026-00042',
    user_id: idFor('user', name),
    shop_ids: [shop_id],
    country: 'GB',
    currency: 'GBP',
    placed_at: '2026-01-05T09:00:00Z',
    channel: 'web' as const,
  };
  const items = Array.from({ length: lines }, (_, index) => ({
    line: index + 1,
    product_id: idFor('product', name, index),
    variant_id: idFor('variant', name, index),
    shop_id,
    sku: `SKU-${index + 1}`,
    title: `Thing ${index + 1}`,
    quantity: 2,
    price: 500,
    amount: 1_000,
  }));
  const total = items.length * 1_000 + 495;
  const all = items.map(({ line, quantity }) => ({ line, quantity }));
  const payment = { payment_id, order_id, amount: total, ...keys };
  const parcel = { order_id, ...keys, shop_id, carrier: 'Royal Mail', tracking: 'RM1' };
  const refund = { ...payment, refund_id: idFor('refund', name), reason: 'order_failed' };
  return {
    order_id,
    payment_id,
    user_id: keys.user_id,
    total,
    items,
    created: (overrides: Partial<Data<'order.created'>> = {}): Of<'order.created'> => ({
      type: 'order.created',
      data: {
        order_id,
        ...keys,
        cart_id: null,
        payment_method: 'pm_card_visa',
        email_hmac: null,
        external_reference: null,
        items,
        item_total: items.length * 1_000,
        discount: 0,
        shipping: 495,
        tax: 0,
        total,
        ...overrides,
      },
    }),
    paid: (): Of<'order.paid'> => ({ type: 'order.paid', data: { order_id, payment_id, amount: total, ...keys } }),
    confirmed: (): Of<'order.confirmed'> => ({
      type: 'order.confirmed',
      data: {
        order_id,
        total,
        items: items.map(({ product_id, variant_id, quantity, amount }) => ({
          product_id,
          variant_id,
          shop_id,
          quantity,
          amount,
        })),
        ...keys,
      },
    }),
    failed: (stage: Data<'order.failed'>['stage'] = 'payment', reason = 'card_declined'): Of<'order.failed'> => ({
      type: 'order.failed',
      data: { order_id, stage, reason, ...keys },
    }),
    cancelled: (): Of<'order.cancelled'> => ({
      type: 'order.cancelled',
      data: { order_id, by: 'customer', reason: 'I live at 5 Elm Road now', ...keys },
    }),
    shipped: (moved = all): Of<'order.shipped'> => ({ type: 'order.shipped', data: { ...parcel, lines: moved } }),
    delivered: (moved = all): Of<'order.delivered'> => ({ type: 'order.delivered', data: { ...parcel, lines: moved } }),
    returned: (): Of<'order.returned'> => ({
      type: 'order.returned',
      data: { order_id, lines: all, reason: 'too small', ...keys },
    }),
    refunded: (amount = total): Of<'order.refunded'> => ({
      type: 'order.refunded',
      data: { order_id, lines: all, amount, ...keys },
    }),
    paymentInitiated: (attempt = 1): Of<'payment.initiated'> => ({
      type: 'payment.initiated',
      data: {
        ...payment,
        attempt,
        payment_method: 'pm_card_visa',
        provider: 'stripe',
        provider_key: `${order_id}-${attempt}`,
        deadline: '2026-01-05T09:10:00.000Z',
      },
    }),
    paymentSucceeded: (attempt = 1): Of<'payment.success'> => ({
      type: 'payment.success',
      data: {
        ...payment,
        attempt,
        transaction_id: 'txn_1',
        payment_method: 'pm_card_visa',
        provider: 'stripe',
        provider_transaction_id: 'pi_1',
      },
    }),
    paymentFailed: (attempt = 1): Of<'payment.failed'> => ({
      type: 'payment.failed',
      data: { ...payment, attempt, reason: 'card_declined', retryable: false },
    }),
    refundRequested: (): Of<'payment.refund_requested'> => ({
      type: 'payment.refund_requested',
      data: { ...refund, provider_key: `${order_id}-refund` },
    }),
    paymentRefunded: (): Of<'payment.refunded'> => ({
      type: 'payment.refunded',
      data: { ...refund, provider_refund_id: 're_1' },
    }),
    started: (outcome: Data<'fulfilment.started'>['outcome'] = 'reserved'): Of<'fulfilment.started'> => ({
      type: 'fulfilment.started',
      data: { order_id, outcome, deadline: outcome === 'reserved' ? '2026-01-05T09:10:00.000Z' : null },
    }),
    stepTaken: (step: Data<'fulfilment.step_taken'>['step'] = 'release'): Of<'fulfilment.step_taken'> => ({
      type: 'fulfilment.step_taken',
      data: { order_id, step, attempt: 1, because: idFor('cause', name) },
    }),
    ended: (outcome: Data<'fulfilment.ended'>['outcome'] = 'confirmed'): Of<'fulfilment.ended'> => ({
      type: 'fulfilment.ended',
      data: { order_id, outcome },
    }),
    reservationFailed: (line = 0): Of<'inventory.reservation.failed'> => ({
      type: 'inventory.reservation.failed',
      data: {
        ...stockOf(name, line, shop_id, 1),
        reservation_id: idFor('reservation', name, line),
        order_id,
        requested: 2,
        reason: 'insufficient_stock',
      },
    }),
    stockReserved: (line = 0, available = 8): Of<'inventory.reserved'> => ({
      type: 'inventory.reserved',
      data: {
        ...stockOf(name, line, shop_id, available),
        reservation_id: idFor('reservation', name, line),
        order_id,
        expires_at: '2026-01-05T09:15:00.000Z',
        reservations: [
          {
            product_id: idFor('product', name, line),
            variant_id: idFor('variant', name, line),
            quantity: 2,
            warehouse_id: idFor('warehouse'),
          },
        ],
      },
    }),
  };
}

function stockOf(name: string, line: number, shop_id: string, available: number) {
  const variant_id = idFor('variant', name, line);
  return { variant_id, product_id: idFor('product', name, line), shop_id, sku: `SKU-${line + 1}`, available };
}

/** Builders of one product's events, stock included; its first variant is the one an order of the same name buys. */
export function productOf(name: string, line = 0) {
  const shop_id = idFor('shop', name);
  const ref = { product_id: idFor('product', name, line), shop_id };
  const variant_id = idFor('variant', name, line);
  const variants = [
    { variant_id, sku: `SKU-${line + 1}`, title: 'Blue', price: 500, currency: 'GBP' },
    { variant_id: idFor('variant', name, line, 'red'), sku: 'SKU-R', title: 'Red', price: 450, currency: 'GBP' },
  ];
  return {
    ...ref,
    variant_id,
    variants,
    created: (overrides: Partial<Data<'product.created'>> = {}): Of<'product.created'> => ({
      type: 'product.created',
      data: {
        ...ref,
        name: 'Café Mug',
        description: 'A sturdy stoneware mug, dishwasher-safe.',
        category: 'Kitchen',
        images: [],
        status: 'pending',
        variants,
        ...overrides,
      },
    }),
    updated: (changes: Data<'product.updated'>['new']): Of<'product.updated'> => ({
      type: 'product.updated',
      data: { ...ref, old: {}, new: changes },
    }),
    priceChanged: (price: number): Of<'product.price_changed'> => ({
      type: 'product.price_changed',
      data: { ...ref, variant_id, old_price: 500, new_price: price, currency: 'GBP' },
    }),
    approved: (): Of<'product.approved'> => ({ type: 'product.approved', data: { ...ref, by: 'admin' } }),
    flagged: (): Of<'product.flagged'> => ({ type: 'product.flagged', data: { ...ref, score: 1, reasons: ['x'] } }),
    rejected: (): Of<'product.rejected'> => ({ type: 'product.rejected', data: { ...ref, by: 'admin', reasons: [] } }),
    deleted: (): Of<'product.deleted'> => ({ type: 'product.deleted', data: { ...ref, by: 'seller' } }),
    received: (available: number): Of<'inventory.received'> => ({
      type: 'inventory.received',
      data: { ...stockOf(name, line, shop_id, available), warehouse_id: idFor('warehouse'), quantity: 10 },
    }),
  };
}
