import { expect } from 'chai';
import { type ProductDocument, productSearchModel } from '../../projections/product-search/document.js';
import { ensureIndexes } from '../../runtime/document-store/read-model.js';
import { idOfNumber, productDocument } from '../spec-documents.js';
import { startReadSide } from '../spec-server.js';

interface Listed {
  products: Record<string, unknown>[];
  next_offset: number | null;
}

describe('products over HTTP', function () {
  this.timeout(20_000);
  let side: Awaited<ReturnType<typeof startReadSide>>;

  before(async () => {
    side = await startReadSide();
    await ensureIndexes(side.db, productSearchModel);
    await side.db.collection<ProductDocument>('product-search-v1').insertMany([
      productDocument(10),
      productDocument(11, { name: 'Tea bowl', category: 'Tea', terms: ['tea', 'bowl', 'blue'] }),
      productDocument(12, {
        terms: ['mug', 'green'],
        in_stock: false,
        min_price: null,
        currency: null,
        variants: [],
      }),
      productDocument(13, { status: 'pending' }),
      productDocument(14, { status: 'deleted' }),
      productDocument(15, { status: 'unknown', created_at: '' }),
    ]);
  });
  after(async () => {
    await side.close();
  });

  const list = async (query = '') => {
    const { status, data } = await side.get(`/products${query}`, 'anonymous');
    expect(status).to.equal(200);
    return data as Listed;
  };
  const numbers = ({ products }: Listed) => products.map(({ product_id }) => Number(String(product_id).slice(-12)));

  it('are listed newest first, approved ones only, without a log-in', async () => {
    expect(numbers(await list())).to.deep.equal([12, 11, 10]);
  });

  it('show prices as decimals, what is in stock, and nothing internal', async () => {
    const { status, data } = await side.get(`/products/${idOfNumber(10)}`, 'anonymous');
    expect(status).to.equal(200);
    expect(data).to.deep.include({ product_id: idOfNumber(10), min_price: 10.5, currency: 'GBP', in_stock: true });
    expect((data as { variants: unknown[] }).variants[0]).to.deep.include({ sku: 'MUG-1', price: 10.5, available: 7 });
    expect(data).to.not.have.any.keys('_id', 'terms', 'position', 'stock', 'status');
  });

  it('are found by every word, the last of which may be a beginning', async () => {
    expect(numbers(await list('?search=mug'))).to.deep.equal([12, 10]);
    expect(numbers(await list('?search=CAF%C3%89%20mu'))).to.deep.equal([10]);
    expect(numbers(await list('?search=blue%20tea'))).to.deep.equal([11]);
    expect(numbers(await list('?search=mu%20blue'))).to.deep.equal([]);
    expect(numbers(await list('?search=ug'))).to.deep.equal([]);
  });

  it('are not found by signs that mean something to a query', async () => {
    expect(numbers(await list('?search=.*'))).to.deep.equal([]);
    expect(numbers(await list('?search=mug.*'))).to.deep.equal([12, 10]);
    expect(numbers(await list('?search=%24gt'))).to.deep.equal([]);
  });

  it('are filtered by category, alone and with words', async () => {
    expect(numbers(await list('?category=Kitchen'))).to.deep.equal([12, 10]);
    expect(numbers(await list('?category=Kitchen&search=blue'))).to.deep.equal([10]);
    expect(numbers(await list('?category=kitchen'))).to.deep.equal([]);
  });

  it('are paged', async () => {
    const first = await list('?limit=2');
    expect(numbers(first)).to.deep.equal([12, 11]);
    expect(first.next_offset).to.equal(2);
    const second = await list('?limit=2&offset=2');
    expect(numbers(second)).to.deep.equal([10]);
    expect(second.next_offset).to.equal(null);
  });

  it('that are not approved, or do not exist, are 404', async () => {
    for (const id of [13, 14, 15, 99].map(idOfNumber).concat('mug')) {
      expect(await side.get(`/products/${id}`, 'anonymous')).to.deep.include({ status: 404, code: 'not-found' });
    }
  });

  for (const query of [
    'search[$regex]=a',
    'search=',
    'limit=101',
    'offset=-1',
    'offset=10001',
    'status=pending',
    'a=b',
  ]) {
    it(`are refused with ?${query}`, async () => {
      const refused = await side.get(`/products?${query}`, 'anonymous');
      expect(refused).to.deep.include({ status: 422, code: 'validation-failed' });
    });
  }
});
