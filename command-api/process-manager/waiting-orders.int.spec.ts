import { expect } from 'chai';
import { complaintsOf } from '../../cli/audit/report-text.js';
import { deriveId, newId } from '../../runtime/ids.js';
import { orderBody, type StockedProduct, stockShop } from '../../test/support/catalogue.js';
import { eventually } from '../../test/support/eventually.js';
import { startTestShop, type TestShop } from '../../test/support/shop.js';
import type { RunnerOptions } from './fulfilment-runner.js';
import { ProviderUnavailable } from './payment-provider.js';

const declinedCard = 'pm_card_chargeDeclined';

describe('orders that wait', function () {
  this.timeout(60_000);
  let shop: TestShop;
  let products: StockedProduct[];
  let token: string;

  before(async () => {
    shop = await startTestShop();
    ({ products } = await stockShop(shop, [{ price: 20, stock: 1_000 }]));
    ({ token } = await shop.logIn());
    await shop.stopFulfilment();
  });
  after(() => shop.close());
  afterEach(() => shop.stopFulfilment());

  const place = async (card = 'pm_card_visa'): Promise<string> => {
    const headers = { 'idempotency-key': newId() };
    const placed = await shop.call('POST', '/api/v1/orders', orderBody(products, 1, card), { token, headers });
    return placed.body.data.order_id;
  };
  const pay = (orderId: string, payment_method = 'pm_card_visa') =>
    shop.call('POST', `/api/v1/orders/${orderId}/payments`, { payment_method }, { token });
  const typesOf = async (orderId: string) => (await shop.flowOf(orderId)).map(({ type }) => type);
  const until = (orderId: string, type: string, limitMs = 20_000) =>
    eventually(
      `${type} of ${orderId}`,
      async () => {
        const types = await typesOf(orderId);
        return types.includes(type) && types;
      },
      limitMs,
    );
  const withPolicy = (policy: Partial<RunnerOptions['policy']>, more: Partial<RunnerOptions> = {}) =>
    shop.startFulfilment((options) => ({ ...options, ...more, policy: { ...options.policy, ...policy } }));
  /** Keeps a reservation shorter than its payment, as a payment that is extended would not be. */
  const lapsing = { reservationMs: 300, graceMs: -3600_000 };

  it('for another card leave their places to others', async () => {
    const runner = await withPolicy({}, { maxOpen: 2 });
    const declined = await Promise.all(Array.from({ length: 6 }, () => place(declinedCard)));
    for (const orderId of declined) await until(orderId, 'payment.failed');
    expect(await until(await place(), 'fulfilment.ended')).to.include('order.confirmed');
    const { steps, open, oldest_seconds } = await eventually('six to wait', () => {
      const status = runner.status();
      return status.steps['awaiting-retry'] === 6 && status;
    });
    expect([open, steps['owing-refund']]).to.deep.equal([6, 0]);
    expect(oldest_seconds).to.be.a('number');
    await pay(declined[3] ?? '');
    expect(await until(declined[3] ?? '', 'fulfilment.ended')).to.include('order.confirmed');
  });

  it('for a provider that is silent leave their places to others, and fail at their deadline', async () => {
    await withPolicy(
      { paymentMs: 9_000 },
      {
        maxOpen: 2,
        ...(await silentFor('pm_card_mastercard')),
      },
    );
    const silent = await Promise.all(Array.from({ length: 4 }, () => place('pm_card_mastercard')));
    expect(await until(await place(), 'fulfilment.ended', 15_000)).to.include('order.confirmed');
    for (const orderId of silent) expect(await until(orderId, 'fulfilment.ended')).to.include('order.failed');
  });

  /** A provider that does not answer for one card; it hangs up after as long as the client's patience lasts. */
  const silentFor = async (card: string): Promise<Pick<RunnerOptions, 'provider'>> => {
    let provider: RunnerOptions['provider'] | undefined;
    await shop.startFulfilment((options) => {
      provider = options.provider;
      return options;
    });
    await shop.stopFulfilment();
    if (provider === undefined) throw new Error('there is no provider');
    const real = provider;
    return {
      provider: {
        ...real,
        async charge(charge) {
          if (charge.payment_method !== card) return real.charge(charge);
          await new Promise((resolve) => setTimeout(resolve, 2_100));
          throw new ProviderUnavailable('silent');
        },
      },
    };
  };

  it('are found again after a restart: for another card, and by their deadline', async () => {
    await withPolicy({ paymentMs: 6_000 });
    const [retried, left] = [await place(declinedCard), await place(declinedCard)];
    for (const orderId of [retried, left]) await until(orderId, 'payment.failed');
    await shop.stopFulfilment();
    const runner = await withPolicy({ paymentMs: 6_000 });
    expect(runner.status().steps['awaiting-retry']).to.be.at.least(2);
    expect((await pay(retried)).status).to.equal(202);
    expect(await until(retried, 'fulfilment.ended')).to.include('order.confirmed');
    expect(await until(left, 'fulfilment.ended')).to.include('order.failed');
  });

  it('have their stock released when its time is over, and take it anew for a card that is good', async () => {
    await withPolicy(lapsing);
    const orderId = await place(declinedCard);
    const types = await until(orderId, 'inventory.released');
    expect(types).to.not.include('fulfilment.ended');
    await pay(orderId);
    const ended = await until(orderId, 'fulfilment.ended');
    expect(ended).to.include('order.confirmed');
    expect(ended.filter((type) => type === 'inventory.reserved').length).to.equal(2);
  });

  it('have stock released that became overdue while no process manager ran', async () => {
    await withPolicy(lapsing, { sweepMs: 60_000 });
    const orderId = await place(declinedCard);
    await until(orderId, 'payment.failed');
    await shop.stopFulfilment();
    await shop.startFulfilment();
    expect(await until(orderId, 'inventory.released')).to.not.include('fulfilment.ended');
    await pay(orderId);
    await until(orderId, 'fulfilment.ended');
  });

  it('without end, as parked ones do, do not keep their stock', async () => {
    const runner = await shop.startFulfilment((options) => ({
      ...options,
      policy: { ...options.policy, reservationMs: 300 },
      commands: {
        ...options.commands,
        handle(aggregate, id, command, context) {
          if (command.type === 'StartFulfilment') return Promise.reject(new TypeError('a fault of ours'));
          return options.commands.handle(aggregate, id, command, context);
        },
      },
    }));
    const orderId = await place();
    const types = await until(orderId, 'inventory.released');
    expect(types).to.not.include('fulfilment.started');
    const [parked] = runner.status().parked_orders;
    expect(parked?.order_id).to.equal(orderId);
    await shop.stopFulfilment();
    await shop.startFulfilment();
    expect(await until(orderId, 'fulfilment.ended')).to.include('order.confirmed');
  });

  it('too many for another card: who has waited longest gets no further try', async () => {
    await withPolicy({}, { maxWaiting: 2 });
    const orders: string[] = [];
    for (let n = 0; n < 4; n += 1) {
      const orderId = await place(declinedCard);
      await until(orderId, 'payment.failed');
      orders.push(orderId);
    }
    for (const orderId of orders.slice(0, 2))
      expect(await until(orderId, 'fulfilment.ended')).to.include('order.failed');
    for (const orderId of orders.slice(2)) {
      expect((await pay(orderId)).status).to.equal(202);
      expect(await until(orderId, 'fulfilment.ended')).to.include('order.confirmed');
    }
  });

  it('are not taken in hand a second time by a sweep that began before news of them came', async () => {
    const others = new Set<string>();
    let last = '';
    let lateMs = 0;
    let readsOfLast = 0;
    const held = { reads: 0, commands: 0 };
    const gates = { reads: Promise.resolve(), commands: Promise.resolve() };
    const open = { reads: () => {}, commands: () => {} };
    for (const gate of ['reads', 'commands'] as const) gates[gate] = new Promise((resolve) => (open[gate] = resolve));
    const runner = await shop.startFulfilment((options) => ({
      ...options,
      sweepMs: 50,
      clock: () => new Date(Date.now() + lateMs),
      policy: { ...options.policy, paymentMs: 600_000, reservationMs: 900_000 },
      eventLog: {
        ...options.eventLog,
        async *readStream(stream, ...range) {
          const orderId = stream.replace('order-', '');
          if (orderId === last) readsOfLast += 1;
          if (lateMs > 0 && others.has(orderId)) {
            held.reads += 1;
            await gates.reads;
          }
          yield* options.eventLog.readStream(stream, ...range);
        },
      },
      commands: {
        ...options.commands,
        async handle(aggregate, id, command, context) {
          if (lateMs > 0 && context.correlationId === last) {
            held.commands += 1;
            await gates.commands;
          }
          return options.commands.handle(aggregate, id, command, context);
        },
      },
    }));
    const waits = (count: number) =>
      eventually(`${count} to wait`, () => runner.status().steps['awaiting-retry'] === count);
    for (const orderId of await Promise.all(Array.from({ length: 16 }, () => place(declinedCard)))) others.add(orderId);
    await waits(16);
    last = await place(declinedCard);
    await waits(17);
    lateMs = 601_000;
    await eventually('the sweep to be in the middle of it', () => held.reads === 16);
    await shop.call('POST', `/api/v1/orders/${last}/cancel`, {}, { token });
    await eventually('the cancelled order to be in hand', () => held.commands === 1);
    readsOfLast = 0;
    open.reads();
    for (const orderId of others) await until(orderId, 'fulfilment.ended');
    expect([readsOfLast, held.commands]).to.deep.equal([0, 1]);
    open.commands();
    expect(await until(last, 'fulfilment.ended')).to.include('order.cancelled');
    expect(runner.status().open).to.equal(0);
  });

  it('for a refund that was refused are owed it until it is made, across a restart, and get it once', async () => {
    let refusals = 0;
    const refusing = (options: RunnerOptions): RunnerOptions => ({
      ...options,
      policy: { ...options.policy, refundRetryMs: 500, paymentMs: 400 },
      provider: {
        ...options.provider,
        async charge(charge) {
          await options.provider.charge(charge);
          throw new ProviderUnavailable('the answer was lost');
        },
        async refund(refund) {
          refusals += 1;
          if (refusals <= 3) return { kind: 'refused', reason: 'balance_insufficient' };
          return options.provider.refund(refund);
        },
      },
    });
    const runner = await shop.startFulfilment(refusing);
    const orderId = await place();
    await until(orderId, 'payment.refund_failed', 60_000);
    await until(orderId, 'fulfilment.ended');
    const { owed_refunds } = await eventually('the refund to be owed', () => {
      const status = runner.status();
      return status.owed_refunds.length > 0 && status;
    });
    expect(owed_refunds[0]).to.include({ order_id: orderId, amount: 2_000, currency: 'GBP' });
    await shop.stopFulfilment();
    const next = await shop.startFulfilment(refusing);
    const types = await until(orderId, 'payment.refunded', 60_000);
    expect(types.filter((type) => type === 'payment.refund_requested').length).to.equal(4);
    await eventually('nothing to be owed', () => next.status().owed_refunds.length === 0);
    const keys = (await shop.flowOf(orderId)).filter(({ type }) => type === 'payment.refund_requested');
    expect(new Set(keys.map(({ data }) => data['provider_key'])).size).to.equal(4);
    expect(new Set(keys.map(({ data }) => data['refund_id'])).size).to.equal(1);
    expect(keys[0]?.data['payment_id']).to.equal(deriveId('payment', orderId));
  });

  describe('after all of this', () => {
    it('leave log, stock and provider in agreement', async () => {
      // What still waits for a card would do so for ten minutes.
      await withPolicy({}, { clock: () => new Date(Date.now() + 3600_000) });
      const report = await eventually(
        'all orders to end',
        async () => {
          const found = await shop.audit();
          return found.orders.open === 0 && found;
        },
        30_000,
      );
      expect(complaintsOf(report)).to.deep.equal([]);
    });
  });
});
