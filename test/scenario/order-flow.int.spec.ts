import { expect } from 'chai';
import { newId } from '../../runtime/ids.js';
import { orderBody, type StockedProduct, stockShop } from '../support/catalogue.js';
import { eventually } from '../support/eventually.js';
import { startTestShop, type TestShop } from '../support/shop.js';

describe('an order', () => {
  let shop: TestShop;
  let products: StockedProduct[];
  let token: string;

  before(async () => {
    shop = await startTestShop();
    ({ products } = await stockShop(shop, [
      { price: 29.99, stock: 100 },
      { price: 5, stock: 100 },
      { price: 12.5, stock: 0 },
    ]));
    ({ token } = await shop.logIn());
    // The first order of a process draws a block of numbers; that is no part of an order's cost.
    await ended((await place(orderBody(products.slice(0, 2)))).body.data.order_id);
  });
  after(() => shop.close());

  const place = async (body: unknown, key = newId()) =>
    shop.call('POST', '/api/v1/orders', body, { token, headers: { 'idempotency-key': key } });

  const ended = (orderId: string) =>
    eventually(`order ${orderId} to end`, async () => {
      const { body } = await shop.call('GET', `/api/v1/orders/${orderId}`, undefined, { token });
      const order = body.data;
      return order?.timeline?.some((entry: { type: string }) => entry.type === 'fulfilment.ended') && order;
    });

  it('of two lines is confirmed with 11 appends and 11 events', async () => {
    const placed = await place(orderBody(products.slice(0, 2), 2));
    expect(placed.status).to.equal(202);
    expect(placed.body.data.total).to.equal(69.98);
    const order = await ended(placed.body.data.order_id);
    expect(order.status).to.equal('confirmed');
    const flow = await shop.flowOf(order.order_id);
    expect(flow.map(({ type }) => type)).to.have.members([
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
    // One event an append: no two share a command, and each has a log position of its own.
    expect(new Set(flow.map(({ metadata }) => metadata['command_id'])).size).to.equal(11);
  });

  it('carries the cause of every event, back to the request', async () => {
    const placed = await place(orderBody(products.slice(0, 1)));
    const order = await ended(placed.body.data.order_id);
    const flow = await shop.flowOf(order.order_id);
    const ids = new Set(flow.map(({ id }) => id));
    const [first, ...rest] = flow;
    expect(first?.metadata['$causationId']).to.equal(first?.metadata['command_id']);
    for (const { metadata, type } of rest) expect(ids.has(String(metadata['$causationId'])), type).to.equal(true);
  });

  it('is failed, and what it had reserved released, when a line is out of stock', async () => {
    const placed = await place(orderBody([products[0], products[2]] as StockedProduct[]));
    const order = await ended(placed.body.data.order_id);
    expect(order.status).to.equal('failed');
    expect(order.failure).to.deep.equal({ stage: 'reserving', reason: 'insufficient_stock' });
    expect((await shop.flowOf(order.order_id)).map(({ type }) => type)).to.have.members([
      'order.created',
      'inventory.reserved',
      'inventory.reservation.failed',
      'fulfilment.started',
      'fulfilment.step_taken',
      'inventory.released',
      'order.failed',
      'fulfilment.ended',
    ]);
  });

  it('is failed, and its stock released, when the card is reported stolen', async () => {
    const placed = await place(orderBody(products.slice(0, 1), 1, 'pm_card_chargeDeclinedStolenCard'));
    const order = await ended(placed.body.data.order_id);
    expect(order.status).to.equal('failed');
    expect(order.failure.stage).to.equal('payment');
    const types = (await shop.flowOf(order.order_id)).map(({ type }) => type);
    expect(types).to.include.members(['payment.failed', 'inventory.released', 'order.failed']);
    expect(types).to.not.include('inventory.confirmed');
  });

  it('sent ten times at once with one key is one order and ten equal answers, and the same after a restart', async () => {
    const key = newId();
    const body = orderBody(products.slice(0, 2));
    const answers = await Promise.all(Array.from({ length: 10 }, () => place(body, key)));
    expect(new Set(answers.map((answer) => JSON.stringify([answer.status, answer.body.data]))).size).to.equal(1);
    const order = await ended(answers[0]?.body.data.order_id);
    await shop.restartCommandApi();
    const again = await place(body, key);
    expect([again.status, again.body.data]).to.deep.equal([answers[0]?.status, answers[0]?.body.data]);
    const created = (await shop.flowOf(order.order_id)).filter(({ type }) => type === 'order.created');
    expect(created.length).to.equal(1);
    const other = await place(orderBody(products.slice(0, 1)), key);
    expect([other.status, other.body.code]).to.deep.equal([422, 'idempotency-key-reused']);
  });

  it('goes on where it stopped when the process manager comes back', async () => {
    await shop.stopFulfilment();
    const placed = await Promise.all(Array.from({ length: 5 }, () => place(orderBody(products.slice(0, 2)))));
    expect(placed.map(({ status }) => status)).to.deep.equal([202, 202, 202, 202, 202]);
    await shop.startFulfilment();
    for (const { body } of placed) expect((await ended(body.data.order_id)).status).to.equal('confirmed');
  });

  it('placed from a cart empties it into the order, once', async () => {
    const item = { ...products[0], quantity: 2 };
    const filled = await shop.call('POST', '/api/v1/cart/items', item, { token });
    expect([filled.status, filled.body.data.total]).to.deep.equal([200, 59.98]);
    const { items: _, ...rest } = orderBody([]);
    const body = { ...rest, cart_id: filled.body.data.cart_id };
    const key = newId();
    const first = await place(body, key);
    const repeat = await place(body, key);
    expect(repeat.body.data).to.deep.equal(first.body.data);
    expect((await ended(first.body.data.order_id)).items[0].quantity).to.equal(2);
    const second = await place(body);
    expect([second.status, second.body.code]).to.deep.equal([409, 'cart-checked-out']);
  });

  it('takes a cart that is ordered three times at once for one order', async () => {
    const filled = await shop.call('POST', '/api/v1/cart/items', { ...products[0], quantity: 1 }, { token });
    const { items: _, ...rest } = orderBody([]);
    const cartId = filled.body.data.cart_id;
    const answers = await Promise.all([1, 2, 3].map(() => place({ ...rest, cart_id: cartId })));
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([202, 409, 409]);
    const created = (await shop.events()).filter(
      ({ type, data }) => type === 'order.created' && data['cart_id'] === cartId,
    );
    expect(created.length).to.equal(1);
  });

  it('can be read at once by who waits for it with the consistency token', async () => {
    const placed = await place(orderBody(products.slice(0, 1)));
    const headers = { 'x-consistency-token': placed.headers.get('x-consistency-token') ?? '' };
    const read = await shop.call('GET', `/api/v1/orders/${placed.body.data.order_id}`, undefined, { token, headers });
    expect(read.status).to.equal(200);
    expect(read.body.data.shipping_address.city).to.equal('Bristol');
  });

  it('is answered stale, and marked so, to who would rather not wait any longer', async () => {
    const headers = { 'x-consistency-token': '9223372036854775807', 'x-allow-stale': 'true' };
    // The wait is the longest that a request gets without asking: the gateway must outlast it.
    const read = await shop.call('GET', '/api/v1/orders', undefined, { token, headers });
    expect([read.status, read.headers.get('x-stale')]).to.deep.equal([200, 'true']);
  });

  it('is nobody else’s to see', async () => {
    const placed = await place(orderBody(products.slice(0, 1)));
    const orderId = placed.body.data.order_id;
    await ended(orderId);
    const stranger = await shop.logIn();
    const read = await shop.call('GET', `/api/v1/orders/${orderId}`, undefined, { token: stranger.token });
    expect(read.status).to.equal(404);
    const list = await shop.call('GET', '/api/v1/orders', undefined, { token: stranger.token });
    expect(list.body.data.orders).to.deep.equal([]);
  });

  it('keeps names and addresses out of the log', async () => {
    const log = JSON.stringify((await shop.events()).map(({ data }) => data));
    expect(log).to.not.include('Quay Street');
    expect(log).to.not.include('Ada Example');
  });
});
