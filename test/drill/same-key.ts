import { parseArgs } from 'node:util';
import { complaintsOf } from '../../cli/audit/report-text.js';
import { ShopClient } from '../../cli/shop-client.js';
import { openEventLog } from '../../runtime/event-store/event-log.js';
import { newId } from '../../runtime/ids.js';
import { silentLogger } from '../../runtime/logger.js';
import { address } from '../support/catalogue.js';
import { eventually } from '../support/eventually.js';
import { startDrillSystem } from './drill-system.js';

const say = (text: string) => void process.stdout.write(`${text}\n`);

/**
 * `npm run drill -- same-key [--times 10]`: sends one order so often at once, all under one Idempotency-Key, through the
 * gateway; stops and starts the system; sends it so often again. One order, equal answers and a clean audit, else exit 1.
 */
export async function runSameKey(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { times: { type: 'string', default: '10' } } });
  const times = Number(values.times);
  const drill = await startDrillSystem();
  const faults: string[] = [];
  const answers = new Set<string>();
  const key = newId();
  try {
    const client = await customer(drill.system.facts.gatewayUrl, drill.system.demo);
    const { data } = await client.must('GET', '/products?limit=1');
    const [product] = data.products;
    const item = { product_id: product.product_id, variant_id: product.variants[0].variant_id, quantity: 2 };
    const order = { items: [item], payment_method: 'pm_card_visa', shipping_address: address };
    const send = async (from: ShopClient) => {
      const replies = await Promise.all(
        Array.from({ length: times }, () => from.send('POST', '/orders', order, { 'idempotency-key': key })),
      );
      for (const { status, data: told } of replies) answers.add(JSON.stringify([status, told]));
      say(`  ${times} requests at once: ${answers.size} different answer${answers.size === 1 ? '' : 's'} so far`);
      return String(replies[0]?.data?.order_id);
    };
    const orderId = await send(client);
    await eventually(
      'the order to be confirmed',
      async () => (await client.send('GET', `/orders/${orderId}`)).data?.status === 'confirmed',
      30_000,
    );
    say('  stopping and starting the system');
    await drill.restart();
    await send(await customer(drill.system.facts.gatewayUrl, drill.system.demo));

    const eventLog = openEventLog(drill.system.facts.eventStoreUrl, silentLogger);
    let created = 0;
    for await (const { type } of eventLog.readAll()) if (type === 'order.created') created += 1;
    await eventLog.close();
    if (created !== 1) faults.push(`${created} orders were created`);
    if (answers.size !== 1) faults.push(`${answers.size} different answers: ${[...answers].join(' ')}`);
    faults.push(...complaintsOf(await drill.audit()));
    say(`  orders in the log: ${created}; answer: ${[...answers][0]}`);
  } finally {
    await drill.close();
  }
  for (const fault of faults) say(`  MISMATCH: ${fault}`);
  say(faults.length === 0 ? 'same-key: one order, equal answers' : 'same-key: FAILED');
  process.exitCode = faults.length === 0 ? 0 : 1;
}

function customer(gatewayUrl: string, demo: { customer: string; password: string } | undefined): Promise<ShopClient> {
  return new ShopClient(gatewayUrl).logIn(demo?.customer ?? '', demo?.password ?? '');
}
