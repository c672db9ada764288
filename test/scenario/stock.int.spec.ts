import { expect } from 'chai';
import { newId } from '../../runtime/ids.js';
import { orderBody, type StockedProduct } from '../support/catalogue.js';
import { eventually } from '../support/eventually.js';
import { startTestShop, type TestShop } from '../support/shop.js';

describe('the stock of a shop', function () {
  this.timeout(60_000);
  let shop: TestShop;
  let seller: string;
  let shopId: string;
  let product: StockedProduct;

  before(async () => {
    shop = await startTestShop();
    ({ token: seller } = await shop.logIn(['seller']));
    const opened = await shop.call('POST', '/api/v1/shops', { name: 'Quay', country: 'GB' }, { token: seller });
    shopId = opened.body.data.shop_id;
    const body = { shop_id: shopId, name: 'Rope', currency: 'GBP', variants: [{ sku: 'ROPE-1', price: 4.5 }] };
    // An admin's product is on sale at once.
    const admin = await shop.logIn(['admin']);
    const created = await shop.call('POST', '/api/v1/products', body, { token: admin.token });
    product = { product_id: created.body.data.product_id, variant_id: created.body.data.variants[0].variant_id };
    const lines = [{ ...product, quantity: 10 }];
    await shop.call('POST', '/api/v1/inventory/receipts', { lines }, { token: seller });
  });
  after(() => shop.close());

  const read = async (path: string, token = seller, consistency = '') => {
    const headers: Record<string, string> = consistency === '' ? {} : { 'x-consistency-token': consistency };
    return shop.call('GET', `/api/v1/inventory${path}`, undefined, { token, headers });
  };
  const place = async (quantity: number, method?: string) => {
    const { token } = await shop.logIn();
    const headers = { 'idempotency-key': newId() };
    const placed = await shop.call('POST', '/api/v1/orders', orderBody([product], quantity, method), {
      token,
      headers,
    });
    expect(placed.status).to.equal(202);
    const orderId: string = placed.body.data.order_id;
    const end = await eventually(
      `order ${orderId} to end`,
      async () => (await shop.flowOf(orderId)).find(({ type }) => type === 'fulfilment.ended'),
      30_000,
    );
    return { orderId, position: String(end.position) };
  };

  it('is followed by its seller, from receipt to what was sold and what came back', async () => {
    const sold = await place(3);
    const declined = await place(2, 'pm_card_chargeDeclinedLostCard');
    const { body } = await read(`?shop_id=${shopId}`, seller, declined.position);
    expect(body.data.inventory).to.have.length(1);
    expect(body.data.inventory[0]).to.deep.include({ sku: 'ROPE-1', on_hand: 7, reserved: 0, available: 7 });
    const reservations = async (status: string) => {
      const answer = await read(`/${product.variant_id}/reservations?status=${status}`, seller, declined.position);
      return answer.body.data.reservations.map((found: Record<string, unknown>) => [
        found['order_id'],
        found['quantity'],
        found['reason'],
      ]);
    };
    expect(await reservations('open')).to.deep.equal([]);
    expect(await reservations('confirmed')).to.deep.equal([[sold.orderId, 3, null]]);
    expect(await reservations('released')).to.deep.equal([[declined.orderId, 2, 'payment_failed']]);
  });

  it('runs low when it is sold out', async () => {
    const { position } = await place(7);
    const { body } = await read(`?shop_id=${shopId}&low_stock=true`, seller, position);
    expect(body.data.inventory[0]).to.deep.include({ sku: 'ROPE-1', available: 0, low_stock: true });
  });

  it('is not for other sellers, nor for customers', async () => {
    const [other, customer] = [await shop.logIn(['seller']), await shop.logIn()];
    expect((await read(`?shop_id=${shopId}`, other.token)).status).to.equal(403);
    expect((await read(`/${product.variant_id}`, other.token)).status).to.equal(404);
    for (const path of ['', `/${product.variant_id}`, `/${product.variant_id}/reservations`]) {
      expect((await read(path, customer.token)).status).to.equal(403);
    }
  });
});
