import { randomUUID } from 'node:crypto';
import { inventoryAggregate, orderAggregate, productAggregate } from '../../command-api/aggregates.js';
import type { AnyAggregate, CommandContext } from '../../command-api/decide-group.js';
import type { Command } from '../../domain/core/decider.js';
import type { StockItem } from '../../domain/inventory/inventory.js';
import { formatOrderNumber } from '../../domain/order/order-number.js';

/** A command as routes and the process manager hand it to the write loop. */
export interface Asking {
  readonly aggregate: AnyAggregate;
  readonly id: string;
  readonly command: Command;
  readonly context: CommandContext;
}

/** Something a shop sells. `price` in pence. */
export interface Goods extends StockItem {
  readonly name: string;
  readonly category: string;
  readonly price: number;
}

const day = Date.UTC(2026, 0, 5, 9, 0, 0);
const at = (ms: number) => new Date(day + ms).toISOString();
const requestHash = '5f'.repeat(32);
const warehouse_id = '9d2f6a70-3c1b-4e58-8a4d-6b0f1c2e7d93';

/** What a route or a runner knows of a command: all that ends up in an event's metadata. */
const contextOf = (correlationId: string, userId: string): CommandContext => ({
  commandId: randomUUID(),
  requestHash,
  correlationId,
  userId,
});

export function createProduct(goods: Goods): Asking {
  const { product_id, shop_id, variant_id, sku, name, category, price } = goods;
  const variants = [{ variant_id, sku, title: '', price, currency: 'GBP' }];
  const description = `${name}, made to last. Washes well, ships within two days and comes back if you do not like it.`;
  const data = { product_id, shop_id, name, description, category, images: [], variants, approved_by: shop_id };
  return {
    aggregate: productAggregate as unknown as AnyAggregate,
    id: product_id,
    command: { type: 'CreateProduct', data, metadata: { now: at(0) } },
    context: { ...contextOf(product_id, shop_id), creates: true },
  };
}

const onStock = (item: StockItem, command: Command, context: CommandContext): Asking => ({
  aggregate: inventoryAggregate as unknown as AnyAggregate,
  id: item.variant_id,
  command,
  context,
});

/** The first words of a variant's stream. */
export function receiveStock({ variant_id, product_id, shop_id, sku }: StockItem, quantity: number): Asking {
  const item = { variant_id, product_id, shop_id, sku };
  const data = { ...item, warehouse_id, quantity };
  const context = { ...contextOf(variant_id, shop_id), creates: true };
  return onStock(item, { type: 'ReceiveStock', data, metadata: { now: at(0) } }, context);
}

/** A piece for an order of its own, held for a quarter of an hour. */
export function reserveStock({ variant_id, product_id, shop_id, sku }: StockItem): Asking {
  const order_id = randomUUID();
  const item = { variant_id, product_id, shop_id, sku };
  const reservation = { reservation_id: randomUUID(), order_id, quantity: 1, expires_at: at(900_000) };
  const data = { ...item, ...reservation, low_stock_threshold: 5 };
  return onStock(
    item,
    { type: 'ReserveStock', data, metadata: { now: at(1_000) } },
    { ...contextOf(order_id, shop_id), causationId: randomUUID() },
  );
}

/** A sealed field of so many bytes, as `personal-data` writes them. */
const sealed = (bytes: number) => `v1.${'n'.repeat(16)}.${'c'.repeat(Math.ceil((bytes * 4) / 3))}.${'t'.repeat(22)}`;
const address = { name: sealed(14), address_line1: sealed(22), city: sealed(10), postal_code: sealed(8) };

export interface Placing {
  readonly goods: readonly Goods[];
  readonly userId: string;
  /** counts the orders of a year */
  readonly number: number;
  /** Stripe's own test cards; one that is accepted unless told otherwise */
  readonly payment_method?: string;
}

/** An order of one to three pieces of each, as `POST /orders` makes it. */
export function placeOrder({ goods, userId, number, payment_method = 'pm_card_visa' }: Placing): Asking {
  const order_id = randomUUID();
  const items = goods.map(({ product_id, variant_id, shop_id, sku, name: title, price }, i) => {
    const quantity = 1 + ((number + i) % 3);
    return { line: i + 1, product_id, variant_id, shop_id, sku, title, quantity, price, amount: quantity * price };
  });
  const total = items.reduce((sum, { amount }) => sum + amount, 0);
  const now = at(2_000 + number * 50);
  const data = {
    order_id,
    order_number: formatOrderNumber(2026, number),
    user_id: userId,
    shop_ids: [...new Set(items.map(({ shop_id }) => shop_id))],
    country: 'GB',
    currency: 'GBP',
    placed_at: now,
    channel: 'web',
    cart_id: null,
    payment_method,
    email_hmac: null,
    external_reference: null,
    items,
    item_total: total,
    discount: 0,
    shipping: 0,
    tax: 0,
    total,
    personal: { subject: `user:${userId}`, fields: address },
  };
  return {
    aggregate: orderAggregate as unknown as AnyAggregate,
    id: order_id,
    command: { type: 'PlaceOrder', data, metadata: { now } },
    context: { ...contextOf(order_id, userId), creates: true },
  };
}
