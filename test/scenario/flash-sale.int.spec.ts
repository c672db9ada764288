import { expect } from 'chai';
import { complaintsOf } from '../../cli/audit/report-text.js';
import { newId } from '../../runtime/ids.js';
import { inParallel } from '../../runtime/in-parallel.js';
import { orderBody, type StockedProduct, stockShop } from '../support/catalogue.js';
import { eventually } from '../support/eventually.js';
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
    await eventually(
      'every order to end',
      async () => (await shop.events()).filter(({ type }) => type === 'fulfilment.ended').length === customers,
      40_000,
    );
    const report = await shop.audit();
    expect(complaintsOf(report)).to.deep.equal([]);
    expect(report.orders).to.deep.equal({ confirmed: stock, failed: customers - stock, cancelled: 0, open: 0 });
    expect([...report.stock.values()]).to.deep.equal([{ available: 0, reserved: 0, sold: stock }]);
  });
});
