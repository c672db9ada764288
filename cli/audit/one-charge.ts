import { type Finding, tally } from './finding.js';
import type { BookedOrder } from './order-book.js';
import type { ProviderBook } from './provider-book.js';

/**
 * I4: an attempt takes money at most once, an order keeps at most one payment, and nothing is given back twice. By the
 * log, and by the provider's ledger, which also holds what the log never heard of.
 *
 * @param provider undefined where its ledger cannot be read
 */
export function oneCharge(orders: ReadonlyMap<string, BookedOrder>, provider: ProviderBook | undefined): Finding {
  const found = tally('I4', 'no double charge: one capture an attempt, one kept payment an order', [
    'attempts',
    'captures in the log',
    'captures at the provider',
    'refunds',
  ]);
  const placeOfPayment = new Map<string, string>();
  for (const order of orders.values()) {
    const placeOfAttempt = new Map<number, string>();
    found.count('attempts', order.attempts.size);
    found.count('captures in the log', order.captures.length);
    for (const { attempt, providerId, place } of order.captures) {
      const before = placeOfAttempt.get(attempt);
      if (before !== undefined) {
        found.violated(`${place}, order ${order.id}`, `one capture of attempt ${attempt}`, `another at ${before}`);
      }
      const elsewhere = placeOfPayment.get(providerId);
      if (elsewhere !== undefined) {
        found.violated(`${place}, order ${order.id}`, `payment ${providerId} once`, `told before at ${elsewhere}`);
      }
      placeOfAttempt.set(attempt, place);
      placeOfPayment.set(providerId, place);
    }
    checkRefunds(order);
  }

  function checkRefunds({ id, refunds }: BookedOrder) {
    for (const [refundId, { timesRefunded, place }] of refunds) {
      found.count('refunds', timesRefunded);
      if (timesRefunded <= 1) continue;
      found.violated(`${place}, order ${id}`, `refund ${refundId} once`, `told ${timesRefunded} times`);
    }
  }

  if (provider === undefined) found.note("the provider's ledger was not read: shown by the log alone");
  for (const [orderId, { captures }] of provider?.accounts ?? []) {
    found.count('captures at the provider', captures.length);
    const where = `order ${orderId} at the provider`;
    const kept = captures.filter(({ amount, givenBack }) => givenBack < amount);
    if (kept.length > 1) found.violated(where, 'one payment kept', kept.map((one) => one.payment_intent).join(', '));
    const ids = new Set(captures.map(({ payment_intent }) => payment_intent));
    if (ids.size < captures.length) found.violated(where, 'each payment captured once', `${captures.length} captures`);
    const attempts = orders.get(orderId)?.attempts.size ?? 0;
    if (captures.length > attempts) {
      found.violated(where, `at most ${attempts} captures, as many as attempts`, `${captures.length} captures`);
    }
    for (const { payment_intent, amount, givenBack } of captures) {
      if (givenBack > amount)
        found.violated(`${where}, ${payment_intent}`, `at most ${amount} back`, String(givenBack));
    }
  }
  return found.finding();
}
