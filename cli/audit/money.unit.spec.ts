import { expect } from 'chai';
import { type AnyEvent, orderOf } from '../../projections/spec-histories.js';
import { began, ledgerOf, recorded, storyOf } from './audit-fixture.js';
import { isFlow } from './flow.js';
import { type MoneyConservedDeps, moneyConserved } from './money-conserved.js';
import { moneyOfOrders } from './money-of-orders.js';
import { oneCharge } from './one-charge.js';
import { orderBook } from './order-book.js';
import { ordersEnd } from './orders-end.js';
import { providerBook } from './provider-book.js';
import type { ProviderLedger } from './provider-ledger.js';

function booked(events: readonly AnyEvent[]) {
  const book = orderBook();
  recorded(events).forEach((stored, index) => {
    const event = events[index];
    book.take(stored, event !== undefined && isFlow(event) ? event : undefined);
  });
  return book.orders;
}

const story = storyOf('a');
const { order_id, total } = story;
const took = ledgerOf({ order: order_id, amount: total });
const gaveBack = ledgerOf({ order: order_id, amount: total, back: total });
const nothing = ledgerOf();
const impatient = { now: began + 3_600_000, graceMs: 0 };

describe('I3, the money of orders', () => {
  const found = (events: readonly AnyEvent[], ledger: ProviderLedger, patience = impatient) =>
    moneyOfOrders(booked(events), providerBook(ledger), patience);

  it('holds where a confirmed order has its total and the others have nothing', () => {
    expect(found(story.confirmedOrder, took).counts).to.include({ confirmed: 1, open: 0 });
    expect(found(story.confirmedOrder, took).violations).to.equal(0);
    expect(found(story.undoneOrder, gaveBack).violations).to.equal(0);
    expect(found(story.declinedOrder, nothing).violations).to.equal(0);
    expect(found(story.taken, took).counts).to.include({ open: 1 });
  });

  it('is violated by a failed order that keeps money, by the log and at the provider', () => {
    const kept = story.undoneOrder.filter(({ type }) => !type.startsWith('payment.refund'));
    const { violations, first } = found(kept, took);
    expect(violations).to.equal(2);
    expect(first?.where).to.match(new RegExp(`^order ${order_id}, failed at fulfilment-`));
    expect(first).to.include({ expected: '0 GBP kept', seen: `${total} GBP in the log` });
  });

  it('is violated by a confirmed order without its money, by the log and at the provider', () => {
    const free = story.confirmedOrder.filter(({ type }) => type !== 'payment.success');
    expect(found(free, took).first?.seen).to.equal('0 GBP in the log');
    expect(found(story.confirmedOrder, nothing).first?.seen).to.equal('0 GBP at the provider');
    expect(found(story.confirmedOrder, gaveBack).first?.seen).to.equal('0 GBP at the provider');
  });

  it('is violated by money that came after the end and stays, once the grace is over', () => {
    expect(found(story.declinedOrder, took).first?.seen).to.equal(`${total} GBP at the provider`);
    const soon = { now: began + 60_000, graceMs: 900_000 };
    expect(found(story.declinedOrder, took, soon)).to.deep.include({ violations: 0 });
    expect(found(story.declinedOrder, took, soon).counts).to.include({ open: 1, failed: 1 });
  });

  it('tells of a refund that was refused as owed, and calls it no violation', () => {
    const refused: AnyEvent[] = story.undoneOrder.map((event) => {
      if (event.type !== 'payment.refunded') return event;
      const { provider_refund_id: _, ...data } = event.data;
      return { type: 'payment.refund_failed', data };
    });
    const { violations, counts, notes } = found(refused, took);
    expect(violations).to.equal(0);
    expect(counts).to.include({ owed: 1 });
    expect(notes[0]).to.match(new RegExp(`^owed: ${total} GBP of order ${order_id}, refused at payment-`));
  });

  it('is violated by what is kept beside a refund that was refused', () => {
    const refused: AnyEvent[] = story.undoneOrder.map((event) => {
      if (event.type === 'payment.refund_requested') return { ...event, data: { ...event.data, amount: 95 } };
      if (event.type !== 'payment.refunded') return event;
      const { provider_refund_id: _, ...data } = event.data;
      return { type: 'payment.refund_failed', data: { ...data, amount: 95 } };
    });
    const { violations, first, counts } = found(refused, took);
    expect(violations).to.equal(2);
    expect(counts).to.include({ owed: 1 });
    expect(first).to.include({ expected: '95 GBP kept', seen: `${total} GBP in the log` });
  });

  it('is violated by money of another currency than that of the order', () => {
    const other: AnyEvent[] = story.confirmedOrder.map((event) =>
      event.type === 'payment.success' ? { ...event, data: { ...event.data, currency: 'JPY' } } : event,
    );
    const { first } = found(other, took);
    expect(first).to.include({ expected: 'money in GBP', seen: `${total} JPY` });
    expect(first?.where).to.match(new RegExp(`^order ${order_id}, payment-`));
  });
});

