import { expect } from 'chai';
import { type ProductDocument, productSearchModel, wordsOf } from '../../projections/product-search/document.js';
import { ensureIndexes, readModelId } from '../../runtime/document-store/read-model.js';
import { productDocument } from '../spec-documents.js';
import { startReadSide } from '../spec-server.js';
import { cursorAt, type ProductCursor, type ProductSort, productSorts } from './product-cursor.js';
import { type ProductQueries, productQueries } from './product-queries.js';

const names = ['Mug', 'Blue mug', 'Mug, blue, large', 'Large bowl', 'Mugshot print'];

// Names, prices and times repeat, so that ties fall on the ends of pages.
const products = Array.from({ length: 90 }, (_, n) => {
  const name = names[n % names.length] ?? '';
  return productDocument((n * 37) % 90, {
    name,
    name_terms: wordsOf(name),
    name_key: wordsOf(name).join(' '),
    terms: [...wordsOf(name), 'mug'],
    min_price: 100 * (n % 4),
    created_at: new Date(Date.UTC(2026, 0, 1, 0, Math.floor(n / 11))).toISOString(),
  });
});

describe('a list of products that is longer than a page', function () {
  this.timeout(20_000);
  let side: Awaited<ReturnType<typeof startReadSide>>;
  let queries: ProductQueries;

  before(async () => {
    side = await startReadSide();
    await ensureIndexes(side.db, productSearchModel);
    await side.db.collection<ProductDocument>(readModelId(productSearchModel)).insertMany(products);
    queries = productQueries(side.db);
  });
  after(() => side.close());

  const filterOf = (sort: ProductSort) => (sort === 'relevance' ? { search: 'blue mug' } : { currency: 'GBP' });
  const read = (sort: ProductSort, limit: number, after?: ProductCursor) =>
    queries.list({ filter: filterOf(sort), sort, limit, after, facets: false });

  const limit = 7;
  for (const sort of productSorts) {
    it(`is the same in pages of ${limit} as in one, in the order of ${sort}`, async () => {
      const whole = await read(sort, 100);
      expect(whole.more).to.equal(false);
      const paged: string[] = [];
      for (let more = true, after: ProductCursor | undefined; more; ) {
        const page = await read(sort, limit, after);
        paged.push(...page.products.map(({ _id }) => _id));
        const last = page.products.at(-1);
        after = last === undefined ? undefined : cursorAt(sort, last);
        more = page.more;
      }
      expect(paged).to.deep.equal(whole.products.map(({ _id }) => _id));
      expect(new Set(paged).size).to.equal(sort === 'relevance' ? 36 : 90);
    });
  }

  const orders: Record<Exclude<ProductSort, 'relevance'>, (a: ProductDocument, b: ProductDocument) => number> = {
    newest: (a, b) => b.created_at.localeCompare(a.created_at) || b._id.localeCompare(a._id),
    name: (a, b) => (a.name_key < b.name_key ? -1 : a.name_key > b.name_key ? 1 : a._id.localeCompare(b._id)),
    price_asc: (a, b) => (a.min_price ?? 0) - (b.min_price ?? 0) || a._id.localeCompare(b._id),
    price_desc: (a, b) => (b.min_price ?? 0) - (a.min_price ?? 0) || b._id.localeCompare(a._id),
  };
  for (const [sort, order] of Object.entries(orders)) {
    it(`is in the order of ${sort}`, async () => {
      const { products: listed } = await read(sort as ProductSort, 100);
      expect(listed.map(({ _id }) => _id)).to.deep.equal([...products].sort(order).map(({ _id }) => _id));
    });
  }

  it('has those first whose name says what was asked for and little else', async () => {
    const { products: listed } = await read('relevance', 100);
    const found = [...new Set(listed.map(({ name }) => name))];
    expect(found).to.deep.equal(['Blue mug', 'Mug, blue, large']);
    const more = await queries.list({ filter: { search: 'mug' }, sort: 'relevance', limit: 100, facets: false });
    expect([...new Set(more.products.map(({ name }) => name))]).to.deep.equal([
      'Mug',
      'Blue mug',
      'Mug, blue, large',
      'Mugshot print',
      'Large bowl',
    ]);
    const [first, second] = listed;
    expect(first?.created_at.localeCompare(second?.created_at ?? '')).to.be.at.least(0);
  });
});
