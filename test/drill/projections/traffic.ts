import { ShopClient } from '../../../cli/shop-client.js';
import type { EventLog } from '../../../runtime/event-store/event-log.js';
import { newId } from '../../../runtime/ids.js';
import { inParallel } from '../../../runtime/in-parallel.js';
import { address } from '../../support/catalogue.js';
import { eventually } from '../../support/eventually.js';
import type { DrillSystem } from '../drill-system.js';

const endLimitMs = 120_000;
const cards = ['visa', 'visa', 'visa', 'chargeDeclinedLostCard'];

/**
 * Places orders for two products of the demo shop, every fourth with a card that is declined for good, and waits until
 * all have ended.
 *
 * @returns the orders' ids
 */
export async function placeOrders({ system }: DrillSystem, eventLog: EventLog, count: number): Promise<string[]> {
  const { gatewayUrl } = system.facts;
  const { admin = '', customer = '', password = '' } = system.demo ?? {};
  const anybody = new ShopClient(gatewayUrl);
  const client = await anybody.logIn(customer, password);
  const { data } = await client.must('GET', '/products?limit=2');
  const products = data.products as { product_id: string; variants: { variant_id: string }[] }[];
  const pieces = products.map(({ product_id, variants }) => ({ product_id, variant_id: variants[0]?.variant_id }));
  const lines = pieces.map((piece) => ({ ...piece, quantity: count }));
  await (await anybody.logIn(admin, password)).must('POST', '/inventory/receipts', { lines });

  const ids = new Set<string>();
  const head = await eventLog.head();
  const numbers = Array.from({ length: count }, (_, index) => index);
  await inParallel(numbers, 8, async (index) => {
    const items = pieces.map((piece) => ({ ...piece, quantity: 1 }));
    const order = { items, payment_method: `pm_card_${cards[index % cards.length]}`, shipping_address: address };
    const { data: placed } = await client.must('POST', '/orders', order, { 'idempotency-key': newId() });
    ids.add(String(placed.order_id));
  });
  await eventually(
    'the orders to end',
    async () => {
      const ended = new Set<string>();
      for await (const { type, data: told } of eventLog.readAll(head)) {
        if (type === 'fulfilment.ended' && ids.has(String(told['order_id']))) ended.add(String(told['order_id']));
      }
      return ended.size === ids.size;
    },
    endLimitMs,
  );
  return [...ids];
}
