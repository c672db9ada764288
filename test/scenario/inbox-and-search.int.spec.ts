import { expect } from 'chai';
import { newId } from '../../runtime/ids.js';
import { orderBody, type StockedProduct, stockShop } from '../support/catalogue.js';
import { eventually } from '../support/eventually.js';
import { startTestShop, type TestShop } from '../support/shop.js';

describe('what customers find', function () {
  this.timeout(30_000);
  let shop: TestShop;
  let products: StockedProduct[];
  let ada: { token: string };
  let bob: { token: string };

  before(async () => {
    shop = await startTestShop();
    ({ products } = await stockShop(shop, [
      { price: 29.99, stock: 1 },
      { price: 5, stock: 100 },
    ]));
    [ada, bob] = [await shop.logIn(), await shop.logIn()];
  });
  after(() => shop.close());

  const search = async (query: string) =>
    (await shop.call('GET', `/api/v1/products?${query}`)).body.data as {
      products: { product_id: string; in_stock: boolean }[];
      next_cursor: string | null;
      searched_instead?: string[][];
    };
  const inbox = async ({ token }: { token: string }, headers: Record<string, string> = {}) => {
    const { status, body } = await shop.call('GET', '/api/v1/notifications', undefined, { token, headers });
    expect(status).to.equal(200);
    return body.data.notifications as { kind: string; order_id: string; amount: number | null }[];
  };
  const place = async (product: StockedProduct | undefined, { token }: { token: string }) => {
    if (product === undefined) throw new Error('no product');
    const headers = { 'idempotency-key': newId() };
    const {
      status,
      body,
      headers: answered,
    } = await shop.call('POST', '/api/v1/orders', orderBody([product]), { token, headers });
    expect(status).to.equal(202);
    return { orderId: String(body.data.order_id), token: String(answered.get('x-consistency-token')) };
  };

  it('is the catalogue, by word, beginning and one wrong letter, and whether a piece is left', async () => {
    const all = await eventually('both products to be found', async () => {
      const found = await search('search=lant&in_stock=true&sort=price_asc&currency=GBP');
      return found.products.length === 2 && found;
    });
    expect(all.products.map(({ product_id }) => product_id)).to.deep.equal(
      [products[1], products[0]].map((product) => product?.product_id),
    );
    const mistyped = await search('search=lanten%200');
    expect(mistyped.products.map(({ product_id }) => product_id)).to.deep.equal([products[0]?.product_id]);
    expect(mistyped.searched_instead).to.deep.equal([['lantern'], ['0']]);
    const { orderId } = await place(products[0], ada);
    await eventually('the last piece to be gone', async () => {
      const left = await search('search=lantern&in_stock=true');
      return left.products.length === 1 && left.products[0]?.product_id === products[1]?.product_id;
    });
    await eventually('the order to be confirmed', async () =>
      (await inbox(ada)).some(({ order_id, kind }) => order_id === orderId && kind === 'order_confirmed'),
    );
  });

  it('is an inbox of their own, which holds what they have just written', async () => {
    const before = (await inbox(ada)).length;
    const { orderId, token } = await place(products[1], bob);
    const received = (await inbox(bob, { 'x-consistency-token': token })).find(({ kind }) => kind === 'order_received');
    expect(received).to.deep.include({ kind: 'order_received', order_id: orderId, amount: 5 });
    const kinds = await eventually('the order to be confirmed', async () => {
      const found = await inbox(bob);
      return found.length === 2 && found.map(({ kind }) => kind);
    });
    expect(kinds).to.deep.equal(['order_confirmed', 'order_received']);
    expect(await inbox(ada)).to.have.length(before);
    expect((await shop.call('GET', '/api/v1/notifications')).status).to.equal(401);
  });
});
