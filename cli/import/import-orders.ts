import { inParallel } from '../../runtime/in-parallel.js';
import { CommandFault } from '../fault.js';
import type { Reply } from '../shop-client.js';
import { type PatientClient, Refused } from './patient-client.js';
import type { Plan, PlannedOrder, PlannedProduct } from './plan.js';
import { count, type Progress } from './progress.js';

export const currency = 'GBP';

/** Ids of what was imported, and the log position that holds it all. */
export interface Imported {
  /** In the plan's order */
  readonly orderIds: readonly string[];
  readonly position: bigint;
}

interface Variant {
  readonly product_id: string;
  readonly variant_id: string;
}

const linesOfReceipt = 1_000;
const mostPieces = 1_000_000;

/** Every key says what it is about, so that a repeat of the import repeats its requests. */
const keyOf = (...parts: readonly (string | number)[]) => `online-retail:${parts.map(encodeURIComponent).join(':')}`;

const decimal = (pence: number) => `${Math.floor(pence / 100)}.${String(pence % 100).padStart(2, '0')}`;

/** Puts a plan into the shop: products, stock, customers, orders, each step after the one it builds on. */
export async function importOrders(
  plan: Plan,
  client: PatientClient,
  progress: Progress,
  concurrency: number,
): Promise<Imported> {
  let position = 0n;
  const seen = (reply: Reply) => {
    const at = BigInt(reply.token ?? 0);
    if (at > position) position = at;
    return reply;
  };
  const post = async (path: string, body: unknown, key: string) => {
    try {
      return seen(await client.post(path, body, key));
    } catch (error) {
      if (!(error instanceof Refused && error.code === 'idempotency-key-reused')) throw error;
      throw new CommandFault(`${key} was imported before from other data: was it another file, or an older one?`);
    }
  };
  /** Works through a step. @returns how many requests had been accepted by an earlier run */
  const step = async <T>(label: string, items: readonly T[], lanes: number, work: (item: T) => Promise<boolean>) => {
    progress.begin(label, items.length);
    let known = 0;
    await inParallel(items, lanes, async (item) => {
      if (await work(item)) known += 1;
      progress.advance();
    });
    progress.end(known === 0 ? '' : `; ${count(known)} were there already`);
  };

  const shop = await post('/shops', { name: 'Online Retail', country: 'GB' }, keyOf('shop'));

  const variants = new Map<string, Variant>();
  await step('products', plan.products, concurrency, async ({ code, name, pence }: PlannedProduct) => {
    const body = { shop_id: shop.data.shop_id, name, currency, variants: [{ sku: code, price: decimal(pence) }] };
    const { data, replayed } = await post('/products', body, keyOf('product', code));
    variants.set(code, { product_id: data.product_id, variant_id: data.variants[0].variant_id });
    return replayed;
  });
  const variantOf = (code: string): Variant => {
    const variant = variants.get(code);
    if (variant === undefined) throw new Error(`${code} is in the plan's orders and not in its products`);
    return variant;
  };

  // Two at a time: each books a thousand lines of its own.
  await step('receipts of stock', receiptsOf(plan), 2, async ({ key, lines }) => {
    const body = { lines: lines.map(({ code, quantity }) => ({ ...variantOf(code), quantity })) };
    return (await post('/inventory/receipts', body, key)).replayed;
  });

  const users = new Map<string, string>();
  await step('customers', plan.customers, concurrency, async (customer) => {
    const { data, status, replayed } = await post(
      '/users',
      { external_id: `online-retail:${customer}` },
      keyOf('customer', customer),
    );
    users.set(customer, data.user_id);
    return replayed || status === 200;
  });

  const orderIds: string[] = [];
  const place = async (order: PlannedOrder, index: number): Promise<boolean> => {
    const { reference, placedAt, customer, country, lines } = order;
    const body = {
      channel: 'import',
      external_reference: reference,
      placed_at: placedAt,
      user_id: customer === undefined ? null : users.get(customer),
      currency,
      items: lines.map(({ code, quantity, pence }) => ({ ...variantOf(code), quantity, price: decimal(pence) })),
      payment_method: 'pm_card_visa',
      shipping_address: { country },
    };
    const { data, replayed } = await post('/orders', body, keyOf('order', reference));
    orderIds[index] = data.order_id;
    return replayed;
  };
  // One customer's orders follow each other as in the file; different customers do not wait for each other.
  const lastOf = new Map<string, Promise<boolean>>();
  await step('orders', [...plan.orders.entries()], concurrency, ([index, order]) => {
    const { customer } = order;
    const before = customer === undefined ? undefined : lastOf.get(customer);
    const placed = before === undefined ? place(order, index) : before.then(() => place(order, index));
    if (customer !== undefined) lastOf.set(customer, placed);
    return placed;
  });
  return { orderIds, position };
}

/** One receipt line for a variant and month, as many to a request as it takes. */
function receiptsOf({ receipts }: Plan): { key: string; lines: { code: string; quantity: number }[] }[] {
  return [...receipts].flatMap(([month, stock]) => {
    const lines = [...stock]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([code, quantity]) => {
        const parts = Array.from({ length: Math.ceil(quantity / mostPieces) }, (_, i) => i * mostPieces);
        return parts.map((from) => ({ code, quantity: Math.min(mostPieces, quantity - from) }));
      });
    const requests = Array.from({ length: Math.ceil(lines.length / linesOfReceipt) }, (_, i) => i);
    return requests.map((i) => ({
      key: keyOf('receipt', month, i + 1),
      lines: lines.slice(i * linesOfReceipt, (i + 1) * linesOfReceipt),
    }));
  });
}
