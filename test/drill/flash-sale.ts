import { parseArgs } from 'node:util';
import { complaintsOf } from '../../cli/audit/report-text.js';
import { ShopClient } from '../../cli/shop-client.js';
import { openEventLog, type StoredEvent } from '../../runtime/event-store/event-log.js';
import { verifyChain } from '../../runtime/event-store/verify-chain.js';
import { newId } from '../../runtime/ids.js';
import { inParallel } from '../../runtime/in-parallel.js';
import { silentLogger } from '../../runtime/logger.js';
import { address } from '../support/catalogue.js';
import { eventually } from '../support/eventually.js';
import { startDrillSystem } from './drill-system.js';

const say = (text: string) => void process.stdout.write(`${text}\n`);
const endLimitMs = 120_000;

/**
 * `npm run drill -- flash-sale [--customers 200] [--stock 50]`: everybody orders one piece of the same variant at once,
 * through the gateway. Exactly as many orders are confirmed as there is stock, and nothing is left over; else exit 1.
 */
export async function runFlashSale(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { customers: { type: 'string', default: '200' }, stock: { type: 'string', default: '50' } },
  });
  const customers = Number(values.customers);
  const stock = Number(values.stock);
  say('starting the system');
  const drill = await startDrillSystem();
  const { system, close } = drill;
  const eventLog = openEventLog(system.facts.eventStoreUrl, silentLogger);
  try {
    const { gatewayUrl } = system.facts;
    const anybody = new ShopClient(gatewayUrl);
    const admin = await anybody.logIn(system.demo?.admin ?? '', system.demo?.password ?? '');
    const opened = await admin.must('POST', '/shops', { name: 'Flash', country: 'GB' });
    const variants = [{ sku: 'FLASH-1', price: 19.99 }];
    const body = { shop_id: opened.data.shop_id, name: 'One-day wonder', currency: 'GBP', variants };
    const { data: product } = await admin.must('POST', '/products', body);
    const piece = { product_id: product.product_id, variant_id: product.variants[0].variant_id };
    await admin.must('POST', '/inventory/receipts', { lines: [{ ...piece, quantity: stock }] });

    say(`registering ${customers} customers`);
    const clients: ShopClient[] = [];
    await inParallel(
      Array.from({ length: customers }, (_, i) => i),
      8,
      async (i) => {
        const account = { email: `customer-${i}@example.com`, password: newId() };
        await anybody.must('POST', '/auth/register', account);
        clients.push(await anybody.logIn(account.email, account.password));
      },
    );

    say(`${customers} orders at once for ${stock} pieces`);
    const before = await eventLog.head();
    const started = performance.now();
    const order = { items: [{ ...piece, quantity: 1 }], payment_method: 'pm_card_visa', shipping_address: address };
    const placed = await Promise.all(
      clients.map((client) => client.send('POST', '/orders', order, { 'idempotency-key': newId() })),
    );
    const acceptedMs = performance.now() - started;
    const refused = placed.filter(({ status }) => status !== 202);
    if (refused.length > 0) throw new Error(`${refused.length} orders were refused, first ${refused[0]?.status}`);

    const flow = async (): Promise<StoredEvent[]> => {
      const events: StoredEvent[] = [];
      for await (const event of eventLog.readAll(before)) events.push(event);
      return events;
    };
    const events = await eventually(
      'every order to end',
      async () => {
        const all = await flow();
        return all.filter(({ type }) => type === 'fulfilment.ended').length === customers && all;
      },
      endLimitMs,
    );
    const last = events.findLast(({ type }) => type === 'fulfilment.ended');
    const endedMs = Date.parse(String(last?.metadata['occurred_at'])) - Date.now() + (performance.now() - started);

    const report = await drill.audit();
    const chain = await verifyChain(eventLog.readAll());
    const mismatches = complaintsOf(report);
    const stockLeft = report.stock.get(piece.variant_id);
    const confirmed = Math.min(stock, customers);
    const result = { ...report.orders, ...stockLeft };
    const expected = { confirmed, failed: customers - confirmed, open: 0, sold: confirmed, reserved: 0 };
    for (const [name, value] of Object.entries({ ...expected, available: stock - confirmed })) {
      const found = result[name as keyof typeof expected];
      if (found !== value) mismatches.push(`${name} is ${found}, not ${value}`);
    }
    if (chain.firstBreak !== undefined) mismatches.push(`the hash chain breaks at ${chain.firstBreak.stream}`);

    say(
      [
        `  orders confirmed      ${result.confirmed} of ${customers}`,
        `  orders failed         ${result.failed}`,
        `  pieces sold           ${result.sold}, left ${result.available}`,
        `  reserved and open     ${result.reserved} pieces`,
        `  hash chain            ${chain.firstBreak === undefined ? `intact, ${chain.events} events` : 'broken'}`,
        `  accepted after        ${(acceptedMs / 1000).toFixed(2)} s (${Math.round((customers * 1000) / acceptedMs)} orders/s)`,
        `  all ended after       ${(endedMs / 1000).toFixed(2)} s (${Math.round((customers * 1000) / endedMs)} orders/s end to end)`,
      ].join('\n'),
    );
    for (const mismatch of mismatches) say(`  MISMATCH: ${mismatch}`);
    say(mismatches.length === 0 ? 'flash-sale: log, stock and provider agree' : 'flash-sale: FAILED');
    process.exitCode = mismatches.length === 0 ? 0 : 1;
  } finally {
    await eventLog.close();
    await close();
  }
}
