import { expect } from 'chai';
import fc from 'fast-check';
import { fold } from '../core/decider.js';
import { runLawfully } from '../core/decider-laws.js';
import type { ErrorCode } from '../core/domain-error.js';
import { given } from '../core/specification.js';
import { eventCatalog } from '../event-catalog.js';
import { mostOrderLines, type OrderCommand, type OrderStatus, orderDecider, type PlaceOrder } from './order.js';
import type { OrderEvent, OrderItem } from './order-events.js';

const metadata = { now: '2026-03-01T09:30:00.000Z' };
const id = (n: number) => `018f3c1a-0000-7000-8000-${String(n).padStart(12, '0')}`;
const order_id = id(1);
const payment_id = id(2);
const keys = {
  order_number: 'ORD-2026-00042',
  user_id: id(3),
  shop_ids: [id(4)],
  country: 'GB',
  currency: 'GBP',
  placed_at: metadata.now,
  channel: 'web' as const,
};
const item = (line: number, quantity: number, price: number): OrderItem => ({
  line,
  product_id: id(10 + line),
  variant_id: id(5000 + line),
  shop_id: id(4),
  sku: `MUG-${line}`,
  title: 'Mug',
  quantity,
  price,
  amount: quantity * price,
});
const order = (change: Partial<PlaceOrder['data']> = {}): PlaceOrder['data'] => ({
  order_id,
  ...keys,
  cart_id: null,
  payment_method: 'pm_card_visa',
  email_hmac: null,
  external_reference: null,
  items: [item(1, 2, 1250), item(2, 1, 500)],
  item_total: 3000,
  discount: 300,
  shipping: 450,
  tax: 540,
  total: 3690,
  ...change,
});

const place = (change: Partial<PlaceOrder['data']> = {}): OrderCommand => ({
  type: 'PlaceOrder',
  data: order(change),
  metadata,
});
const pay = (amount = 3690, payment = payment_id): OrderCommand => ({
  type: 'MarkOrderPaid',
  data: { order_id, payment_id: payment, amount },
  metadata,
});
const confirm: OrderCommand = { type: 'ConfirmOrder', data: { order_id }, metadata };
const fail: OrderCommand = {
  type: 'FailOrder',
  data: { order_id, stage: 'payment', reason: 'card_declined' },
  metadata,
};
const cancel: OrderCommand = { type: 'CancelOrder', data: { order_id, by: 'user', reason: 'too slow' }, metadata };

const created: OrderEvent = { type: 'order.created', data: order() };
const paid: OrderEvent = { type: 'order.paid', data: { order_id, payment_id, amount: 3690, ...keys } };
const confirmed: OrderEvent = {
  type: 'order.confirmed',
  data: {
    order_id,
    total: 3690,
    items: order().items.map(({ product_id, variant_id, shop_id, quantity, amount }) => ({
      product_id,
      variant_id,
      shop_id,
      quantity,
      amount,
    })),
    ...keys,
  },
};
const failed: OrderEvent = {
  type: 'order.failed',
  data: { order_id, stage: 'payment', reason: 'card_declined', ...keys },
};
const cancelled: OrderEvent = { type: 'order.cancelled', data: { order_id, by: 'user', reason: 'too slow', ...keys } };

const histories: Record<OrderStatus, readonly OrderEvent[]> = {
  none: [],
  pending: [created],
  paid: [created, paid],
  confirmed: [created, paid, confirmed],
  failed: [created, failed],
  cancelled: [created, cancelled],
};

describe('an order by its status', () => {
  const nothing = 'nothing';
  const outcomes: Record<OrderStatus, readonly (OrderEvent | ErrorCode | typeof nothing)[]> = {
    // place, pay, confirm, fail, cancel
    none: [created, 'order-not-found', 'order-not-found', 'order-not-found', 'order-not-found'],
    pending: ['order-already-exists', paid, 'order-not-paid', failed, cancelled],
    paid: ['order-already-exists', nothing, confirmed, failed, 'order-already-paid'],
    confirmed: ['order-already-exists', nothing, nothing, 'order-ended', 'order-already-paid'],
    failed: ['order-already-exists', 'order-ended', 'order-ended', nothing, 'order-ended'],
    cancelled: ['order-already-exists', 'order-ended', 'order-ended', 'order-ended', nothing],
  };
  for (const [status, expected] of Object.entries(outcomes)) {
    const history = histories[status as OrderStatus];
    for (const [i, command] of [place(), pay(), confirm, fail, cancel].entries()) {
      const outcome = expected[i];
      const what = typeof outcome === 'object' ? `leads to ${outcome.type}` : `meets ${outcome}`;
      it(`${status}: ${command.type} ${what}`, () => {
        const result = given(orderDecider, ...history).when(command);
        if (typeof outcome === 'object') result.then(outcome);
        else if (outcome === nothing) result.thenNothing();
        else result.thenRefused(outcome as ErrorCode);
      });
    }

    it(`${status} is what its history folds to`, () => {
      expect(fold(orderDecider, history).status).to.equal(status);
    });
  }

  it('keeps it when it is shipped, delivered, returned or refunded', () => {
    const lines = [{ line: 1, quantity: 2 }];
    const parcel = { order_id, shop_id: id(4), carrier: 'post', tracking: null, lines, ...keys };
    const later: OrderEvent[] = [
      { type: 'order.shipped', data: parcel },
      { type: 'order.delivered', data: parcel },
      { type: 'order.returned', data: { order_id, lines, reason: 'broken', ...keys } },
      { type: 'order.refunded', data: { order_id, lines, amount: 2500, ...keys } },
    ];
    const state = fold(orderDecider, histories.confirmed);
    expect(fold(orderDecider, [...histories.confirmed, ...later])).to.deep.equal(state);
  });
});

