import { expect } from 'chai';
import { complaintsOf } from '../../cli/audit/report-text.js';
import { newId } from '../../runtime/ids.js';
import { orderBody, type StockedProduct, stockShop } from '../../test/support/catalogue.js';
import { eventually } from '../../test/support/eventually.js';
import { startTestShop, type TestShop } from '../../test/support/shop.js';
import type { RunnerOptions } from './fulfilment-runner.js';
import { ProviderUnavailable } from './payment-provider.js';

/**
 * A process manager that dies at its n-th step: from then on nothing it does has any effect, neither its commands nor
 * its checkpoint. `after`: the last step was done, and its answer is lost.
 */
function dyingAt(step: number, when: 'before' | 'after', died: () => void) {
  let steps = 0;
  let dead = false;
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    if (dead) throw new Error('dead');
    steps += 1;
    if (steps < step) return work();
    dead = true;
    if (when === 'after') await work().catch(() => {});
    died();
    throw new Error('died');
  };
  return (options: RunnerOptions): RunnerOptions => ({
    ...options,
    commands: { ...options.commands, handle: (...args) => guarded(() => options.commands.handle(...args)) },
    provider: {
      name: options.provider.name,
      charge: (charge) => guarded(() => options.provider.charge(charge)),
      refund: (refund) => guarded(() => options.provider.refund(refund)),
    },
    eventLog: {
      ...options.eventLog,
      appendSide: async (...args) => {
        if (dead) throw new Error('dead');
        return options.eventLog.appendSide(...args);
      },
    },
  });
}

