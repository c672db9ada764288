import { setTimeout as sleep } from 'node:timers/promises';
import { toMinorUnits } from '../../domain/core/money.js';
import { inParallel } from '../../runtime/in-parallel.js';
import { CommandFault } from '../fault.js';
import { currency, type Imported } from './import-orders.js';
import type { PatientClient } from './patient-client.js';
import type { PlannedOrder } from './plan.js';
import { count, inWords, type Progress } from './progress.js';

/** Confirmed sales of one month and country. Revenue is in pence. */
export interface Sales {
  readonly month: string;
  readonly country: string;
  orders: number;
  units: number;
  revenue: number;
}

/** What the shop says of this import's orders once all of them have ended. */
export interface SalesInStore {
  /** By `<month> <country>` */
  readonly sales: ReadonlyMap<string, Sales>;
  /** Imported orders of these days that are not this import's. */
  readonly others: number;
  /** Of this import's orders, those that did not end confirmed: order number and how it stands. */
  readonly lost: readonly string[];
}

interface SalesRow {
  readonly month: string;
  readonly country: string;
  readonly currency: string;
  readonly orders: { placed: number; confirmed: number; failed: number; cancelled: number };
  readonly units: number;
  readonly revenue: number;
}

const pollMs = 500;
const stalledMs = 900_000;

function salesAt(sales: Map<string, Sales>, month: string, country: string): Sales {
  const key = `${month} ${country}`;
  const known = sales.get(key) ?? { month, country, orders: 0, units: 0, revenue: 0 };
  sales.set(key, known);
  return known;
}

/** Asks the read model until every imported order of these days has ended. @throws CommandFault when nothing moves */
async function rowsOnceEnded(
  client: PatientClient,
  orders: readonly PlannedOrder[],
  position: bigint,
  progress: Progress,
): Promise<readonly SalesRow[]> {
  const days = orders.map(({ placedAt }) => placedAt.slice(0, 10)).sort();
  const range = `from=${days[0]}&to=${days.at(-1)}`;
  let moved = { ended: -1, at: performance.now() };
  progress.begin('orders that have ended', orders.length);
  for (;;) {
    const path = `/analytics/sales?${range}&channel=import&currency=${currency}&group_by=month,country`;
    const { data, stale } = await client.look(path, position);
    const rows = data.rows as readonly SalesRow[];
    const placed = rows.reduce((sum, row) => sum + row.orders.placed, 0);
    const ended = rows.reduce((sum, { orders: of }) => sum + of.confirmed + of.failed + of.cancelled, 0);
    progress.reach(ended, placed);
    if (ended === placed && !stale) {
      progress.end();
      return rows;
    }
    if (ended !== moved.ended) moved = { ended, at: performance.now() };
    if (performance.now() - moved.at > stalledMs) {
      const open = count(placed - ended);
      throw new CommandFault(`${open} orders are open, and none has ended for ${inWords(stalledMs / 1000)}.`);
    }
    await sleep(pollMs);
  }
}

/** Asks for each order by itself: where the store holds others beside them, or where some did not end well. */
async function askEach(client: PatientClient, imported: Imported, progress: Progress, concurrency: number) {
  const sales = new Map<string, Sales>();
  const lost: string[] = [];
  progress.begin('orders asked for one by one', imported.orderIds.length);
  await inParallel(imported.orderIds, concurrency, async (orderId) => {
    const { data: order } = await client.get(`/orders/${orderId}`, imported.position);
    progress.advance();
    if (order.status !== 'confirmed') {
      lost.push(`${order.order_number} is ${order.status}${order.failure ? ` (${order.failure.reason})` : ''}`);
      return;
    }
    const at = salesAt(sales, order.placed_at.slice(0, 7), order.country);
    at.orders += 1;
    for (const { quantity, amount } of order.items) {
      at.units += quantity;
      at.revenue += toMinorUnits(amount, currency);
    }
  });
  progress.end();
  return { sales, lost };
}

/**
 * Waits until the import's orders have ended and the read model has taken in how, and gives its figures. Where the days
 * hold imported orders beside this import's, the import's own are asked for one by one.
 */
export async function salesInStore(
  client: PatientClient,
  orders: readonly PlannedOrder[],
  imported: Imported,
  progress: Progress,
  concurrency: number,
): Promise<SalesInStore> {
  if (orders.length === 0) return { sales: new Map(), others: 0, lost: [] };
  const rows = await rowsOnceEnded(client, orders, imported.position, progress);
  const placed = rows.reduce((sum, row) => sum + row.orders.placed, 0);
  const confirmed = rows.reduce((sum, row) => sum + row.orders.confirmed, 0);
  const others = placed - orders.length;
  if (others !== 0 || confirmed !== placed) {
    return { ...(await askEach(client, imported, progress, concurrency)), others };
  }
  const sales = new Map<string, Sales>();
  for (const { month, country, orders: ended, units, revenue } of rows) {
    const at = salesAt(sales, month, country);
    at.orders += ended.confirmed;
    at.units += units;
    at.revenue += toMinorUnits(revenue, currency);
  }
  return { sales, others, lost: [] };
}