describe('paying an order', () => {
  it('takes its total and nothing else', () => {
    given(orderDecider, created).when(pay(3689)).thenRefused('amount-mismatch');
    given(orderDecider, created).when(pay(3691)).thenRefused('amount-mismatch');
  });

  it('with a second payment is refused', () => {
    given(orderDecider, created, paid)
      .when(pay(3690, id(9)))
      .thenRefused('order-already-paid');
    given(orderDecider, created, paid, confirmed)
      .when(pay(3690, id(9)))
      .thenRefused('order-already-paid');
  });

  it('is the gate: it wins against a cancel or loses to it, never both', () => {
    given(orderDecider, created, paid).when(cancel).thenRefused('order-already-paid');
    given(orderDecider, created, cancelled).when(pay()).thenRefused('order-ended');
  });
});

describe('an order that does not add up', () => {
  const refused: Record<string, [Partial<PlaceOrder['data']>, ErrorCode]> = {
    'without a line': [{ items: [] }, 'order-empty'],
    'with a line of another amount': [
      { items: [{ ...item(1, 2, 1250), amount: 2501 }, item(2, 1, 500)], item_total: 3001, total: 3691 },
      'amount-mismatch',
    ],
    'with a sum of lines that is not theirs': [{ item_total: 3001, total: 3691 }, 'amount-mismatch'],
    'with another total': [{ total: 3691 }, 'amount-mismatch'],
    'with a discount that is not in the total': [{ discount: 301 }, 'amount-mismatch'],
    'with shipping that is not in the total': [{ shipping: 0 }, 'amount-mismatch'],
    'with tax that is not in the total': [{ tax: 0 }, 'amount-mismatch'],
    'with a total below zero': [{ discount: 5000, total: -1010 }, 'amount-mismatch'],
    'with a quantity of none': [{ items: [item(1, 0, 1250), item(2, 1, 500)] }, 'quantity-not-positive'],
    'with a quantity that is a slip': [{ items: [item(1, 100_001, 1)] }, 'quantity-too-large'],
    'with too many lines': [
      { items: Array.from({ length: mostOrderLines + 1 }, (_, n) => item(n + 1, 1, 1)) },
      'order-too-large',
    ],
    'with a sum beyond whole numbers': [
      {
        items: [item(1, 2, Number.MAX_SAFE_INTEGER)],
        item_total: 2 * Number.MAX_SAFE_INTEGER,
        discount: 0,
        shipping: 0,
        tax: 0,
        total: 2 * Number.MAX_SAFE_INTEGER,
      },
      'amount-mismatch',
    ],
  };
  for (const [what, [change, code]] of Object.entries(refused)) {
    it(`${what} is not placed`, () => {
      given(orderDecider).when(place(change)).thenRefused(code);
    });
  }

  it('is the exception: the most lines, the largest quantity and a total of zero are good', () => {
    const items = Array.from({ length: mostOrderLines }, (_, n) => item(n + 1, n === 0 ? 100_000 : 1, 0));
    given(orderDecider)
      .when(place({ items, item_total: 0, discount: 0, shipping: 0, tax: 0, total: 0 }))
      .thenTypes('order.created');
  });
});

describe('any sequence of commands to an order', () => {
  const command = fc.oneof(
    fc.constantFrom(place(), confirm, fail, cancel, pay()),
    fc
      .tuple(fc.constantFrom(3690, 1), fc.constantFrom(payment_id, id(9)))
      .map(([amount, payment]) => pay(amount, payment)),
    fc.record({ discount: fc.nat(400), shipping: fc.nat(400), total: fc.nat(4000) }).map((change) => place(change)),
  );
  const commands = fc.array(command, { maxLength: 30 });

  it('is lawful; every command but placing may come twice', () => {
    fc.assert(
      fc.property(commands, (list) => {
        runLawfully(orderDecider, eventCatalog, [place(), ...list], ({ type }) => type !== 'PlaceOrder');
        runLawfully(orderDecider, eventCatalog, list, ({ type }) => type !== 'PlaceOrder');
      }),
    );
  });

  it('pays once, ends once, confirms only what was paid, and what is cancelled was never paid', () => {
    fc.assert(
      fc.property(commands, (list) => {
        const types = runLawfully(orderDecider, eventCatalog, [place(), ...list]).events.map(({ type }) => type);
        const count = (...wanted: string[]) => types.filter((type) => wanted.includes(type)).length;
        expect(count('order.created')).to.equal(1);
        expect(count('order.paid')).to.be.at.most(1);
        expect(count('order.confirmed', 'order.failed', 'order.cancelled')).to.be.at.most(1);
        if (count('order.confirmed') > 0) expect(count('order.paid')).to.equal(1);
        if (count('order.cancelled') > 0) expect(count('order.paid')).to.equal(0);
      }),
    );
  });

  it('that is placed adds up', () => {
    const money = fc.nat(10_000);
    const sums = fc.record({ discount: money, shipping: money, tax: money, off: fc.constantFrom(0, 0, -1, 1) });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), money), { minLength: 1, maxLength: 5 }),
        sums,
        (lines, { discount, shipping, tax, off }) => {
          const items = lines.map(([quantity, price], i) => item(i + 1, quantity, price));
          const item_total = items.reduce((sum, { amount }) => sum + amount, 0);
          const total = item_total - discount + shipping + tax + off;
          const { events, refusals } = runLawfully(orderDecider, eventCatalog, [
            place({ items, item_total, discount, shipping, tax, total }),
          ]);
          const adds = off === 0 && total >= 0;
          expect([events.length, refusals]).to.deep.equal(adds ? [1, []] : [0, ['amount-mismatch']]);
        },
      ),
    );
  });
});