describe('the process manager', function () {
  this.timeout(60_000);
  let shop: TestShop;
  let products: StockedProduct[];
  let token: string;

  before(async () => {
    shop = await startTestShop();
    ({ products } = await stockShop(shop, [
      { price: 20, stock: 1_000 },
      { price: 30, stock: 1_000 },
      { price: 40, stock: 0 },
    ]));
    ({ token } = await shop.logIn());
    await shop.stopFulfilment();
  });
  after(() => shop.close());

  const place = async (body: unknown): Promise<string> => {
    const headers = { 'idempotency-key': newId() };
    const placed = await shop.call('POST', '/api/v1/orders', body, { token, headers });
    expect(placed.status).to.equal(202);
    return placed.body.data.order_id;
  };
  const endOf = (orderId: string) =>
    eventually(`order ${orderId} to end`, async () => {
      const flow = await shop.flowOf(orderId);
      return flow.some(({ type }) => type === 'fulfilment.ended') && flow;
    });

  const endings: [string, number, () => unknown, string][] = [
    ['a paid order', 11, () => orderBody(products.slice(0, 2)), 'order.confirmed'],
    ['a stolen card', 11, () => orderBody(products.slice(0, 2), 1, 'pm_card_chargeDeclinedStolenCard'), 'order.failed'],
    ['stock that is refused', 6, () => orderBody([products[0], products[2]] as StockedProduct[]), 'order.failed'],
  ];
  for (const [name, steps, body, end] of endings) {
    for (const when of ['before', 'after'] as const) {
      it(`that dies ${when} any step of ${name} goes on after the restart`, async () => {
        for (let step = 1; step <= steps; step += 1) {
          const died = new Promise<void>((resolve) => {
            void shop.startFulfilment(dyingAt(step, when, resolve));
          });
          const orderId = await place(body());
          await died;
          await shop.stopFulfilment();
          await shop.startFulfilment();
          const flow = await endOf(orderId);
          const types = flow.map(({ type }) => type);
          expect(types.filter((type) => type === end).length, `${end} after dying at step ${step}`).to.equal(1);
          const commands = flow.map(({ metadata }) => metadata['command_id']);
          expect(new Set(commands).size, `nothing twice after dying at step ${step}`).to.equal(commands.length);
          await shop.stopFulfilment();
        }
      });
    }
  }

  it('asks the provider again, with the same key, when it did not hear what became of a charge', async () => {
    const keys: string[] = [];
    await shop.startFulfilment((options) => ({
      ...options,
      provider: {
        ...options.provider,
        async charge(charge) {
          keys.push(charge.provider_key);
          const outcome = await options.provider.charge(charge);
          if (keys.length < 3) throw new ProviderUnavailable('the answer was lost');
          return outcome;
        },
      },
    }));
    const orderId = await place(orderBody(products.slice(0, 1)));
    await endOf(orderId);
    await shop.stopFulfilment();
    expect(new Set(keys).size).to.equal(1);
    expect(keys.length).to.equal(3);
  });

  it('gives up a payment of which nothing is heard until its deadline, and releases the stock', async () => {
    await shop.startFulfilment((options) => ({
      ...options,
      policy: { ...options.policy, paymentMs: 300 },
      provider: { ...options.provider, charge: () => Promise.reject(new ProviderUnavailable('silent')) },
    }));
    const flow = await endOf(await place(orderBody(products.slice(0, 1))));
    await shop.stopFulfilment();
    const failed = flow.find(({ type }) => type === 'payment.failed');
    expect(failed?.data['reason']).to.equal('payment_timeout');
    expect(flow.map(({ type }) => type)).to.include.members(['inventory.released', 'order.failed']);
  });

  it('extends a reservation that would not outlive the payment, once, before it asks for money', async () => {
    await shop.startFulfilment((options) => ({ ...options, policy: { ...options.policy, reservationMs: 60_000 } }));
    const types = (await endOf(await place(orderBody(products.slice(0, 2))))).map(({ type }) => type);
    await shop.stopFulfilment();
    expect(types.filter((type) => type === 'inventory.extended').length).to.equal(2);
    expect(types.lastIndexOf('inventory.extended')).to.be.below(types.indexOf('payment.initiated'));
  });

  it('confirms a reservation that is overdue but still held', async () => {
    const policy = { reservationMs: -1, graceMs: -3600_000 };
    await shop.startFulfilment((options) => ({ ...options, policy: { ...options.policy, ...policy } }));
    const types = (await endOf(await place(orderBody(products.slice(0, 1))))).map(({ type }) => type);
    await shop.stopFulfilment();
    expect(types).to.include('order.confirmed');
    expect(types.filter((type) => type === 'inventory.reserved').length).to.equal(1);
  });

  it('takes a reservation anew that lapsed while the card was charged', async () => {
    let release: () => void = () => {};
    const other = new Promise<void>((resolve) => (release = resolve));
    let charges = 0;
    await shop.startFulfilment((options) => ({
      ...options,
      policy: { ...options.policy, reservationMs: -1, graceMs: -3600_000 },
      provider: {
        ...options.provider,
        async charge(charge) {
          charges += 1;
          if (charges === 1) await other;
          return options.provider.charge(charge);
        },
      },
    }));
    const first = await place(orderBody(products.slice(0, 1)));
    await eventually('the first charge', () => charges > 0);
    // The second order's decisions on the same stock release what is due, and that is the first one's reservation.
    await endOf(await place(orderBody(products.slice(0, 1))));
    release();
    const types = (await endOf(first)).map(({ type }) => type);
    await shop.stopFulfilment();
    expect(types).to.include.members(['inventory.released', 'inventory.confirmation.failed', 'order.confirmed']);
    expect(types.filter((type) => type === 'inventory.reserved').length).to.equal(2);
  });

  it('does two orders of the same stock side by side, two processes at once', async () => {
    await shop.startFulfilment();
    await shop.startFulfilment();
    const orders = await Promise.all(Array.from({ length: 12 }, () => place(orderBody(products.slice(0, 2)))));
    for (const orderId of orders) {
      const types = (await endOf(orderId)).map(({ type }) => type);
      expect(types.filter((type) => type === 'order.confirmed').length).to.equal(1);
      expect(types.filter((type) => type === 'payment.success').length).to.equal(1);
    }
    await shop.stopFulfilment();
  });

  it('leaves log, stock and provider in agreement after all of this', async () => {
    const report = await shop.audit();
    expect(complaintsOf(report)).to.deep.equal([]);
    expect(report.orders.open).to.equal(0);
  });
});
