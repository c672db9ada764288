import { expect } from 'chai';
import fc from 'fast-check';
import type { DomainEvent } from '../../domain/core/decider.js';
import type { Projection } from '../projection.js';
import { type AnyEvent, asRecorded, idFor, orderOf } from '../spec-histories.js';
import { cancelledOrder, confirmedOrder, declinedOrder } from '../spec-stories.js';
import type { ProductSalesBody, SalesBody } from './document.js';
import { productSalesProjection } from './product-sales.js';
import { salesProjection } from './sales.js';

/** Every document that a history makes, by its id. */
function folded<E extends DomainEvent, Body extends object>(
  projection: Projection<E, Body>,
  events: readonly AnyEvent[],
) {
  const documents = new Map<string, Body>();
  for (const event of asRecorded(events as unknown as readonly E[])) {
    if (!projection.types.has(event.type)) continue;
    for (const id of new Set(projection.ids(event))) {
      const next = projection.evolve(documents.get(id), event, id);
      if (next !== undefined) documents.set(id, next);
    }
  }
  return documents;
}

const salesOf = (...events: readonly AnyEvent[]) => [...folded(salesProjection, events).values()];
const productsOf = (...events: readonly AnyEvent[]) => [...folded(productSalesProjection, events).values()];

const nothing: SalesBody = {
  day: '2026-01-05',
  month: '2026-01',
  country: 'GB',
  channel: 'web',
  currency: 'GBP',
  placed: 0,
  confirmed: 0,
  failed: 0,
  cancelled: 0,
  units: 0,
  revenue: 0n,
  captured: 0n,
  refunded: 0n,
};

/** The same history as if it had been placed otherwise: all of its events carry the keys. */
const placedAs = (events: readonly AnyEvent[], keys: object) =>
  events.map(
    (event) => ('placed_at' in event.data ? { ...event, data: { ...event.data, ...keys } } : event) as AnyEvent,
  );

describe('sales', () => {
  it('of a confirmed order are goods in revenue and units, and all that was paid in captured', () => {
    expect(salesOf(...confirmedOrder('a'))).to.deep.equal([
      { ...nothing, placed: 1, confirmed: 1, units: 4, revenue: 2_000n, captured: 2_495n },
    ]);
  });

  it('of an order that failed or was cancelled are its end and the money that came and went', () => {
    expect(salesOf(...declinedOrder('a'))).to.deep.equal([{ ...nothing, placed: 1, failed: 1 }]);
    expect(salesOf(...cancelledOrder('a'))).to.deep.equal([
      { ...nothing, placed: 1, cancelled: 1, captured: 2_495n, refunded: 2_495n },
    ]);
  });

  it('belong to the UTC day on which the order was placed, whenever anything happened', () => {
    const late = placedAs(confirmedOrder('a'), { placed_at: '2010-12-31T23:59:59.999Z' });
    const early = placedAs(confirmedOrder('b'), { placed_at: '2011-01-01T00:00:00Z' });
    expect(salesOf(...late, ...early).map(({ day, month, confirmed }) => [day, month, confirmed])).to.deep.equal([
      ['2010-12-31', '2010-12', 1],
      ['2011-01-01', '2011-01', 1],
    ]);
  });

  for (const keys of [
    { country: 'FR' },
    { channel: 'import' },
    { currency: 'EUR' },
    { placed_at: '2026-01-06T09:00:00Z' },
  ]) {
    it(`of ${JSON.stringify(keys)} stand apart`, () => {
      const events = [...confirmedOrder('a'), ...placedAs(confirmedOrder('b'), keys)];
      expect(salesOf(...events).map(({ revenue }) => revenue)).to.deep.equal([2_000n, 2_000n]);
      expect(productsOf(...events)).to.have.length(4);
    });
  }

  it('are exact where a float would not be, and never more than the store holds', () => {
    const order = orderOf('a');
    const dear = { ...order.paymentSucceeded() };
    dear.data = { ...dear.data, amount: Number.MAX_SAFE_INTEGER };
    const [sales] = salesOf(...Array.from({ length: 1_023 }, () => dear));
    expect(sales?.captured).to.equal(BigInt(Number.MAX_SAFE_INTEGER) * 1_023n);
    expect(() => salesOf(...Array.from({ length: 1_026 }, () => dear))).to.throw(RangeError);
  });
});

