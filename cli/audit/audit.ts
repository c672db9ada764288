import { eventCatalog } from '../../domain/event-catalog.js';
import { allProjections } from '../../projections/all-projections.js';
import { salesModel } from '../../projections/analytics/document.js';
import { decoder } from '../../projections/decode-batch.js';
import type { Projection } from '../../projections/projection.js';
import type { Positioned } from '../../runtime/document-store/positioned.js';
import { readModelId } from '../../runtime/document-store/read-model.js';
import type { EventLog } from '../../runtime/event-store/event-log.js';
import { isUnchained } from '../../runtime/event-store/hash-chain.js';
import { analyticsSums } from './analytics-sums.js';
import { type Finding, placeOf, tally } from './finding.js';
import { isFlow } from './flow.js';
import { logOrder } from './log-order.js';
import { moneyConserved } from './money-conserved.js';
import { moneyOfOrders } from './money-of-orders.js';
import { noOversell, type StockLevel } from './no-oversell.js';
import { oneCharge } from './one-charge.js';
import { oneEffect } from './one-effect.js';
import { orderBook } from './order-book.js';
import { ordersEnd } from './orders-end.js';
import { providerBook } from './provider-book.js';
import type { ProviderLedger } from './provider-ledger.js';
import { whenReached } from './reached.js';
import type { ReadModels } from './read-models.js';
import { readModelsFold } from './read-models-fold.js';
import { reservationsLeftOnce } from './reservations-left-once.js';

export type AuditedLog = Pick<EventLog, 'head' | 'readAll'>;

export interface AuditOptions {
  readonly projections?: readonly Projection[];
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** How long after its last deadline an order, and after its movement a payment, may still be under way. */
  readonly graceMs?: number;
  /** How long to wait for the projections to reach the log's head; 0 where nothing runs, to compare where they are. */
  readonly waitMs?: number;
  /** Called every 10,000 events, and before each part. */
  readonly onProgress?: (what: string) => void;
}

export interface AuditReport {
  /** No invariant is violated, no event was unreadable, and every projection had reached the head. */
  readonly clean: boolean;
  readonly events: number;
  readonly head: bigint;
  /** In the order of their ids. */
  readonly findings: readonly Finding[];
  /** What hinders the audit itself, as sentences. */
  readonly hindrances: readonly string[];
  readonly orders: Readonly<Record<'confirmed' | 'failed' | 'cancelled' | 'open', number>>;
  /** By variant id, at the head. */
  readonly stock: ReadonlyMap<string, StockLevel>;
}

export const defaultGraceMs = 900_000;

/**
 * Holds log, read models and provider ledger against the invariants of the system, in one pass over the log, while
 * traffic may go on. Memory grows with orders, reservations and documents; of events and commands it keeps their ids.
 *
 * @param readModels undefined where there are none to look at
 * @param readLedger reads the provider's ledger; undefined where it shows none, as the real provider does
 * @throws LogUnavailable, MongoError, CommandFault when something cannot be read
 */
export async function audit(
  log: AuditedLog,
  readModels: ReadModels | undefined,
  readLedger: (() => Promise<ProviderLedger>) | undefined,
  options: AuditOptions = {},
): Promise<AuditReport> {
  const { projections = allProjections, graceMs = defaultGraceMs, waitMs = 60_000, onProgress = () => {} } = options;
  const hindrances: string[] = [];
  const behind: string[] = [];
  // The ledger first: what it holds is in the log that is read after it, but for what is under way.
  const ledgerFrom = await log.head();
  const provider = readLedger === undefined ? undefined : providerBook(await readLedger());
  const head = await log.head();
  const ids = projections.map(({ model }) => readModelId(model));
  onProgress('waiting for the projections');
  const reached =
    readModels === undefined ? new Map<string, bigint>() : await whenReached(log, readModels, ids, head, waitMs);
  const parked = (await readModels?.parked(ids)) ?? [];
  if (readModels !== undefined) {
    for (const id of ids) {
      const at = reached.get(id) ?? -1n;
      if (at >= head) continue;
      const text = `${id} is at position ${at} and the log at ${head}: it was compared there`;
      if (waitMs > 0) hindrances.push(text);
      else behind.push(text);
    }
  }

  const book = orderBook();
  const oversell = noOversell();
  const reservations = reservationsLeftOnce();
  const effects = oneEffect();
  const order = logOrder();
  const models = readModelsFold(readModels === undefined ? [] : projections, reached, parked, behind);
  const watchers = [book, oversell, reservations, effects, order];
  const decode = decoder(eventCatalog);
  let events = 0;
  let unreadable = 0;
  for await (const stored of log.readAll()) {
    if (stored.position > head) break;
    if (isUnchained(stored.stream)) continue;
    events += 1;
    if (events % 10_000 === 0) onProgress(`${events} events read`);
    const decoded = decode(stored);
    const event = 'event' in decoded ? decoded.event : undefined;
    if ('fault' in decoded) {
      unreadable += 1;
      if (unreadable === 1) hindrances.push(`${placeOf(stored)} cannot be read: ${decoded.fault.code}`);
    }
    const flow = event !== undefined && isFlow(event) ? event : undefined;
    for (const watcher of watchers) watcher.take(stored, flow);
    models.take(stored, event);
  }
  if (unreadable > 1) hindrances.push(`${unreadable} events cannot be read`);

  const sales = new Map<string, Positioned>();
  const salesId = readModelId(salesModel);
  const salesUpTo = reached.get(salesId);
  if (readModels !== undefined) {
    onProgress('comparing documents');
    await models.compare((id) => (id === salesId ? kept(readModels.documents(id), sales) : readModels.documents(id)));
  }
  const analytics =
    salesUpTo === undefined
      ? undefined
      : { sums: analyticsSums(sales.values(), models.folded(salesId), salesUpTo), upTo: salesUpTo };
  const further = models.further();
  if (further !== undefined) {
    for await (const stored of log.readAll(further.after)) {
      if (stored.position > further.upTo) break;
      const decoded = decode(stored);
      models.takeFurther(stored, 'event' in decoded ? decoded.event : undefined);
    }
  }

  const { orders } = book;
  const patience = { now: (options.now ?? Date.now)(), graceMs };
  const findings = [
    oversell.finding(),
    reservations.finding(orders),
    moneyOfOrders(orders, provider, patience),
    oneCharge(orders, provider),
    moneyConserved({ orders, provider, ledgerFrom, analytics, ...patience }),
    effects.finding(),
    readModels === undefined ? notCompared() : models.finding(),
    ordersEnd(orders, patience),
    order.finding(),
  ];
  const ends = { confirmed: 0, failed: 0, cancelled: 0, open: 0 };
  for (const { created, settled } of orders.values()) if (created !== undefined) ends[settled?.outcome ?? 'open'] += 1;
  const clean = hindrances.length === 0 && findings.every(({ violations }) => violations === 0);
  return { clean, events, head, findings, hindrances, orders: ends, stock: oversell.levels() };
}

async function* kept(documents: AsyncIterable<Positioned>, into: Map<string, Positioned>) {
  for await (const document of documents) {
    into.set(document._id, document);
    yield document;
  }
}

function notCompared(): Finding {
  const found = tally('I9', 'every read model is the fold of the log', ['documents']);
  found.note('no read models were looked at');
  return found.finding();
}
