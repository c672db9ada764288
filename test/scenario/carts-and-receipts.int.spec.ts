import { expect } from 'chai';
import { newId } from '../../runtime/ids.js';
import { orderBody, type StockedProduct, stockShop } from '../support/catalogue.js';
import { eventually } from '../support/eventually.js';
import { startTestShop, type TestShop } from '../support/shop.js';

describe('a request that is repeated', () => {
  let shop: TestShop;
  let admin: string;
  let shopId: string;
  let products: StockedProduct[];
  let token: string;

  before(async () => {
    shop = await startTestShop();
    ({ admin, shopId, products } = await stockShop(shop, [
      { price: 10, stock: 5 },
      { price: 20, stock: 5 },
    ]));
    ({ token } = await shop.logIn());
  });
  after(() => shop.close());

  const count = async () => (await shop.events()).length;
  const booked = async () =>
    (await shop.events())
      .filter(({ type }) => type === 'inventory.received')
      .reduce((sum, { data }) => sum + Number(data['quantity']), 0);
  const receive = (lines: unknown[], key: string) =>
    shop.call('POST', '/api/v1/inventory/receipts', { lines }, { token: admin, headers: { 'idempotency-key': key } });
  const line = (product: number, quantity: number) => ({ ...products[product], quantity });

  describe('as a receipt', () => {
    it('books its stock once, and answers alike', async () => {
      const key = newId();
      const before = await booked();
      const first = await receive([line(0, 3), line(1, 4)], key);
      const repeats = await Promise.all([1, 2, 3].map(() => receive([line(0, 3), line(1, 4)], key)));
      for (const { status, body, headers } of repeats) {
        expect([status, body.data]).to.deep.equal([201, first.body.data]);
        expect(headers.get('idempotent-replayed')).to.equal('true');
      }
      expect(first.headers.get('idempotent-replayed')).to.equal(null);
      expect((await booked()) - before).to.equal(7);
    });

    it('is refused whole with other lines under the same key', async () => {
      const key = newId();
      await receive([line(0, 1)], key);
      const before = await count();
      for (const lines of [[line(1, 2)], [line(0, 1), line(1, 3)], [line(0, 2)]]) {
        const answer = await receive(lines, key);
        expect([answer.status, answer.body.code]).to.deep.equal([422, 'idempotency-key-reused']);
      }
      expect(await count()).to.equal(before);
    });

    it('books what a fault had cut short', async () => {
      const key = newId();
      const before = await booked();
      const { commands } = shop.writeSide;
      const handle = commands.handle;
      let calls = 0;
      // The receipt itself goes through, and the first of its lines; then the process loses the log.
      Object.assign(commands, {
        handle: (...args: Parameters<typeof handle>) => {
          calls += 1;
          return calls > 2 ? Promise.reject(new Error('gone')) : handle(...args);
        },
      });
      expect((await receive([line(0, 3), line(1, 4)], key)).status).to.equal(500);
      Object.assign(commands, { handle });
      await eventually('the first line to be booked', async () => (await booked()) - before === 3);
      expect((await receive([line(0, 3), line(1, 4)], key)).status).to.equal(201);
      expect((await booked()) - before).to.equal(7);
    });
  });

  describe('to a cart', () => {
    it('adds once, and another quantity under the same key is refused', async () => {
      const filled = await shop.call('POST', '/api/v1/cart/items', line(0, 1), { token });
      const cart_id = filled.body.data.cart_id;
      const headers = { 'idempotency-key': newId() };
      const add = (quantity: number) =>
        shop.call('POST', '/api/v1/cart/items', { ...line(1, quantity), cart_id }, { token, headers });
      await add(2);
      const repeat = await add(2);
      expect(repeat.body.data.total).to.equal(50);
      const other = await add(3);
      expect([other.status, other.body.code]).to.deep.equal([422, 'idempotency-key-reused']);
    });
  });

  it('a cart refuses another currency, and nothing is written', async () => {
    const variants = [{ sku: 'EUR-1', price: 7 }];
    const body = { shop_id: shopId, name: 'Lampe', currency: 'EUR', variants };
    const created = await shop.call('POST', '/api/v1/products', body, { token: admin });
    const euro = { product_id: created.body.data.product_id, variant_id: created.body.data.variants[0].variant_id };
    const filled = await shop.call('POST', '/api/v1/cart/items', line(0, 1), { token });
    const before = await count();
    const add = { ...euro, quantity: 1, cart_id: filled.body.data.cart_id };
    const answer = await shop.call('POST', '/api/v1/cart/items', add, { token });
    expect([answer.status, answer.body.code]).to.deep.equal([422, 'currency-mismatch']);
    expect(await count()).to.equal(before);
    const next = { ...line(1, 1), cart_id: filled.body.data.cart_id };
    expect((await shop.call('POST', '/api/v1/cart/items', next, { token })).body.data.total).to.equal(30);
  });

  it('a product with the longest names there are can be ordered', async () => {
    const variants = [{ sku: 'LONG-1', title: 'y'.repeat(300), price: 1 }];
    const body = { shop_id: shopId, name: 'x'.repeat(300), currency: 'GBP', variants };
    const created = await shop.call('POST', '/api/v1/products', body, { token: admin });
    const long = { product_id: created.body.data.product_id, variant_id: created.body.data.variants[0].variant_id };
    expect((await shop.call('POST', '/api/v1/orders', orderBody([long]), { token })).status).to.equal(202);
  });

  it('half a surrogate pair in a text is refused', async () => {
    const raw = JSON.stringify({ name: 'Shop', country: 'GB' }).replace('Shop', '\\ud800');
    const answer = await shop.call('POST', '/api/v1/shops', undefined, { token: admin, raw });
    expect([answer.status, answer.body.code]).to.deep.equal([422, 'text-malformed']);
    const whole = JSON.stringify({ name: 'Shop', country: 'GB' }).replace('Shop', '\\ud83d\\ude00');
    expect((await shop.call('POST', '/api/v1/shops', undefined, { token: admin, raw: whole })).status).to.equal(201);
  });
});
