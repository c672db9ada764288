import { expect } from 'chai';
import { newId } from '../../runtime/ids.js';
import { orderBody, stockShop } from '../support/catalogue.js';
import { eventually } from '../support/eventually.js';
import { startTestShop, type TestShop } from '../support/shop.js';

describe('an order', () => {
  let shop: TestShop;

  before(async () => {
    shop = await startTestShop();
  });
  after(() => shop.close());

  const place = async (token: string, body: unknown, key = newId()) =>
    shop.call('POST', '/api/v1/orders', body, { token, headers: { 'idempotency-key': key } });

  const ended = (token: string, orderId: string) =>
    eventually(`order ${orderId} to end`, async () => {
      const { body } = await shop.call('GET', `/api/v1/orders/${orderId}`, undefined, { token });
      const order = body.data;
      return ['confirmed', 'failed', 'cancelled'].includes(order?.status) && order;
    });

  it('of two lines is confirmed with 11 appends and 11 events', async () => {
    const { products } = await stockShop(shop, [
      { price: 29.99, stock: 10 },
      { price: 5, stock: 10 },
    ]);
    const { token } = await shop.logIn();
    // The first order of a process draws a block of numbers; it is not part of an order's cost.
    await ended(token, (await place(token, orderBody(products))).body.data.order_id);
    const before = (await shop.events()).length;
    const placed = await place(token, orderBody(products, 2));
    expect(placed.status).to.equal(202);
    expect(placed.body.data.total).to.equal(69.98);
    const order = await ended(token, placed.body.data.order_id);
    expect(order.status).to.equal('confirmed');
    const events = await eventually('the fulfilment to end', async () => {
      const all = (await shop.events()).slice(before);
      return all.some(({ type }) => type === 'fulfilment.ended') && all;
    });
    expect(events.map(({ type }) => type)).to.have.members([
      'order.created',
      'inventory.reserved',
      'inventory.reserved',
      'fulfilment.started',
      'payment.initiated',
      'payment.success',
      'order.paid',
      'inventory.confirmed',
      'inventory.confirmed',
      'order.confirmed',
      'fulfilment.ended',
    ]);
  });
});
