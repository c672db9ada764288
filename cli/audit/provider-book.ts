import type { BookedOrder } from './order-book.js';
import type { LedgerCapture, ProviderLedger } from './provider-ledger.js';

/** What the provider holds for one order. */
export interface ProviderAccount {
  readonly captures: readonly (LedgerCapture & { readonly givenBack: number })[];
  /** Taken less given back, minor units. */
  readonly net: number;
  readonly refunded: number;
  /** Of the last movement, milliseconds since 1970. */
  readonly changedAt: number;
}

/** The provider's ledger by order. */
export interface ProviderBook {
  readonly accounts: ReadonlyMap<string, ProviderAccount>;
  /** Refunds of payments that the ledger does not know. */
  readonly strayRefunds: readonly string[];
}

export const nothingHeld: ProviderAccount = { captures: [], net: 0, refunded: 0, changedAt: 0 };

/** Sorts the movements by the order that each capture names; a refund belongs where its capture does. */
export function providerBook(ledger: ProviderLedger): ProviderBook {
  const givenBack = new Map<string, { amount: number; at: number }>();
  const known = new Set(ledger.captures.map(({ payment_intent }) => payment_intent));
  const strayRefunds: string[] = [];
  for (const { refund, payment_intent, amount, refunded_at } of ledger.refunds) {
    if (!known.has(payment_intent)) strayRefunds.push(refund);
    const before = givenBack.get(payment_intent) ?? { amount: 0, at: 0 };
    givenBack.set(payment_intent, { amount: before.amount + amount, at: Math.max(before.at, refunded_at) });
  }
  const accounts = new Map<string, ProviderAccount>();
  for (const capture of ledger.captures) {
    const orderId = capture.metadata['order_id'] ?? '';
    const before = accounts.get(orderId) ?? nothingHeld;
    const twice = before.captures.some(({ payment_intent }) => payment_intent === capture.payment_intent);
    const back = givenBack.get(capture.payment_intent) ?? { amount: 0, at: 0 };
    // What was given back of a payment counts once, even where the ledger shows its capture twice.
    const refunded = twice ? 0 : back.amount;
    accounts.set(orderId, {
      captures: [...before.captures, { ...capture, givenBack: refunded }],
      net: before.net + capture.amount - refunded,
      refunded: before.refunded + refunded,
      changedAt: Math.max(before.changedAt, capture.captured_at * 1000, back.at * 1000),
    });
  }
  return { accounts, strayRefunds };
}

/** What the provider took and the log does not tell of: news that is still to come, or lost. */
export function unheard(order: BookedOrder, { captures }: ProviderAccount): readonly LedgerCapture[] {
  return captures.filter(({ payment_intent: id }) => !order.captures.some(({ providerId }) => providerId === id));
}
