import type { ProductDay, ProductSalesDocument, SalesDocument } from '../projections/analytics/document.js';
import type { InventoryDocument, ReservationDocument } from '../projections/inventory/document.js';
import type { NotificationDocument, NotificationKind } from '../projections/notifications/document.js';
import type { OrderDocument } from '../projections/orders/document.js';
import { neighbourhood, type ProductDocument } from '../projections/product-search/document.js';
import type { ShopDocument } from '../projections/shops/document.js';

// Documents as the projections leave them, for the specifications of this folder; nothing else imports them.

/** The same id for the same number. */
export const idOfNumber = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

export const alice = idOfNumber(1);
export const bob = idOfNumber(2);

export function orderDocument(number: number, changes: Partial<OrderDocument> = {}): OrderDocument {
  return {
    _id: idOfNumber(number),
    position: BigInt(number),
    order_number: `ORD-2026-${String(number).padStart(5, '0')}`,
    user_id: alice,
    status: 'confirmed',
    channel: 'web',
    placed_at: new Date(Date.UTC(2026, 0, 5, 9, 0, number)).toISOString(),
    country: 'GB',
    currency: 'GBP',
    items: [
      {
        line: 1,
        product_id: idOfNumber(900),
        variant_id: idOfNumber(901),
        shop_id: idOfNumber(902),
        sku: 'MUG-1',
        title: 'Mug',
        quantity: 2,
        price: 1_050,
        amount: 2_100,
        shipped: 0,
        delivered: 0,
      },
    ],
    item_total: 2_100,
    discount: 0,
    shipping: 495,
    tax: 0,
    total: 2_595,
    refunded: 0,
    shop_ids: [idOfNumber(902)],
    personal: null,
    payment: { payment_id: idOfNumber(903), attempts: 1, status: 'succeeded', reason: null },
    failure: null,
    timeline: [
      {
        type: 'order.created',
        event_id: idOfNumber(904),
        occurred_at: '2026-01-05T09:00:00.000Z',
        recorded_at: '2026-01-05T09:00:00.004Z',
        facts: { channel: 'web', lines: 1, amount: 2_595 },
      },
    ],
    timeline_omitted: 0,
    ...changes,
  };
}

export function productDocument(number: number, changes: Partial<ProductDocument> = {}): ProductDocument {
  return {
    _id: idOfNumber(number),
    position: BigInt(number),
    status: 'approved',
    shop_id: idOfNumber(902),
    name: 'Café mug',
    description: 'A sturdy mug.',
    category: 'Kitchen',
    images: [],
    variants: [{ variant_id: idOfNumber(901), sku: 'MUG-1', title: 'Blue', price: 1_050, currency: 'GBP' }],
    min_price: 1_050,
    currency: 'GBP',
    price_band: 2,
    in_stock: true,
    stocked: [idOfNumber(901)],
    terms: ['cafe', 'mug', 'kitchen', 'blue', '1', 'a', 'sturdy'],
    name_terms: ['cafe', 'mug'],
    name_key: 'cafe mug',
    near: ['cafe', 'mug', 'kitchen'].flatMap(neighbourhood),
    created_at: new Date(Date.UTC(2026, 0, 5, 9, 0, number)).toISOString(),
    ...changes,
  };
}

/** Sales of one confirmed import order of a day, captured without refund unless told otherwise. */
export function salesDocument(day: string, changes: Partial<SalesDocument> = {}): SalesDocument {
  const keys = { country: 'GB', channel: 'import' as const, currency: 'GBP', ...changes };
  return {
    _id: [day, keys.country, keys.channel, keys.currency].join('_'),
    position: 1n,
    day,
    month: day.slice(0, 7),
    placed: 1,
    confirmed: 1,
    failed: 0,
    cancelled: 0,
    units: 2,
    revenue: 0n,
    captured: 0n,
    refunded: 0n,
    ...keys,
  };
}

export function productSalesDocument(
  number: number,
  month: string,
  days: readonly ProductDay[],
  changes: Partial<ProductSalesDocument> = {},
): ProductSalesDocument {
  const keys = { country: 'GB', channel: 'import' as const, currency: 'GBP', ...changes };
  const product_id = idOfNumber(number);
  return {
    _id: [product_id, month, keys.country, keys.channel, keys.currency].join('_'),
    position: 1n,
    product_id,
    month,
    days,
    ...keys,
  };
}

export function shopDocument(number: number, changes: Partial<ShopDocument> = {}): ShopDocument {
  return {
    _id: idOfNumber(number),
    position: BigInt(number),
    owner_id: bob,
    name: 'Harbour Goods',
    country: 'GB',
    status: 'verified',
    ...changes,
  };
}

/** Stock of a variant in the shop of all these documents, all of it in one warehouse and none of it reserved. */
export function inventoryDocument(number: number, changes: Partial<InventoryDocument> = {}): InventoryDocument {
  const { available = 7 } = changes;
  return {
    _id: idOfNumber(number),
    position: BigInt(number),
    product_id: idOfNumber(900),
    shop_id: idOfNumber(902),
    sku: `MUG-${number}`,
    levels: [{ warehouse_id: idOfNumber(905), on_hand: available, reserved: 0, available }],
    on_hand: available,
    reserved: 0,
    available,
    low_stock_threshold: 3,
    low_stock: available <= 3,
    last_change: { type: 'inventory.received', occurred_at: '2026-01-05T09:00:00.000Z' },
    ...changes,
  };
}

export function reservationDocument(number: number, changes: Partial<ReservationDocument> = {}): ReservationDocument {
  const reserved_at = new Date(Date.UTC(2026, 0, 5, 9, 0, number)).toISOString();
  return {
    _id: idOfNumber(number),
    position: BigInt(number),
    order_id: idOfNumber(907),
    variant_id: idOfNumber(901),
    product_id: idOfNumber(900),
    shop_id: idOfNumber(902),
    sku: 'MUG-1',
    quantity: 2,
    parts: [{ warehouse_id: idOfNumber(905), quantity: 2 }],
    status: 'open',
    reason: null,
    expires_at: '2026-01-05T10:00:00.000Z',
    reserved_at,
    changed_at: reserved_at,
    ...changes,
  };
}

export function notificationDocument(
  order: number,
  kind: NotificationKind,
  changes: Partial<NotificationDocument> = {},
): NotificationDocument {
  return {
    _id: `${idOfNumber(order)}:${kind}`,
    position: BigInt(order),
    user_id: alice,
    kind,
    order_id: idOfNumber(order),
    order_number: `ORD-2026-${String(order).padStart(5, '0')}`,
    at: new Date(Date.UTC(2026, 0, 5, 9, 0, order)).toISOString(),
    times: 1,
    amount: 2_595,
    currency: 'GBP',
    reason: null,
    ...changes,
  };
}
