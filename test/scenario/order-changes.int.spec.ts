import { expect } from 'chai';
import { complaintsOf } from '../../cli/audit/report-text.js';
import { ProviderUnavailable } from '../../command-api/process-manager/payment-provider.js';
import { newId } from '../../runtime/ids.js';
import { orderBody, type StockedProduct, stockShop } from '../support/catalogue.js';
import { eventually } from '../support/eventually.js';
import { startTestShop, type TestShop } from '../support/shop.js';

const declinedCard = 'pm_card_chargeDeclined';

describe('a customer’s change to an order', function () {
  this.timeout(60_000);
  let shop: TestShop;
  let products: StockedProduct[];
  let token: string;
  let admin: string;

  before(async () => {
    shop = await startTestShop();
    ({ products, admin } = await stockShop(shop, [{ price: 10, stock: 100 }]));
    ({ token } = await shop.logIn());
  });
  after(() => shop.close());
  afterEach(async () => {
    await shop.stopFulfilment();
    await shop.startFulfilment();
  });

  const place = async (card = 'pm_card_visa'): Promise<string> => {
    const headers = { 'idempotency-key': newId() };
    const placed = await shop.call('POST', '/api/v1/orders', orderBody(products, 1, card), { token, headers });
    return placed.body.data.order_id;
  };
  const cancel = (orderId: string, by = token, body: unknown = { reason: 'changed my mind' }) =>
    shop.call('POST', `/api/v1/orders/${orderId}/cancel`, body, { token: by });
  const pay = (orderId: string, payment_method = 'pm_card_mastercard', by = token, key = newId()) =>
    shop.call(
      'POST',
      `/api/v1/orders/${orderId}/payments`,
      { payment_method },
      { token: by, headers: { 'idempotency-key': key } },
    );
  const typesOf = async (orderId: string) => (await shop.flowOf(orderId)).map(({ type }) => type);
  const until = (orderId: string, type: string, count = 1) =>
    eventually(`${type} of ${orderId}`, async () => {
      const types = await typesOf(orderId);
      return types.filter((one) => one === type).length >= count && types;
    });
  const codeOf = async (answer: ReturnType<typeof pay>) => {
    const { status, body } = await answer;
    return [status, body.code];
  };

  describe('that cancels it', () => {
    it('before anything was reserved ends it with nothing taken', async () => {
      await shop.stopFulfilment();
      const orderId = await place();
      const cancelled = await cancel(orderId);
      expect([cancelled.status, cancelled.body.data]).to.deep.equal([200, { order_id: orderId, status: 'cancelled' }]);
      await shop.startFulfilment();
      expect(await until(orderId, 'fulfilment.ended')).to.deep.equal([
        'order.created',
        'order.cancelled',
        'fulfilment.started',
        'fulfilment.ended',
      ]);
    });

    it('while its card is charged gives the money back, once', async () => {
      await shop.stopFulfilment();
      let answer: () => void = () => {};
      let asked = false;
      const held = new Promise<void>((resolve) => (answer = resolve));
      await shop.startFulfilment((options) => ({
        ...options,
        provider: {
          ...options.provider,
          async charge(charge) {
            asked = true;
            await held;
            return options.provider.charge(charge);
          },
        },
      }));
      const orderId = await place();
      await eventually('the charge', () => asked);
      expect((await cancel(orderId)).status).to.equal(200);
      answer();
      const types = await until(orderId, 'fulfilment.ended');
      expect(types).to.include.members(['payment.success', 'payment.refunded', 'inventory.released']);
      expect(types.filter((type) => type === 'payment.refund_requested').length).to.equal(1);
    });

    it('while it waits for another card releases its stock', async () => {
      const orderId = await place(declinedCard);
      await until(orderId, 'payment.failed');
      expect((await cancel(orderId)).status).to.equal(200);
      const types = await until(orderId, 'fulfilment.ended');
      expect(types).to.include.members(['order.cancelled', 'inventory.released']);
      expect(await codeOf(pay(orderId))).to.deep.equal([409, 'order-ended']);
    });

    it('says the same when it is repeated, and nothing is cancelled twice', async () => {
      await shop.stopFulfilment();
      const orderId = await place();
      for (let n = 0; n < 3; n += 1) expect((await cancel(orderId)).status).to.equal(200);
      expect((await typesOf(orderId)).filter((type) => type === 'order.cancelled').length).to.equal(1);
    });

    it('is refused once it is paid, or has failed', async () => {
      const paid = await place();
      await until(paid, 'fulfilment.ended');
      expect(await codeOf(cancel(paid))).to.deep.equal([409, 'order-already-paid']);
      const failed = await place('pm_card_chargeDeclinedStolenCard');
      await until(failed, 'fulfilment.ended');
      expect(await codeOf(cancel(failed))).to.deep.equal([409, 'order-ended']);
    });

    it('may be asked for by its owner and by admins; for others there is no such order', async () => {
      await shop.stopFulfilment();
      const orderId = await place();
      const stranger = await shop.logIn();
      expect(await codeOf(cancel(orderId, stranger.token))).to.deep.equal([404, 'order-not-found']);
      expect(await codeOf(cancel(newId()))).to.deep.equal([404, 'order-not-found']);
      expect(await codeOf(cancel('nonsense'))).to.deep.equal([404, 'order-not-found']);
      expect(await codeOf(cancel(orderId, token, { reason: 'x', refund: true }))).to.deep.equal([
        422,
        'validation-failed',
      ]);
      expect((await cancel(orderId, admin)).status).to.equal(200);
    });
  });

  describe('that pays it with another card', () => {
    it('after a decline confirms it, within the deadline of the first', async () => {
      const orderId = await place(declinedCard);
      await until(orderId, 'payment.failed');
      const answer = await pay(orderId);
      expect(answer.status).to.equal(202);
      expect(answer.body.data).to.include({ order_id: orderId, attempt: 2, status: 'initiated' });
      const types = await until(orderId, 'fulfilment.ended');
      expect(types).to.include('order.confirmed');
      expect(types).to.not.include('inventory.released');
      const begun = (await shop.flowOf(orderId)).filter(({ type }) => type === 'payment.initiated');
      expect(new Set(begun.map(({ data }) => data['deadline'])).size).to.equal(1);
    });

    it('may be declined again, until one is good', async () => {
      const orderId = await place(declinedCard);
      await until(orderId, 'payment.failed');
      await pay(orderId, 'pm_card_chargeDeclinedInsufficientFunds');
      await until(orderId, 'payment.failed', 2);
      await pay(orderId);
      expect(await until(orderId, 'fulfilment.ended')).to.include('order.confirmed');
    });

    it('that is stolen fails it at once', async () => {
      const orderId = await place(declinedCard);
      await until(orderId, 'payment.failed');
      await pay(orderId, 'pm_card_chargeDeclinedStolenCard');
      expect(await until(orderId, 'fulfilment.ended')).to.include('order.failed');
    });

    it('sent five times with one key is one attempt and equal answers, also when the order is paid by then', async () => {
      const orderId = await place(declinedCard);
      await until(orderId, 'payment.failed');
      const key = newId();
      const answers = await Promise.all([1, 2, 3, 4, 5].map(() => pay(orderId, 'pm_card_visa', token, key)));
      await until(orderId, 'order.confirmed');
      answers.push(await pay(orderId, 'pm_card_visa', token, key));
      expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body.data]))).size).to.equal(1);
      expect((await typesOf(orderId)).filter((type) => type === 'payment.initiated').length).to.equal(2);
    });

    it('is refused for an order that is paid, ended, not waiting, or another’s', async () => {
      const paid = await place();
      await until(paid, 'fulfilment.ended');
      expect(await codeOf(pay(paid))).to.deep.equal([409, 'order-already-paid']);
      const failed = await place('pm_card_chargeDeclinedStolenCard');
      await until(failed, 'fulfilment.ended');
      expect(await codeOf(pay(failed))).to.deep.equal([409, 'order-ended']);
      await shop.stopFulfilment();
      const pending = await place();
      expect(await codeOf(pay(pending))).to.deep.equal([409, 'payment-not-awaited']);
      expect(await codeOf(pay(pending, 'pm_card_visa', (await shop.logIn()).token))).to.deep.equal([
        404,
        'order-not-found',
      ]);
      await shop.startFulfilment((options) => ({
        ...options,
        provider: { ...options.provider, charge: () => Promise.reject(new ProviderUnavailable('silent')) },
      }));
      await until(pending, 'payment.initiated');
      expect(await codeOf(pay(pending))).to.deep.equal([409, 'payment-attempt-open']);
    });

    it('gives the first card’s money back when that was taken all the same, and keeps the second’s', async () => {
      const orderId = await place('pm_card_declinedThenSuccess_1s');
      await until(orderId, 'payment.failed');
      await pay(orderId);
      const types = await until(orderId, 'payment.refunded');
      expect(types).to.include('order.confirmed');
      expect(types).to.not.include('inventory.restocked');
      expect(types.filter((type) => type === 'payment.success').length).to.equal(2);
    });

    it('not at all gets the first one’s money back when that was taken after the decline, and the order fails', async () => {
      const orderId = await place('pm_card_declinedThenSuccess_1s');
      const types = await until(orderId, 'fulfilment.ended');
      expect(types).to.include.members(['payment.refunded', 'inventory.released', 'order.failed']);
      expect(types.filter((type) => type === 'payment.refund_requested').length).to.equal(1);
    });

    it('comes too late after the deadline, at which the order fails by itself', async () => {
      await shop.stopFulfilment();
      await shop.startFulfilment((options) => ({ ...options, policy: { ...options.policy, paymentMs: 500 } }));
      const orderId = await place(declinedCard);
      const types = await until(orderId, 'fulfilment.ended');
      expect(types.slice(-4)).to.deep.equal([
        'fulfilment.step_taken',
        'inventory.released',
        'order.failed',
        'fulfilment.ended',
      ]);
      expect(await codeOf(pay(orderId))).to.deep.equal([409, 'order-ended']);
    });
  });

  describe('after all of this', () => {
    it('leaves log, stock and provider in agreement', async () => {
      const report = await eventually('all orders to end', async () => {
        const found = await shop.audit();
        return found.orders.open === 0 && found;
      });
      expect(complaintsOf(report)).to.deep.equal([]);
    });
  });
});
