import { expect } from 'chai';
import { readProviderLedger } from '../../cli/audit/provider-ledger.js';
import { orderAggregate } from '../../command-api/aggregates.js';
import { newId } from '../../runtime/ids.js';
import { orderBody, type StockedProduct, stockShop } from '../support/catalogue.js';
import { eventually } from '../support/eventually.js';

import { startTestShop, type TestShop } from '../support/shop.js';

interface Row {
  day: string;
  orders: Record<string, number>;
  units: number;
  revenue: number;
  captured: number;
  refunded: number;
}

describe('the sales figures', function () {
  this.timeout(60_000);
  let shop: TestShop;
  let products: StockedProduct[];
  let admin: string;
  let customer: { token: string; userId: string };
  /** Orders that are cancelled after the provider has taken the money and before anybody heard of it. */
  const cancelledLate = new Set<string>();

  const cancel = async (orderId: string) => {
    const { commands } = shop.writeSide;
    const data = { order_id: orderId, by: customer.userId, reason: 'changed my mind' };
    const command = { type: 'CancelOrder' as const, data, metadata: { now: new Date().toISOString() } };
    await commands.handle(orderAggregate, orderId, command, { commandId: newId(), correlationId: orderId });
  };
  const place = async (body: object): Promise<string> => {
    const headers = { 'idempotency-key': newId() };
    const placed = await shop.call('POST', '/api/v1/orders', body, { token: customer.token, headers });
    expect(placed.status).to.equal(202);
    return placed.body.data.order_id;
  };
  const untilIn = (orderId: string, type: string) =>
    eventually(
      `${type} of ${orderId}`,
      async () => (await shop.flowOf(orderId)).find((event) => event.type === type),
      30_000,
    );

  before(async () => {
    shop = await startTestShop();
    const stocked = await stockShop(shop, [
      { price: 10.01, stock: 100 },
      { price: 0.99, stock: 1 },
    ]);
    products = stocked.products;
    admin = stocked.admin;
    customer = await shop.logIn();
  });
  after(() => shop.close());

  it('are the provider’s ledger and the log to the penny, however the orders ended', async () => {
    const [lantern, candle] = products as [StockedProduct, StockedProduct];
    const confirmed = [await place(orderBody([lantern], 3)), await place(orderBody([lantern, candle]))];
    for (const orderId of confirmed) await untilIn(orderId, 'order.confirmed');
    const unstocked = await place(orderBody([candle], 2));
    const declined = await place(orderBody([lantern], 1, 'pm_card_chargeDeclinedLostCard'));
    for (const orderId of [unstocked, declined]) await untilIn(orderId, 'order.failed');

    await shop.stopFulfilment();
    const cancelled = await place(orderBody([lantern], 2));
    await cancel(cancelled);
    const refunded = await place(orderBody([lantern], 5));
    cancelledLate.add(refunded);
    await shop.startFulfilment((options) => ({
      ...options,
      provider: {
        ...options.provider,
        async charge(charge) {
          const outcome = await options.provider.charge(charge);
          if (cancelledLate.has(charge.order_id)) await cancel(charge.order_id);
          return outcome;
        },
      },
    }));
    await untilIn(cancelled, 'fulfilment.ended');
    const { position } = await untilIn(refunded, 'payment.refunded');

    const headers = { 'x-consistency-token': String(position) };
    const from = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
    const to = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    const read = (path: string) => shop.call('GET', path, undefined, { token: admin, headers });
    const sales = await read(`/api/v1/analytics/sales?from=${from}&to=${to}&country=GB&channel=web`);
    expect(sales.status).to.equal(200);
    const rows: Row[] = sales.body.data.rows;
    const total = (pick: (row: Row) => number) => rows.reduce((sum, row) => sum + Math.round(pick(row) * 100), 0) / 100;
    const ordersThat = (end: string) => total(({ orders }) => orders[end] ?? 0);

    expect(['placed', 'confirmed', 'failed', 'cancelled'].map(ordersThat)).to.deep.equal([6, 2, 2, 2]);
    expect(total(({ units }) => units)).to.equal(5);
    expect(total(({ revenue }) => revenue)).to.equal(41.03);
    expect(total(({ captured }) => captured)).to.equal(91.08);
    expect(total(({ refunded: back }) => back)).to.equal(50.05);

    const ledger = await readProviderLedger(shop.providerUrl, shop.providerKey);
    const sum = (amounts: readonly { amount: number }[]) => amounts.reduce((all, { amount }) => all + amount, 0);
    expect(sum(ledger.captures)).to.equal(9_108);
    expect(sum(ledger.refunds)).to.equal(5_005);
    const events = await shop.events();
    const logged = (type: string) =>
      events.reduce((all, event) => all + (event.type === type ? Number(event.data['amount']) : 0), 0);
    expect([logged('payment.success'), logged('payment.refunded')]).to.deep.equal([9_108, 5_005]);

    const top = await read(`/api/v1/analytics/products?from=${from}&to=${to}&sort=revenue&currency=GBP`);
    const sold = top.body.data.products.map(({ name, units, revenue }: Record<string, unknown>) => [
      name,
      units,
      revenue,
    ]);
    expect(sold).to.deep.equal([
      ['Lantern 0', 4, 40.04],
      ['Lantern 1', 1, 0.99],
    ]);
  });

  it('are not for customers and sellers', async () => {
    const seller = await shop.logIn(['seller']);
    for (const { token } of [customer, seller]) {
      for (const model of ['sales', 'products']) {
        const path = `/api/v1/analytics/${model}?from=2026-01-01&to=2026-01-31`;
        expect((await shop.call('GET', path, undefined, { token })).status).to.equal(403);
      }
    }
  });
});
