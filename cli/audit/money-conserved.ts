import { type Finding, tally } from './finding.js';
import type { Patience } from './money-of-orders.js';
import type { BookedOrder } from './order-book.js';
import { nothingHeld, type ProviderBook, unheard } from './provider-book.js';

/** Minor units by currency code. */
export type Sums = ReadonlyMap<string, { readonly captured: number; readonly refunded: number }>;

/** What the analytics read model says was taken and given back, and how far it had come. */
export interface AnalyticsSums {
  readonly sums: Sums;
  readonly upTo: bigint;
}

export interface MoneyConservedDeps extends Patience {
  readonly orders: ReadonlyMap<string, BookedOrder>;
  /** Undefined where its ledger cannot be read. */
  readonly provider: ProviderBook | undefined;
  /** What the log holds up to here had happened before the ledger was read. */
  readonly ledgerFrom: bigint;
  /** Undefined where there is no such read model. */
  readonly analytics: AnalyticsSums | undefined;
}

/** What the log says was taken and given back, up to a position. */
function sumsOfLog(orders: Iterable<BookedOrder>, upTo: bigint): Sums {
  const sums = new Map<string, { captured: number; refunded: number }>();
  const of = (currency: string) => {
    const sum = sums.get(currency) ?? { captured: 0, refunded: 0 };
    sums.set(currency, sum);
    return sum;
  };
  for (const { captures, refunds } of orders) {
    for (const { amount, currency, position } of captures) if (position <= upTo) of(currency).captured += amount;
    for (const { amount, currency, position, timesRefunded } of refunds.values()) {
      if (position <= upTo) of(currency).refunded += amount * timesRefunded;
    }
  }
  return sums;
}

/** I5: what the provider's ledger holds of each order is what the log says, and the analytics add up to the same. */
export function moneyConserved(deps: MoneyConservedDeps): Finding {
  const { orders, provider, analytics } = deps;
  const found = tally('I5', 'money is conserved: provider ledger = log = analytics', [
    'orders with money',
    'captures',
    'refunds',
    'currencies',
    'under way',
  ]);
  for (const order of orders.values()) {
    if (order.captures.length === 0 && provider?.accounts.has(order.id) !== true) continue;
    found.count('orders with money');
    found.count('captures', order.captures.length);
    for (const { timesRefunded } of order.refunds.values()) found.count('refunds', timesRefunded);
    if (provider !== undefined) compareOrder(order, provider);
  }

  function compareOrder(order: BookedOrder, { accounts }: ProviderBook) {
    const account = accounts.get(order.id) ?? nothingHeld;
    const where = `order ${order.id}`;
    for (const { providerId, amount, currency, place, position } of order.captures) {
      if (position > deps.ledgerFrom) continue;
      const there = account.captures.find(({ payment_intent }) => payment_intent === providerId);
      const expected = `${amount} ${currency} as payment ${providerId}, told at ${place}`;
      if (there === undefined) found.violated(where, expected, 'no such payment at the provider');
      else if (there.amount !== amount || there.currency.toUpperCase() !== currency) {
        found.violated(where, expected, `${there.amount} ${there.currency.toUpperCase()} at the provider`);
      }
    }
    const late = unheard(order, account);
    const isRecent = deps.now - account.changedAt <= deps.graceMs;
    if (late.length > 0 && order.settled !== undefined && !isRecent) {
      const [first] = late;
      found.violated(
        where,
        'the payments that the log tells of',
        `${first?.payment_intent} at the provider beside them`,
      );
    } else if (late.length > 0) found.count('under way');
    let refunded = 0;
    let isMoving = order.settled === undefined && isRecent;
    for (const { amount, timesRefunded, status, position } of order.refunds.values()) {
      refunded += amount * timesRefunded;
      if (position > deps.ledgerFrom || (status === 'requested' && isRecent)) isMoving = true;
    }
    if (isMoving || refunded === account.refunded) return;
    found.violated(where, `${refunded} given back, as the log tells`, `${account.refunded} at the provider`);
  }

  for (const [orderId, { net }] of provider?.accounts ?? []) {
    if (!orders.has(orderId)) found.violated(`order ${orderId}`, 'an order in the log', `${net} at the provider alone`);
  }
  for (const refund of provider?.strayRefunds ?? []) {
    found.violated(`refund ${refund} at the provider`, 'a payment that it gives back', 'none');
  }
  if (provider === undefined) found.note("the provider's ledger was not read");
  if (analytics === undefined) found.note('there is no analytics read model to compare with');
  else compareSums(analytics, sumsOfLog(orders.values(), analytics.upTo));

  function compareSums({ sums, upTo }: AnalyticsSums, log: Sums) {
    for (const currency of new Set([...sums.keys(), ...log.keys()])) {
      found.count('currencies');
      const expected = log.get(currency) ?? { captured: 0, refunded: 0 };
      const seen = sums.get(currency) ?? { captured: 0, refunded: 0 };
      for (const field of ['captured', 'refunded'] as const) {
        if (expected[field] === seen[field]) continue;
        const where = `analytics, ${currency} ${field}, up to position ${upTo}`;
        found.violated(where, `${expected[field]} by the log`, String(seen[field]));
      }
    }
  }
  return found.finding();
}