describe('I4, one charge', () => {
  const found = (events: readonly AnyEvent[], ledger: ProviderLedger) =>
    oneCharge(booked(events), providerBook(ledger));

  it('holds for one capture and one refund', () => {
    const { violations, counts } = found(story.undoneOrder, gaveBack);
    expect(violations).to.equal(0);
    expect(counts).to.include({ attempts: 1, 'captures in the log': 1, 'captures at the provider': 1, refunds: 1 });
  });

  it('is violated by two payments that the provider keeps for one order', () => {
    const twice = ledgerOf({ order: order_id, amount: total }, { order: order_id, amount: total, id: 'pi_2' });
    const { violations, first } = found(story.confirmedOrder, twice);
    expect(violations).to.equal(2);
    expect(first).to.include({ expected: 'one payment kept', seen: 'pi_1, pi_2' });
  });

  it('is violated by more captures than attempts, though one was given back', () => {
    const twice = ledgerOf(
      { order: order_id, amount: total },
      { order: order_id, amount: total, id: 'pi_2', back: total },
    );
    expect(found(story.confirmedOrder, twice).first?.seen).to.equal('2 captures');
    const again = [...story.taken, story.paymentInitiated(2)];
    expect(found(again, twice).violations).to.equal(0);
  });

  it('is violated by an attempt that succeeded twice in the log', () => {
    const { first } = found([...story.taken, story.paymentSucceeded()], took);
    expect(first?.expected).to.equal('one capture of attempt 1');
  });

  it('is violated by one payment told for two orders', () => {
    const other = storyOf('b');
    const ledger = ledgerOf({ order: order_id, amount: total });
    expect(found([...story.taken, ...other.taken], ledger).first?.expected).to.equal('payment pi_1 once');
  });

  it('is violated by money given back twice, in the log and at the provider', () => {
    expect(found([...story.undoneOrder, story.paymentRefunded()], gaveBack).first?.seen).to.equal('told 2 times');
    const more = ledgerOf({ order: order_id, amount: total, back: total + 1 });
    expect(found(story.undoneOrder, more).first?.expected).to.equal(`at most ${total} back`);
  });
});

