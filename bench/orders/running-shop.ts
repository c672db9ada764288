import { portsFrom } from '../../cli/processes.js';
import { ShopClient } from '../../cli/shop-client.js';
import { type EventLog, openEventLog } from '../../runtime/event-store/event-log.js';
import { type Follower, followLog } from '../../runtime/event-store/follow.js';
import { newId } from '../../runtime/ids.js';
import { inParallel } from '../../runtime/in-parallel.js';
import { silentLogger } from '../../runtime/logger.js';
import { startDrillSystem } from '../../test/drill/drill-system.js';
import { orderBody, type StockedProduct } from '../../test/support/catalogue.js';
import type { Harness } from '../harness.js';

/** Processes that work for orders, in the order that an order meets them. */
export const processes = [
  'gateway',
  'command-api',
  'event-store',
  'process-manager',
  'payment-provider',
  'projections',
  'document-store',
] as const;
export type ProcessName = (typeof processes)[number];

/** The whole system, each part a process of its own, with goods in stock and a customer. */
export interface RunningShop {
  readonly eventLog: EventLog;
  readonly pids: Readonly<Record<ProcessName, number>>;
  readonly goods: readonly StockedProduct[];
  /** Places an order through the gateway and waits until its fulfilment has ended. @throws Error when it is not confirmed */
  order(products: readonly StockedProduct[]): Promise<void>;
  /** Waits until the read models have seen the whole log. */
  settled(): Promise<void>;
  /** What the event store has counted since its start. */
  counted(): Promise<{ appends: number; events: number; reads: number }>;
}

const pieces = 1_000_000;
const productLanes = 8;
/** Nobody is slowed down, and every request is counted all the same. */
const limits = JSON.stringify({
  default: [{ points: 1_000_000, seconds: 1 }],
  products: [{ points: 1_000_000, seconds: 1 }],
});

export async function startRunningShop(harness: Harness, products: number): Promise<RunningShop> {
  harness.progress('starting the system');
  const { system, close } = await startDrillSystem({ RATE_LIMITS: limits, LOG_LEVEL: 'warn' });
  harness.atEnd(close);
  const { gatewayUrl, eventStoreUrl } = system.facts;
  const ports = portsFrom(Number(new URL(gatewayUrl).port));
  const pids = Object.fromEntries(processes.map((name) => [name, system.supervisor.pid(name)])) as RunningShop['pids'];
  const password = system.demo?.password ?? '';
  const anybody = new ShopClient(gatewayUrl);
  const admin = await anybody.logIn(system.demo?.admin ?? '', password);
  const customer = await anybody.logIn(system.demo?.customer ?? '', password);
  harness.progress(`stocking ${products} products`);
  const goods = await stock(admin, products);

  const eventLog = openEventLog(eventStoreUrl, silentLogger);
  harness.atEnd(() => eventLog.close());
  const ends = await followEnds(eventLog);
  harness.atEnd(() => ends.follower.close());
  return {
    eventLog,
    pids,
    goods,
    async order(wanted) {
      const headers = { 'idempotency-key': newId() };
      const { data } = await customer.must('POST', '/orders', orderBody(wanted), headers);
      await ends.of(data.order_id);
    },
    async settled() {
      for (;;) {
        const answer = await fetch(`http://127.0.0.1:${ports.projections}/projections`);
        const { data } = (await answer.json()) as { data: { projections: { lag_events: number; state: string }[] } };
        if (data.projections.some(({ state }) => state === 'stopped')) throw new Error('A projection has stopped.');
        if (data.projections.every(({ lag_events }) => lag_events === 0)) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async counted() {
      const text = await (await fetch(`http://127.0.0.1:${ports['event-store-metrics']}/metrics`)).text();
      const total = (name: string) =>
        [...text.matchAll(new RegExp(`^event_store_${name}(?:\\{[^}]*\\})? (\\d+)$`, 'gm'))].reduce(
          (sum, [, value]) => sum + Number(value),
          0,
        );
      return { appends: total('appends_total'), events: total('events_appended_total'), reads: total('reads_total') };
    },
  };
}

async function stock(admin: ShopClient, count: number): Promise<StockedProduct[]> {
  const opened = await admin.must('POST', '/shops', { name: 'Bench', country: 'GB' });
  const goods: StockedProduct[] = [];
  await inParallel(
    Array.from({ length: count }, (_, i) => i),
    productLanes,
    async (i) => {
      const variants = [{ sku: `BENCH-${i}`, price: 19.99 }];
      const body = { shop_id: opened.data.shop_id, name: `Lantern ${i}`, currency: 'GBP', variants };
      const { data } = await admin.must('POST', '/products', body);
      goods.push({ product_id: data.product_id, variant_id: data.variants[0].variant_id });
    },
  );
  const lines = goods.map((one) => ({ ...one, quantity: pieces }));
  await admin.must('POST', '/inventory/receipts', { lines }, { 'idempotency-key': newId() });
  return goods;
}

/** Tells whoever waits for an order that it has ended. */
async function followEnds(eventLog: EventLog): Promise<{ follower: Follower; of(orderId: string): Promise<void> }> {
  const ended = new Map<string, string>();
  const waiting = new Map<string, (outcome: string) => void>();
  const follower = followLog(eventLog, {
    after: await eventLog.head(),
    prefixes: ['fulfilment-'],
    maxBatch: 500,
    log: silentLogger,
    async handle({ events }) {
      for (const { type, data } of events) {
        if (type !== 'fulfilment.ended') continue;
        const orderId = String(data['order_id']);
        const tell = waiting.get(orderId);
        const outcome = String(data['outcome']);
        if (tell === undefined) ended.set(orderId, outcome);
        else tell(outcome);
        waiting.delete(orderId);
      }
    },
  });
  return {
    follower,
    async of(orderId) {
      const before = ended.get(orderId);
      ended.delete(orderId);
      const outcome = before ?? (await new Promise<string>((resolve) => waiting.set(orderId, resolve)));
      if (outcome !== 'confirmed') throw new Error(`Order ${orderId} has ended: ${outcome}.`);
    },
  };
}
