import { expect } from 'chai';
import { newId } from '../../runtime/ids.js';
import { inParallel } from '../../runtime/in-parallel.js';
import { orderBody, type StockedProduct, stockShop } from '../support/catalogue.js';
import { eventually } from '../support/eventually.js';
import { readLedger, reconcile } from '../support/reconcile.js';
import { startTestShop, type TestShop } from '../support/shop.js';

/** A slice of `npm run drill -- flash-sale`. */
describe('a flash sale', function () {
  this.timeout(60_000);
  const customers = 40;
  const stock = 12;
  let shop: TestShop;
  let products: StockedProduct[];
  const tokens: string[] = [];

  before(async () => {
    shop = await startTestShop();
    ({ products } = await stockShop(shop, [{ price: 19.99, stock }]));
    await inParallel(
      Array.from({ length: customers }, (_, i) => i),
      4,
      async () => {
        tokens.push((await shop.logIn()).token);
      },
    );
  });
  after(() => shop.close());

  it('sells exactly what there is, and log, stock and provider agree', async () => {
    const placed = await Promise.all(
      tokens.map((token) => {
        const headers = { 'idempotency-key': newId() };
        return shop.call('POST', '/api/v1/orders', orderBody(products), { token, headers });
      }),
    );
    expect(new Set(placed.map(({ status }) => status))).to.deep.equal(new Set([202]));
    const events = await eventually(
      'every order to end',
      async () => {
        const all = await shop.events();
        return all.filter(({ type }) => type === 'fulfilment.ended').length === customers && all;
      },
      40_000,
    );
    const { mismatches, confirmed, failed, sold, available } = reconcile(
      events,
      await readLedger(shop.providerUrl, shop.providerKey),
    );
    expect(mismatches).to.deep.equal([]);
    expect({ confirmed, failed, sold, available }).to.deep.equal({
      confirmed: stock,
      failed: customers - stock,
      sold: stock,
      available: 0,
    });
  });
});