describe('I5, money is conserved', () => {
  const analytics = (captured: number, refunded: number) => ({
    sums: new Map([['GBP', { captured, refunded }]]),
    upTo: 10_000n,
  });
  const found = (events: readonly AnyEvent[], ledger: ProviderLedger, change: Partial<MoneyConservedDeps> = {}) =>
    moneyConserved({
      orders: booked(events),
      provider: providerBook(ledger),
      ledgerFrom: 10_000n,
      analytics: undefined,
      ...impatient,
      ...change,
    });

  it('holds where ledger, log and analytics agree', () => {
    const report = found(story.undoneOrder, gaveBack, { analytics: analytics(total, total) });
    expect(report.violations).to.equal(0);
    expect(report.counts).to.include({ 'orders with money': 1, captures: 1, refunds: 1, currencies: 1 });
  });

  it('is violated by a capture that the provider does not know, unless it is younger than the ledger', () => {
    expect(found(story.confirmedOrder, nothing).first?.seen).to.equal('no such payment at the provider');
    expect(found(story.confirmedOrder, nothing, { ledgerFrom: 100n }).violations).to.equal(0);
  });

  it('is violated by another amount at the provider', () => {
    const less = ledgerOf({ order: order_id, amount: total - 1 });
    expect(found(story.confirmedOrder, less).first?.seen).to.equal(`${total - 1} GBP at the provider`);
  });

  it('is violated by a payment that the log never heard of, once its order has ended and the grace is over', () => {
    expect(found(story.declinedOrder, took).first?.seen).to.match(/^pi_1 at the provider/);
    expect(found(story.held, took).counts).to.include({ 'under way': 1 });
    const soon = { now: began + 60_000, graceMs: 900_000 };
    expect(found(story.declinedOrder, took, soon).violations).to.equal(0);
  });

  it('is violated by a payment for an order that the log does not hold', () => {
    const foreign = ledgerOf({ order: orderOf('nobody').order_id, amount: 5 });
    expect(found(story.held, foreign).first?.expected).to.equal('an order in the log');
  });

  it('is violated where provider and log gave different amounts back', () => {
    expect(found(story.undoneOrder, took).first).to.include({
      expected: `${total} given back, as the log tells`,
      seen: '0 at the provider',
    });
  });

  it('is violated where the analytics add up to something else', () => {
    const { violations, first } = found(story.undoneOrder, gaveBack, { analytics: analytics(total, total - 1) });
    expect(violations).to.equal(1);
    expect(first?.where).to.equal('analytics, GBP refunded, up to position 10000');
    expect(first).to.include({ expected: `${total} by the log`, seen: String(total - 1) });
  });
});

describe('I14, every order ends', () => {
  const found = (events: readonly AnyEvent[], patience = impatient) => ordersEnd(booked(events), patience);

  it('holds for those that ended, and counts younger ones as open', () => {
    const { violations, counts } = found([...story.confirmedOrder, ...storyOf('b').declinedOrder]);
    expect(violations).to.equal(0);
    expect(counts).to.deep.equal({ orders: 2, ended: 2, open: 0 });
    const early = { now: Date.parse('2026-01-05T09:14:59Z'), graceMs: 0 };
    expect(found(story.held, early)).to.deep.include({ violations: 0, counts: { orders: 1, ended: 0, open: 1 } });
  });

  it('is violated by one that is past its last deadline and the grace', () => {
    const late = { now: Date.parse('2026-01-05T09:16:01Z'), graceMs: 60_000 };
    const { violations, first } = found(story.held, late);
    expect(violations).to.equal(1);
    expect(first?.where).to.match(new RegExp(`^order ${order_id}, begun at order-`));
    expect(first).to.include({ expected: 'an end by 2026-01-05T09:16:00.000Z', seen: 'the order has no end' });
  });

  it('is violated by an order that ended and whose fulfilment has not', () => {
    const { first } = found(story.confirmedOrder.slice(0, -1));
    expect(first?.seen).to.equal('confirmed, but its fulfilment has not ended');
  });

  it('is violated by two ends, and by a fulfilment that ended otherwise', () => {
    expect(found([...story.confirmedOrder, story.failed()]).first?.seen).to.match(/^failed at order-/);
    const otherwise = [...story.confirmedOrder.slice(0, -1), story.ended('failed')];
    expect(found(otherwise).first?.seen).to.match(/^failed at fulfilment-/);
    expect(found([...story.confirmedOrder, story.ended()]).first?.seen).to.match(/^again at fulfilment-/);
  });
});
