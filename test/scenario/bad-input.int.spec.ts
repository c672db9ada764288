import { connect } from 'node:net';
import { expect } from 'chai';
import { newId } from '../../runtime/ids.js';
import { address, orderBody, type StockedProduct, stockShop } from '../support/catalogue.js';
import { startTestShop, type TestShop } from '../support/shop.js';

/** What a refusal may leave in the log: nothing of record. Log-ins are facts of their own. */
const ofRecord = (stream: string) => !stream.startsWith('session-');

describe('bad input', () => {
  let shop: TestShop;
  let product: StockedProduct;
  let token: string;
  let admin: string;
  let shopId: string;
  let before_: number;

  before(async () => {
    shop = await startTestShop();
    const stocked = await stockShop(shop, [{ price: 10, stock: 10 }]);
    product = stocked.products[0] as StockedProduct;
    admin = stocked.admin;
    shopId = stocked.shopId;
    ({ token } = await shop.logIn());
    before_ = await recordCount();
  });
  after(() => shop.close());

  const recordCount = async () => (await shop.events()).filter(({ stream }) => ofRecord(stream)).length;
  const order = (change: object) => ({ ...orderBody([product]), ...change });
  const line = (change: object) => order({ items: [{ ...product, quantity: 1, ...change }] });

  afterEach('nothing new stands in the log', async () => {
    expect(await recordCount()).to.equal(before_);
  });

  const orders: [string, () => unknown, number, string][] = [
    ['an unknown key', () => order({ coupon: 'X' }), 422, 'validation-failed'],
    ['a total of the customer’s own', () => order({ total: 1 }), 422, 'validation-failed'],
    ['a status', () => order({ status: 'paid' }), 422, 'validation-failed'],
    ['a time of placing', () => order({ placed_at: '2020-01-01T00:00:00Z' }), 422, 'validation-failed'],
    ['a user', () => order({ user_id: newId() }), 422, 'validation-failed'],
    ['a price in a line', () => line({ price: 0.01 }), 422, 'validation-failed'],
    ['a quantity of 0', () => line({ quantity: 0 }), 422, 'validation-failed'],
    ['a quantity of -1', () => line({ quantity: -1 }), 422, 'validation-failed'],
    ['a quantity of 1e9', () => line({ quantity: 1e9 }), 422, 'validation-failed'],
    ['half a piece', () => line({ quantity: 0.5 }), 422, 'validation-failed'],
    ['a quantity as text', () => line({ quantity: '1' }), 422, 'validation-failed'],
    ['a product that is no id', () => line({ product_id: { $gt: '' } }), 422, 'validation-failed'],
    ['an unknown product', () => line({ product_id: newId() }), 404, 'product-not-found'],
    ['an unknown variant', () => line({ variant_id: newId() }), 404, 'variant-not-found'],
    ['no lines', () => order({ items: [] }), 422, 'validation-failed'],
    ['an unknown cart', () => ({ ...orderBody([]), items: undefined, cart_id: newId() }), 404, 'cart-not-found'],
    [
      'a country in words',
      () => order({ shipping_address: { ...address, country: 'England' } }),
      422,
      'validation-failed',
    ],
    ['a list instead of an object', () => [], 422, 'validation-failed'],
  ];
  for (const [name, body, status, code] of orders) {
    it(`${name} in an order is refused`, async () => {
      const answer = await shop.call('POST', '/api/v1/orders', body(), { token });
      expect([answer.status, answer.body.code]).to.deep.equal([status, code]);
      expect(answer.body.success).to.equal(false);
    });
  }

  const bodies: [string, string, number, string][] = [
    ['malformed JSON', '{"items": [', 400, 'malformed-json'],
    ['a bare word', 'null', 400, 'malformed-json'],
    ['over 1 MB', JSON.stringify({ items: 'x'.repeat(1_000_001) }), 413, 'body-too-large'],
  ];
  for (const [name, raw, status, code] of bodies) {
    it(`${name} is refused`, async () => {
      const answer = await shop.call('POST', '/api/v1/orders', undefined, { token, raw });
      expect([answer.status, answer.body.code]).to.deep.equal([status, code]);
    });
  }

  it('an order without a token is refused', async () => {
    const answer = await shop.call('POST', '/api/v1/orders', orderBody([product]));
    expect([answer.status, answer.body.code]).to.deep.equal([401, 'unauthenticated']);
  });

  it('a forged token is refused', async () => {
    const [header, , signature] = token.split('.');
    const claims = Buffer.from(JSON.stringify({ sub: newId(), roles: ['admin'], exp: 4e9 })).toString('base64url');
    const answer = await shop.call('POST', '/api/v1/orders', orderBody([product]), {
      token: `${header}.${claims}.${signature}`,
    });
    expect([answer.status, answer.body.code]).to.deep.equal([401, 'token-invalid']);
  });

  it('user and internal headers from outside give nobody any rights', async () => {
    const headers = { 'x-user-id': newId(), 'x-user-roles': 'admin', 'x-internal-token': 'x' };
    const answer = await shop.call('POST', '/api/v1/shops', { name: 'Mine', country: 'GB' }, { token, headers });
    expect([answer.status, answer.body.code]).to.deep.equal([403, 'forbidden']);
  });

  it('a service reached past the gateway refuses', async () => {
    const body = JSON.stringify(orderBody([product]));
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    const response = await fetch(`${shop.commandUrl}/orders`, { method: 'POST', headers, body });
    expect(response.status).to.equal(401);
    expect(((await response.json()) as { code: string }).code).to.equal('not-through-gateway');
  });

  it('another customer’s cart is as good as not there', async () => {
    const owner = await shop.logIn();
    const filled = await shop.call('POST', '/api/v1/cart/items', { ...product, quantity: 1 }, { token: owner.token });
    before_ = await recordCount();
    const { items: _, ...rest } = orderBody([]);
    const body = { ...rest, cart_id: filled.body.data.cart_id };
    const answer = await shop.call('POST', '/api/v1/orders', body, { token });
    expect([answer.status, answer.body.code]).to.deep.equal([404, 'cart-not-found']);
    const add = { ...product, quantity: 1, cart_id: filled.body.data.cart_id };
    const added = await shop.call('POST', '/api/v1/cart/items', add, { token });
    expect([added.status, added.body.code]).to.deep.equal([404, 'cart-not-found']);
  });

  it('too many decimals in a price are refused', async () => {
    const variants = [{ sku: 'A', price: 1.999 }];
    const body = { shop_id: shopId, name: 'Lamp', currency: 'GBP', variants };
    const answer = await shop.call('POST', '/api/v1/products', body, { token: admin });
    expect([answer.status, answer.body.code]).to.deep.equal([422, 'price-precision']);
    const yen = { ...body, currency: 'JPY', variants: [{ sku: 'A', price: 1.5 }] };
    expect((await shop.call('POST', '/api/v1/products', yen, { token: admin })).body.code).to.equal('price-precision');
  });

  it('a customer may neither sell nor stock', async () => {
    const product_ = { shop_id: shopId, name: 'Lamp', currency: 'GBP', variants: [{ sku: 'A', price: 1 }] };
    expect((await shop.call('POST', '/api/v1/products', product_, { token })).status).to.equal(403);
    const lines = [{ ...product, quantity: 1 }];
    expect((await shop.call('POST', '/api/v1/inventory/receipts', { lines }, { token })).status).to.equal(403);
  });

  it('a registration with roles of its own choice is refused', async () => {
    const body = { email: 'mallory@example.com', password: 'long enough', roles: ['admin'] };
    const answer = await shop.call('POST', '/api/v1/auth/register', body);
    expect([answer.status, answer.body.code]).to.deep.equal([422, 'validation-failed']);
  });

  it('operators in a query or a log-in are refused', async () => {
    const listed = await shop.call('GET', '/api/v1/orders?status[$ne]=failed', undefined, { token });
    expect(listed.status).to.equal(422);
    const login = await shop.call('POST', '/api/v1/auth/login', { email: { $gt: '' }, password: 'x' });
    expect(login.status).to.equal(422);
  });

  it('an idempotency key that is no key is refused', async () => {
    const headers = { 'idempotency-key': 'x'.repeat(201) };
    const answer = await shop.call('POST', '/api/v1/orders', orderBody([product]), { token, headers });
    expect([answer.status, answer.body.code]).to.deep.equal([422, 'idempotency-key-invalid']);
  });

  it('a webhook with a wrong signature is refused', async () => {
    const response = await fetch(`${shop.gatewayUrl}/api/v1/payments/webhooks/stripe`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'stripe-signature': 't=1,v1=00' },
      body: '{"type":"payment_intent.succeeded"}',
    });
    expect(response.status).to.equal(400);
    expect(((await response.json()) as { code: string }).code).to.equal('webhook-signature-invalid');
  });

  it('bytes that are no HTTP end the connection and nothing else', async () => {
    const { port, hostname } = new URL(shop.gatewayUrl);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => socket.end('\u0000\u0001 nonsense\r\n\r\n'));
      socket.on('data', () => {});
      socket.on('close', () => resolve());
    });
    expect((await shop.call('GET', '/api/v1/products')).status).to.equal(200);
  });
});
