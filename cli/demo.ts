import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openEventLog } from '../runtime/event-store/event-log.js';
import { newId } from '../runtime/ids.js';
import { silentLogger } from '../runtime/logger.js';
import { DataFolder, type RunningFacts } from './data-folder.js';
import { demoShopOf } from './demo-shop.js';
import { CommandFault } from './fault.js';
import { ShopClient } from './shop-client.js';

interface ShownOrder {
  readonly order_id: string;
  readonly order_number: string;
  readonly status: string;
  readonly total: number;
  readonly currency: string;
  readonly placed_at: string;
  readonly timeline: readonly { readonly type: string; readonly occurred_at: string }[];
}

interface Listed {
  readonly product_id: string;
  readonly name: string;
  readonly variants: readonly { readonly variant_id: string; readonly in_stock: boolean }[];
}

interface Line {
  readonly type: string;
  readonly occurredAt: string;
  readonly told: string;
}

const say = (text = '') => process.stdout.write(`${text}\n`);
const endLimitMs = 30_000;

/** Waits until an order's timeline tells of an event. @throws CommandFault when it does not in time */
async function waitFor(client: ShopClient, orderId: string, event: string): Promise<ShownOrder> {
  const deadline = Date.now() + endLimitMs;
  for (;;) {
    const { data, ok } = await client.send('GET', `/orders/${orderId}`);
    const types = ok ? (data as ShownOrder).timeline.map(({ type }) => type) : [];
    if (types.includes(event)) return data;
    if (types.includes('fulfilment.ended')) throw new CommandFault(`order ${orderId} has ended ${data.status}.`);
    if (Date.now() > deadline) {
      throw new CommandFault(`order ${orderId} has not come to ${event} within ${endLimitMs / 1000} s.`);
    }
    await sleep(50);
  }
}

/** What the log holds of an order's flow, stock included, where this machine has the log; else the read model's part. */
async function linesOf(order: ShownOrder, after: bigint, eventStoreUrl: string | undefined): Promise<Line[]> {
  if (eventStoreUrl === undefined) {
    return order.timeline.map(({ type, occurred_at }) => ({ type, occurredAt: occurred_at, told: '' }));
  }
  const eventLog = openEventLog(eventStoreUrl, silentLogger);
  const lines: Line[] = [];
  for await (const { type, stream, revision, metadata } of eventLog.readAll(after)) {
    if (metadata['$correlationId'] !== order.order_id) continue;
    lines.push({ type, occurredAt: String(metadata['occurred_at']), told: `${stream} @${revision}` });
  }
  await eventLog.close();
  return lines;
}

function sayTimeline(order: ShownOrder, lines: readonly Line[]): void {
  say(`  ${order.order_number}  ${order.status}  ${order.total.toFixed(2)} ${order.currency}`);
  const start = Date.parse(order.placed_at);
  for (const { type, occurredAt, told } of lines) {
    const ms = String(Date.parse(occurredAt) - start).padStart(6);
    say(`  ${ms} ms  ${type.padEnd(30)} ${told}`);
  }
  say();
}

/**
 * `shopledger demo [--data ./data] [--gateway URL --email E --password P]`: logs in, fills a cart, and places an order that
 * is paid, one that is paid with a second card after the first was declined, and one whose card is reported stolen; shows
 * what happened.
 */
export async function runDemo(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      data: { type: 'string', default: process.env['SHOPLEDGER_DATA'] ?? './data' },
      gateway: { type: 'string' },
      email: { type: 'string' },
      password: { type: 'string' },
    },
  });
  const data = new DataFolder(values.data);
  const demo = demoShopOf(data);
  const email = values.email ?? demo?.customer;
  const password = values.password ?? demo?.password;
  const running = values.gateway === undefined ? data.readJson<RunningFacts>('running.json') : undefined;
  const gatewayUrl = values.gateway ?? running?.gatewayUrl;
  if (gatewayUrl === undefined) throw new CommandFault('the system is not running here: start it with npm start.');
  if (email === undefined || password === undefined) {
    throw new CommandFault('this data folder has no demo shop: say --email and --password of a customer.');
  }

  const client = await new ShopClient(gatewayUrl).logIn(email, password);
  say(`Logged in as ${email}.`);
  const { data: listed } = await client.must('GET', '/products?limit=20&in_stock=true');
  const inStock = (listed.products as Listed[])
    .flatMap(({ product_id, name, variants }) => {
      const variant = variants.find(({ in_stock }) => in_stock);
      return variant === undefined ? [] : [{ product_id, variant_id: variant.variant_id, name }];
    })
    .slice(0, 2);
  const [first] = inStock;
  if (first === undefined || inStock.length < 2) {
    throw new CommandFault('the shop has fewer than two products in stock.');
  }

  let cartId: string | undefined;
  for (const [i, { name, ...item }] of inStock.entries()) {
    const { data: cart } = await client.must('POST', '/cart/items', {
      ...item,
      quantity: i + 1,
      ...(cartId ? { cart_id: cartId } : {}),
    });
    cartId = String(cart.cart_id);
    say(`Put ${i + 1} x ${name} into the cart, which comes to ${Number(cart.total).toFixed(2)} ${cart.currency}.`);
  }

  const shipping_address = {
    name: 'Ada Demo',
    address_line1: '1 Quay Street',
    city: 'Bristol',
    postal_code: 'BS1 4DJ',
    country: 'GB',
  };
  /** Places an order, pays it with another card if the first was declined and there is one, and shows how it ends. */
  const place = async (what: unknown, secondCard?: string): Promise<string> => {
    const body = { ...(what as object), shipping_address };
    const { data: placed, token } = await client.must('POST', '/orders', body, { 'idempotency-key': newId() });
    const orderId = String(placed.order_id);
    if (secondCard !== undefined) {
      await waitFor(client, orderId, 'payment.failed');
      await client.must('POST', `/orders/${orderId}/payments`, { payment_method: secondCard });
    }
    const order = await waitFor(client, orderId, 'fulfilment.ended');
    sayTimeline(order, await linesOf(order, BigInt(token ?? 1) - 1n, running?.eventStoreUrl));
    return order.status;
  };

  say('\nAn order from the cart, with a card that works:');
  const paid = await place({ cart_id: cartId, payment_method: 'pm_card_visa' });
  const items = [{ product_id: first.product_id, variant_id: first.variant_id, quantity: 1 }];
  say('An order whose card is declined and which is paid with another one:');
  const retried = await place({ items, payment_method: 'pm_card_chargeDeclined' }, 'pm_card_mastercard');
  say('An order with a card that is reported stolen:');
  const stolen = await place({ items, payment_method: 'pm_card_chargeDeclinedStolenCard' });
  const ends = [paid, retried, stolen].join(', ');
  if (ends !== 'confirmed, confirmed, failed') {
    throw new CommandFault(`the orders ended ${ends}, not confirmed, confirmed and failed.`);
  }
}
