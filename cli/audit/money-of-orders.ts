import { type Finding, tally } from './finding.js';
import { type BookedOrder, netOf, owedOf } from './order-book.js';
import { nothingHeld, type ProviderBook, unheard } from './provider-book.js';

/** Until when what is not settled yet counts as under way. */
export interface Patience {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly graceMs: number;
}

/**
 * I3, by the log and by the provider's ledger: an order that failed or was cancelled keeps no captured money; a confirmed
 * one has its total, less what was given back for returned goods; all in the order's currency. A refund that the provider
 * refused is told as owed: it is what happened, and somebody must act. Beside it the order keeps nothing.
 *
 * @param provider undefined where its ledger cannot be read
 */
export function moneyOfOrders(
  orders: ReadonlyMap<string, BookedOrder>,
  provider: ProviderBook | undefined,
  { now, graceMs }: Patience,
): Finding {
  const found = tally('I3', 'an order that did not succeed keeps no money, a confirmed one has its total', [
    'confirmed',
    'failed',
    'cancelled',
    'open',
    'owed',
  ]);
  for (const order of orders.values()) {
    const { id, created, settled, returned } = order;
    if (created === undefined) continue;
    for (const { amount, currency, place } of [...order.captures, ...order.refunds.values()]) {
      if (currency === created.currency) continue;
      found.violated(`order ${id}, ${place}`, `money in ${created.currency}`, `${amount} ${currency}`);
    }
    if (settled === undefined) {
      found.count('open');
      continue;
    }
    found.count(settled.outcome);
    const refused = owedOf(order);
    let owed = 0;
    for (const { amount, currency, place } of refused) {
      owed += amount;
      found.note(`owed: ${amount} ${currency} of order ${id}, refused at ${place}`);
    }
    if (refused.length > 0) found.count('owed');
    const due = settled.outcome === 'confirmed' ? created.total - returned : 0;
    const underWay = [...order.refunds.values()].some(
      ({ status, changedAt }) => status === 'requested' && now - changedAt <= graceMs,
    );
    if (underWay) {
      found.count('open');
      continue;
    }
    const where = `order ${id}, ${settled.outcome} at ${settled.place}`;
    const net = netOf(order);
    const fits = (kept: number) => kept === due || kept === due + owed;
    const expected = `${due + owed} ${created.currency} kept`;
    if (!fits(net)) found.violated(where, expected, `${net} ${created.currency} in the log`);
    const account = provider?.accounts.get(id) ?? nothingHeld;
    if (provider === undefined || fits(account.net)) continue;
    const recent = now - account.changedAt <= graceMs;
    if (recent && unheard(order, account).length > 0) found.count('open');
    else found.violated(where, expected, `${account.net} ${created.currency} at the provider`);
  }
  if (provider === undefined) found.note("the provider's ledger was not read: shown by the log alone");
  return found.finding();
}
