import { expect } from 'chai';
import { neighbourhood, type ProductDocument, productSearchModel } from '../../projections/product-search/document.js';
import { ensureIndexes, readModelId } from '../../runtime/document-store/read-model.js';
import { idOfNumber, productDocument } from '../spec-documents.js';
import { startReadSide } from '../spec-server.js';

interface Listed {
  products: Record<string, unknown>[];
  next_cursor: string | null;
  searched_instead?: string[][];
  facets?: Record<string, unknown>;
}

describe('products over HTTP', function () {
  this.timeout(20_000);
  let side: Awaited<ReturnType<typeof startReadSide>>;

  before(async () => {
    side = await startReadSide();
    await ensureIndexes(side.db, productSearchModel);
    await side.db.collection<ProductDocument>(readModelId(productSearchModel)).insertMany([
      productDocument(10),
      productDocument(11, {
        name: 'Tea bowl',
        category: 'Tea',
        shop_id: idOfNumber(903),
        min_price: 500,
        price_band: 1,
        terms: ['tea', 'bowl', 'blue'],
        name_terms: ['tea', 'bowl'],
        name_key: 'tea bowl',
        near: ['bowl'].flatMap(neighbourhood),
      }),
      productDocument(12, {
        name: 'Aga',
        terms: ['mug', 'green', 'aga'],
        name_terms: ['aga'],
        name_key: 'aga',
        near: [],
        in_stock: false,
        stocked: [],
        min_price: null,
        currency: null,
        price_band: null,
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
    expect((data as { variants: unknown[] }).variants[0]).to.deep.include({
      sku: 'MUG-1',
      price: 10.5,
      in_stock: true,
    });
    expect(data).to.not.have.any.keys('_id', 'terms', 'near', 'position', 'stocked', 'status', 'price_band');
  });

  it('are found by every word, the last of which may be a beginning', async () => {
    expect(numbers(await list('?search=mug&sort=newest'))).to.deep.equal([12, 10]);
    expect(numbers(await list('?search=CAF%C3%89%20mu'))).to.deep.equal([10]);
    expect(numbers(await list('?search=blue%20tea'))).to.deep.equal([11]);
    expect(numbers(await list('?search=mu%20blue'))).to.deep.equal([]);
    expect(numbers(await list('?search=ug'))).to.deep.equal([]);
  });

  it('are not found by signs that mean something to a query', async () => {
    expect(numbers(await list('?search=.*'))).to.deep.equal([]);
    expect(numbers(await list('?search=mug.*&sort=newest'))).to.deep.equal([12, 10]);
    expect((await list('?search=.*&facets=true')).facets).to.deep.include({ total: 0 });
    expect(numbers(await list('?search=%24gt'))).to.deep.equal([]);
  });

  it('are filtered by category, alone and with words', async () => {
    expect(numbers(await list('?category=Kitchen'))).to.deep.equal([12, 10]);
    expect(numbers(await list('?category=Kitchen&search=blue'))).to.deep.equal([10]);
    expect(numbers(await list('?category=kitchen'))).to.deep.equal([]);
  });

  it('are filtered by shop, price and stock', async () => {
    expect(numbers(await list(`?shop_id=${idOfNumber(902)}`))).to.deep.equal([12, 10]);
    expect(numbers(await list('?currency=GBP&min_price=5.01'))).to.deep.equal([10]);
    expect(numbers(await list('?currency=GBP&min_price=5&max_price=10.49'))).to.deep.equal([11]);
    expect(numbers(await list('?currency=EUR'))).to.deep.equal([]);
    expect(numbers(await list('?in_stock=true'))).to.deep.equal([11, 10]);
    expect(numbers(await list('?in_stock=false'))).to.deep.equal([12]);
  });

  it('come in the order that is asked for, a search in that of relevance', async () => {
    expect(numbers(await list('?sort=name'))).to.deep.equal([12, 10, 11]);
    expect(numbers(await list('?sort=price_asc&currency=GBP'))).to.deep.equal([11, 10]);
    expect(numbers(await list('?sort=price_desc&currency=GBP'))).to.deep.equal([10, 11]);
    // The newer one has the word, but not in its name.
    expect(numbers(await list('?search=mug'))).to.deep.equal([10, 12]);
    expect(numbers(await list('?search=b'))).to.deep.equal([11, 10]);
  });

  it('are found with one letter wrong where nothing has the word as it is written', async () => {
    const found = await list('?search=kichen%20mug&facets=true');
    expect(numbers(found)).to.deep.equal([10]);
    expect(found.searched_instead).to.deep.equal([['kitchen'], ['mug']]);
    expect(numbers(await list('?search=kichen%20mu'))).to.deep.equal([10]);
    expect(found.facets).to.deep.include({ total: 1 });
    expect(numbers(await list('?search=bowk'))).to.deep.equal([11]);
    const right = await list('?search=bowl');
    expect([numbers(right), right.searched_instead]).to.deep.equal([[11], undefined]);
    expect(numbers(await list('?search=bxwk'))).to.deep.equal([]);
    expect(numbers(await list('?search=bowk%20nowhere'))).to.deep.equal([]);
    // Both words are known, only nothing has them both.
    expect((await list('?search=bowl%20sturdy')).searched_instead).to.equal(undefined);
  });

  it('are counted by what divides them', async () => {
    expect((await list('?facets=true&limit=1')).facets).to.deep.equal({
      total: 3,
      total_is_at_least: false,
      categories: [
        { value: 'Kitchen', count: 2 },
        { value: 'Tea', count: 1 },
      ],
      shops: [
        { value: idOfNumber(902), count: 2 },
        { value: idOfNumber(903), count: 1 },
      ],
      prices: [
        { currency: 'GBP', from: 5, below: 10, count: 1 },
        { currency: 'GBP', from: 10, below: 20, count: 1 },
      ],
      in_stock: 2,
      out_of_stock: 1,
    });
    expect((await list('?facets=true&search=mug&in_stock=true')).facets).to.deep.include({ total: 1, in_stock: 1 });
    expect((await list()).facets).to.equal(undefined);
  });

  it('are listed in short', async () => {
    const [product] = (await list('?search=cafe')).products;
    expect(product).to.have.all.keys(
      'product_id',
      'shop_id',
      'name',
      'category',
      'image',
      'variants',
      'variant_count',
      'min_price',
      'currency',
      'in_stock',
      'created_at',
    );
  });

  for (const query of ['sort=newest', 'sort=name', 'sort=price_desc&currency=GBP', 'search=b', 'search=kichen', '']) {
    it(`are paged with ?${query}`, async () => {
      const whole = numbers(await list(`?${query}`));
      const found: number[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const page = await list(`?${query}&limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`);
        found.push(...numbers(page));
        cursor = page.next_cursor;
      }
      expect(found).to.deep.equal(whole);
      expect(whole).to.not.have.length(0);
    });
  }

  it('that are not approved, or do not exist, are 404', async () => {
    for (const id of [13, 14, 15, 99].map(idOfNumber).concat('mug')) {
      expect(await side.get(`/products/${id}`, 'anonymous')).to.deep.include({ status: 404, code: 'not-found' });
    }
  });

  const cursor = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

  for (const query of [
    'search[$regex]=a',
    'search=',
    `search=${'a'.repeat(10_000)}`,
    'search=a&search=b',
    'limit=101',
    'limit=0',
    'limit=1e3',
    'offset=1',
    'status=pending',
    'status[$ne]=approved',
    'shop_id[$gt]=',
    'shop_id=1',
    'min_price=1',
    'currency=GBP&min_price=-1',
    'currency=GBP&min_price=1e9',
    'currency=gbp',
    'sort=price_asc',
    'sort=relevance',
    'sort[$gt]=',
    'in_stock=1',
    'facets=yes',
    '__proto__=1',
    '__proto__[a]=1',
    'constructor=1',
    'a=b',
    'cursor=x',
    `cursor=${cursor(['newest', { $gt: '' }, idOfNumber(1)])}`,
    `cursor=${cursor(['newest', '2026-01-05T09:00:00.000Z', { $ne: 1 }])}`,
    `cursor=${cursor(['name', 'mug', idOfNumber(1)])}`,
    `cursor=${cursor(['__proto__', 'mug', idOfNumber(1)])}`,
    `cursor=${cursor({ sort: 'newest' })}`,
  ]) {
    it(`are refused with ?${query.slice(0, 60)}`, async () => {
      const refused = await side.get(`/products?${query}`, 'anonymous');
      expect(refused).to.deep.include({ status: 422, code: 'validation-failed' });
    });
  }

  it('are refused with more decimals than the currency has', async () => {
    expect((await side.get('/products?currency=GBP&min_price=1.999', 'anonymous')).status).to.equal(422);
  });
});
