import { expect } from 'chai';
import {
  type ProductSalesDocument,
  productSalesModel,
  type SalesDocument,
  salesModel,
} from '../../projections/analytics/document.js';
import { type ProductDocument, productSearchModel } from '../../projections/product-search/document.js';
import { openCheckpoints } from '../../runtime/document-store/checkpoints.js';
import { ensureIndexes, readModelId } from '../../runtime/document-store/read-model.js';
import type { Caller } from '../../runtime/http/internal-token.js';
import { alice, idOfNumber, productDocument, productSalesDocument, salesDocument } from '../spec-documents.js';
import { startReadSide } from '../spec-server.js';

const auditor: Caller = { userId: alice, roles: ['auditor'] };

describe('analytics over HTTP', function () {
  this.timeout(20_000);
  let side: Awaited<ReturnType<typeof startReadSide>>;

  before(async () => {
    side = await startReadSide();
    await ensureIndexes(side.db, salesModel);
    await ensureIndexes(side.db, productSalesModel);
    await side.db
      .collection<SalesDocument>(readModelId(salesModel))
      .insertMany([
        salesDocument('2010-12-31', { revenue: 1_050n, captured: 1_545n }),
        salesDocument('2011-01-01', { revenue: 2_000n, placed: 3, failed: 1, cancelled: 1, refunded: 55n }),
        salesDocument('2011-01-01', { country: 'FR', revenue: 5n }),
        salesDocument('2011-01-31', { channel: 'web', revenue: 9_007_199_254_740_993n }),
        salesDocument('2011-01-31', { currency: 'JPY', revenue: 700n }),
        salesDocument('2011-02-01', { revenue: 7n }),
      ]);
    const day = (text: string, units: number, revenue: bigint) => ({ day: text, orders: 1, units, revenue });
    await side.db
      .collection<ProductSalesDocument>(readModelId(productSalesModel))
      .insertMany([
        productSalesDocument(10, '2011-01', [day('2011-01-01', 5, 100n), day('2011-01-31', 2, 40n)]),
        productSalesDocument(10, '2011-02', [day('2011-02-01', 1, 20n)]),
        productSalesDocument(11, '2011-01', [day('2011-01-15', 4, 900n)]),
        productSalesDocument(11, '2011-01', [day('2011-01-15', 4, 50n)], { country: 'FR' }),
        productSalesDocument(12, '2011-01', [day('2011-01-15', 3, 9_000n)], { currency: 'JPY' }),
      ]);
    await side.db.collection<ProductDocument>(readModelId(productSearchModel)).insertOne(productDocument(10));
  });
  after(async () => {
    await side.close();
  });

  const rows = async (query: string) => {
    const { status, data } = await side.get(`/analytics/sales?${query}`, auditor);
    expect(status).to.equal(200);
    return (data as { rows: Record<string, unknown>[] }).rows;
  };
  const products = async (query: string) => {
    const { status, data } = await side.get(`/analytics/products?${query}`, auditor);
    expect(status).to.equal(200);
    return (data as { products: Record<string, unknown>[] }).products;
  };
  const range = 'from=2010-12-31&to=2011-01-31';

  it('show the sums of each day and currency, amounts as decimals, both ends of the range included', async () => {
    const found = await rows(`${range}&channel=import&country=GB`);
    expect(found.map(({ day, currency, revenue }) => [day, currency, revenue])).to.deep.equal([
      ['2010-12-31', 'GBP', 10.5],
      ['2011-01-01', 'GBP', 20],
      ['2011-01-31', 'JPY', 700],
    ]);
    expect(found[1]).to.deep.equal({
      day: '2011-01-01',
      currency: 'GBP',
      orders: { placed: 3, confirmed: 1, failed: 1, cancelled: 1 },
      units: 2,
      revenue: 20,
      captured: 0,
      refunded: 0.55,
    });
  });

  it('are grouped by month, country and channel', async () => {
    const found = await rows(`from=2010-12-01&to=2011-02-28&group_by=month,country&channel=import&currency=GBP`);
    expect(found.map(({ month, country, revenue }) => [month, country, revenue])).to.deep.equal([
      ['2010-12', 'GB', 10.5],
      ['2011-01', 'FR', 0.05],
      ['2011-01', 'GB', 20],
      ['2011-02', 'GB', 0.07],
    ]);
    const channels = await rows(`${range}&group_by=channel&currency=GBP`);
    expect(channels.map(({ channel, orders }) => [channel, orders])).to.deep.equal([
      ['import', { placed: 5, confirmed: 3, failed: 1, cancelled: 1 }],
      ['web', { placed: 1, confirmed: 1, failed: 0, cancelled: 0 }],
    ]);
    const whole = await rows(`${range}&group_by=currency`);
    expect(whole.map(({ currency }) => currency)).to.deep.equal(['GBP', 'JPY']);
    expect(await rows('from=2012-01-01&to=2012-12-31&group_by=month')).to.deep.equal([]);
  });

  it('add sums wider than a float exactly', async () => {
    const model = side.db.collection<SalesDocument>(readModelId(salesModel));
    const sum = await model.aggregate([{ $group: { _id: null, revenue: { $sum: '$revenue' } } }]).toArray();
    expect(sum[0]?.['revenue']).to.equal(9_007_199_254_744_755n);
  });

  it('count more than 32 bits hold', async () => {
    const most = 2_147_483_647;
    const [one, other] = ['2009-01-01', '2009-01-02'] as const;
    await side.db
      .collection<SalesDocument>(readModelId(salesModel))
      .insertMany([salesDocument(one, { units: most }), salesDocument(other, { units: most })]);
    const days = [one, other].map((day) => ({ day, orders: 1, units: most, revenue: 1n }));
    await side.db
      .collection<ProductSalesDocument>(readModelId(productSalesModel))
      .insertOne(productSalesDocument(13, '2009-01', days));
    const january = `from=${one}&to=${other}`;
    expect((await rows(`${january}&group_by=month`)).map(({ units }) => units)).to.deep.equal([2 * most]);
    expect((await products(january)).map(({ units }) => units)).to.deep.equal([2 * most]);
  });

  it('name the products that sold most, by units or by revenue in one currency', async () => {
    const month = 'from=2011-01-01&to=2011-01-31';
    expect((await products(month)).map(({ product_id, units }) => [product_id, units])).to.deep.equal([
      [idOfNumber(11), 8],
      [idOfNumber(10), 7],
      [idOfNumber(12), 3],
    ]);
    const [first, ...rest] = await products(`from=2011-01-02&to=2011-02-01&sort=revenue&currency=GBP`);
    expect(first).to.deep.equal({
      product_id: idOfNumber(11),
      currency: 'GBP',
      name: null,
      orders: 2,
      units: 8,
      revenue: 9.5,
    });
    expect(rest).to.deep.equal([
      { product_id: idOfNumber(10), currency: 'GBP', name: 'Café mug', orders: 2, units: 3, revenue: 0.6 },
    ]);
    expect(await products(`${month}&limit=1`)).to.have.length(1);
    expect((await products(`${month}&country=FR`)).map(({ units }) => units)).to.deep.equal([4]);
    expect(await products('from=2011-02-02&to=2011-02-28')).to.deep.equal([]);
  });

  it('are for admin, auditor and importer alone', async () => {
    for (const path of ['/analytics/sales', '/analytics/products']) {
      for (const role of ['admin', 'auditor', 'importer']) {
        expect((await side.get(`${path}?${range}`, { userId: alice, roles: [role] })).status).to.equal(200);
      }
      for (const role of ['customer', 'seller', 'support']) {
        const refused = await side.get(`${path}?${range}`, { userId: alice, roles: [role] });
        expect(refused).to.deep.include({ status: 403, code: 'forbidden' });
      }
      expect((await side.get(`${path}?${range}`, 'anonymous')).status).to.equal(401);
    }
  });

  it('wait for the read model that they read, and no other', async () => {
    await openCheckpoints(side.db).advance(new Map([[readModelId(salesModel), 50n]]));
    const headers = { 'x-consistency-token': '50' };
    const hurried = { ...headers, 'x-consistency-wait': '20' };
    expect((await side.get(`/analytics/sales?${range}`, auditor, headers)).status).to.equal(200);
    expect((await side.get(`/analytics/products?${range}`, auditor, hurried)).status).to.equal(504);
  });

  for (const query of [
    '',
    'from=2011-01-01',
    'from=2011-01-02&to=2011-01-01',
    'from=2001-01-01&to=2011-01-31',
    'from=2011-02-30&to=2011-03-01',
    'from[$gt]=&to=2011-01-01',
    `${range}&country=gb`,
    `${range}&channel=shop`,
    `${range}&currency=pounds`,
    `${range}&a=b`,
  ]) {
    it(`are refused with ?${query}`, async () => {
      for (const path of ['/analytics/sales', '/analytics/products']) {
        const refused = await side.get(`${path}?${query}`, auditor);
        expect(refused).to.deep.include({ status: 422, code: 'validation-failed' });
      }
    });
  }

  for (const path of [
    '/analytics/sales?group_by=week',
    '/analytics/sales?group_by=',
    '/analytics/sales?group_by=day,day',
    '/analytics/sales?group_by=day,month',
    '/analytics/sales?sort=units',
    '/analytics/products?sort=name',
    '/analytics/products?sort=revenue',
    '/analytics/products?limit=0',
    '/analytics/products?limit=1001',
  ]) {
    it(`are refused as ${path}`, async () => {
      const refused = await side.get(`${path}&${range}`, auditor);
      expect(refused).to.deep.include({ status: 422, code: 'validation-failed' });
    });
  }
});