describe('the sales of products', () => {
  it('keep the days of a month in one document', () => {
    const next = placedAs(confirmedOrder('a'), { placed_at: '2026-01-31T12:00:00Z' });
    const [first, second] = productsOf(...confirmedOrder('a'), ...next, ...next);
    expect(first).to.deep.equal({
      product_id: idFor('product', 'a', 0),
      month: '2026-01',
      country: 'GB',
      channel: 'web',
      currency: 'GBP',
      days: [
        { day: '2026-01-05', orders: 1, units: 2, revenue: 1_000n },
        { day: '2026-01-31', orders: 2, units: 4, revenue: 2_000n },
      ],
    });
    expect(second?.product_id).to.equal(idFor('product', 'a', 1));
  });

  it('count an order once that has a product on several lines, and sum the lines', () => {
    const confirmed = orderOf('a').confirmed();
    const [line] = confirmed.data.items;
    if (line === undefined) throw new Error('no line');
    const items = [line, { ...line, quantity: 3, amount: 1_200 }];
    const [product] = productsOf({ ...confirmed, data: { ...confirmed.data, items } });
    expect(product?.days).to.deep.equal([{ day: '2026-01-05', orders: 1, units: 5, revenue: 2_200n }]);
  });

  it('touch each product of a long order once', () => {
    const long = orderOf('long', 1_114).confirmed();
    expect(productsOf(long)).to.have.length(1_114);
  });

  it('begin with a confirmation, and do not care for how an order ended otherwise', () => {
    expect(productsOf(...declinedOrder('a'), ...cancelledOrder('b'))).to.deep.equal([]);
  });
});

const sum = (numbers: readonly bigint[]) => numbers.reduce((a, b) => a + b, 0n);

describe('any history of orders', () => {
  const stories = fc.array(
    fc.record({
      story: fc.constantFrom(confirmedOrder, declinedOrder, cancelledOrder),
      day: fc.integer({ min: 1, max: 40 }),
      country: fc.constantFrom('GB', 'FR', 'DE'),
    }),
    { maxLength: 12 },
  );

  it('comes to the sums of its events, in the sales and in those of the products', () => {
    fc.assert(
      fc.property(stories, (told) => {
        const events = told.flatMap(({ story, day, country }, index) =>
          placedAs(story(`h${index}`), { country, placed_at: new Date(Date.UTC(2026, 0, day, index)).toISOString() }),
        );
        const count = (type: AnyEvent['type']) => events.filter((event) => event.type === type).length;
        const amounts = (type: 'payment.success' | 'payment.refunded') =>
          sum(events.map((event) => (event.type === type ? BigInt(event.data.amount) : 0n)));
        const goods = events.flatMap((event) => (event.type === 'order.confirmed' ? event.data.items : []));
        const sales: SalesBody[] = salesOf(...events);
        const products: ProductSalesBody[] = productsOf(...events);
        const days = products.flatMap((product) => product.days);
        const total = (key: 'placed' | 'confirmed' | 'failed' | 'cancelled' | 'units') =>
          sales.reduce((all, row) => all + row[key], 0);

        expect(total('placed')).to.equal(count('order.created'));
        expect(total('confirmed')).to.equal(count('order.confirmed'));
        expect(total('failed')).to.equal(count('order.failed'));
        expect(total('cancelled')).to.equal(count('order.cancelled'));
        expect(sum(sales.map(({ captured }) => captured))).to.equal(amounts('payment.success'));
        expect(sum(sales.map(({ refunded }) => refunded))).to.equal(amounts('payment.refunded'));
        const revenue = sum(goods.map(({ amount }) => BigInt(amount)));
        expect(sum(sales.map((row) => row.revenue))).to.equal(revenue);
        expect(sum(days.map((day) => day.revenue))).to.equal(revenue);
        const units = goods.reduce((all, { quantity }) => all + quantity, 0);
        expect(total('units')).to.equal(units);
        expect(days.reduce((all, day) => all + day.units, 0)).to.equal(units);
        for (const { day, month } of sales) expect(day.slice(0, 7)).to.equal(month);
        for (const product of products) {
          for (const { day } of product.days) expect(day.slice(0, 7)).to.equal(product.month);
          expect(new Set(product.days.map(({ day }) => day)).size).to.equal(product.days.length);
        }
      }),
    );
  });
});
