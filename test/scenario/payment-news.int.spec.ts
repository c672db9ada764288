import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { complaintsOf } from '../../cli/audit/report-text.js';
import { ProviderUnavailable } from '../../command-api/process-manager/payment-provider.js';
import { newId } from '../../runtime/ids.js';
import { orderBody, type StockedProduct, stockShop } from '../support/catalogue.js';
import { eventually } from '../support/eventually.js';
import { startTestShop, type TestShop } from '../support/shop.js';

describe('news of a payment', function () {
  this.timeout(60_000);
  let shop: TestShop;
  let products: StockedProduct[];
  let token: string;

  before(async () => {
    shop = await startTestShop();
    ({ products } = await stockShop(shop, [{ price: 10, stock: 100 }]));
    ({ token } = await shop.logIn());
    await shop.stopFulfilment();
  });
  after(() => shop.close());
  afterEach(() => shop.stopFulfilment());

  const place = async (card?: string): Promise<string> => {
    const headers = { 'idempotency-key': newId() };
    const placed = await shop.call('POST', '/api/v1/orders', orderBody(products, 1, card), { token, headers });
    return placed.body.data.order_id;
  };
  const typesOf = async (orderId: string) => (await shop.flowOf(orderId)).map(({ type }) => type);
  const untilIn = (orderId: string, type: string) =>
    eventually(
      `${type} of ${orderId}`,
      async () => {
        const types = await typesOf(orderId);
        return types.includes(type) && types;
      },
      30_000,
    );
  const complaints = async () => complaintsOf(await shop.audit());

  /** A webhook as the provider would sign it. */
  const tell = (event: object) => {
    const body = JSON.stringify(event);
    const at = Math.floor(Date.now() / 1000);
    const signature = createHmac('sha256', shop.webhookSecret).update(`${at}.${body}`).digest('hex');
    return fetch(`${shop.gatewayUrl}/api/v1/payments/webhooks/stripe`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'stripe-signature': `t=${at},v1=${signature}` },
      body,
    });
  };

  it('whose answer was lost in a crash is asked for after the restart, though the deadline is past', async () => {
    let charged = false;
    await shop.startFulfilment((options) => ({
      ...options,
      provider: {
        ...options.provider,
        async charge(charge) {
          await options.provider.charge(charge);
          charged = true;
          throw new ProviderUnavailable('the answer was lost');
        },
      },
    }));
    const orderId = await place();
    await eventually('the charge', () => charged);
    await shop.stopFulfilment();
    await shop.startFulfilment((options) => ({ ...options, clock: () => new Date(Date.now() + 700_000) }));
    expect(await untilIn(orderId, 'fulfilment.ended')).to.include('order.confirmed');
    expect(await complaints()).to.deep.equal([]);
  });

  it('that comes by webhook after the payment was given up leads to one refund', async () => {
    await shop.startFulfilment((options) => ({
      ...options,
      policy: { ...options.policy, paymentMs: 1_500 },
      provider: {
        ...options.provider,
        async charge(charge) {
          await options.provider.charge(charge);
          throw new ProviderUnavailable('the answer was lost');
        },
      },
    }));
    const orderId = await place();
    expect(await untilIn(orderId, 'fulfilment.ended')).to.include('order.failed');
    const types = await untilIn(orderId, 'payment.refunded');
    expect(types.filter((type) => type === 'payment.refunded').length).to.equal(1);
    expect(await complaints()).to.deep.equal([]);
  });

  it('of a decline that is recorded already writes nothing', async () => {
    await shop.startFulfilment();
    const orderId = await place('pm_card_chargeDeclined');
    await untilIn(orderId, 'payment.failed');
    const stored = await shop.events();
    const failure = stored.find(({ type, data }) => type === 'payment.failed' && data['order_id'] === orderId);
    const { payment_id, amount } = failure?.data ?? {};
    const last_payment_error = { code: 'card_declined', decline_code: 'generic_decline' };
    const object = { id: 'pi_declined', amount, metadata: { order_id: orderId, payment_id }, last_payment_error };
    const event = { id: 'evt_declined', created: 1, type: 'payment_intent.payment_failed', data: { object } };
    expect((await tell(event)).status).to.equal(200);
    const about = (await shop.events()).filter(({ data }) => data['order_id'] === orderId);
    expect(about.map(({ type }) => type)).not.to.include('webhook.claimed');
  });

  it('of another order’s payment, or of another amount, changes nothing', async () => {
    await shop.startFulfilment();
    const [one, two] = [await place(), await place()];
    await untilIn(one, 'fulfilment.ended');
    await untilIn(two, 'fulfilment.ended');
    const payment = (await shop.events()).find(
      ({ type, data }) => type === 'payment.success' && data['order_id'] === two,
    );
    const object = { id: 'pi_x', amount: 1, metadata: { order_id: one, payment_id: payment?.data['payment_id'] } };
    const before = (await shop.events()).length;
    for (const event of [
      { id: 'evt_1', created: 1, type: 'payment_intent.succeeded', data: { object } },
      { id: 'evt_2', created: 1, type: 'payment_intent.succeeded', data: { object: { ...object, amount: 1000 } } },
      { id: 'evt_3', created: 1, type: 'payment_intent.succeeded', data: null },
      { id: 'evt_4', created: 1, type: 'payment_intent.succeeded', data: { object: { id: 'x' } } },
      { id: 'evt_5', created: 1, type: 'charge.refunded', data: { object } },
    ]) {
      expect((await tell(event)).status).to.equal(200);
    }
    expect((await shop.events()).length).to.equal(before);
  });

  it('that the process manager is about to hear itself is asked for later', async () => {
    const orderId = await place();
    await shop.startFulfilment((options) => ({
      ...options,
      provider: { ...options.provider, charge: () => Promise.reject(new ProviderUnavailable('silent')) },
    }));
    await untilIn(orderId, 'payment.initiated');
    const initiated = (await shop.events()).find(
      ({ type, data }) => type === 'payment.initiated' && data['order_id'] === orderId,
    );
    const metadata = { order_id: orderId, payment_id: initiated?.data['payment_id'] };
    const object = { id: 'pi_late', amount: 1000, metadata };
    const created = Math.floor(Date.now() / 1000);
    const early = await tell({ id: 'evt_6', created, type: 'payment_intent.succeeded', data: { object } });
    expect([early.status, early.headers.has('retry-after')]).to.deep.equal([503, true]);
    const late = { id: 'evt_6', created: created - 60, type: 'payment_intent.succeeded', data: { object } };
    expect((await tell(late)).status).to.equal(200);
    expect(await untilIn(orderId, 'fulfilment.ended')).to.include('order.confirmed');
    expect((await tell(late)).status).to.equal(200);
    expect((await typesOf(orderId)).filter((type) => type === 'payment.success').length).to.equal(1);
  });
});
