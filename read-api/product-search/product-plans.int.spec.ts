import { expect } from 'chai';
import type { Collection, Document } from 'mongodb';
import { type ProductDocument, productSearchModel } from '../../projections/product-search/document.js';
import { ensureIndexes, readModelId } from '../../runtime/document-store/read-model.js';
import { idOfNumber, productDocument } from '../spec-documents.js';
import { startReadSide } from '../spec-server.js';
import { comesAfter, cursorAt, type ProductSort, sortKeys } from './product-cursor.js';
import { facetPipeline } from './product-facets.js';
import { matching, type ProductFilter, searchedWords } from './product-filter.js';
import { relevancePipeline } from './product-queries.js';

const count = 600;
const colours = ['red', 'blue', 'green', 'black', 'white', 'amber'];

/** Every stage of the plan that was taken, by name, and how many documents were looked at. */
function lookedAt(explained: Document) {
  const text = JSON.stringify(explained, (key, value: unknown) =>
    key === 'rejectedPlans' || key === 'allPlansExecution' ? undefined : value,
  );
  const stages = [...text.matchAll(/"stage":"([A-Z_]+)"/g)].map(([, stage]) => stage);
  const [, examined] = /"totalDocsExamined":"?(\d+)/.exec(text) ?? [];
  return { stages, examined: Number(examined) };
}

describe('how products are looked up', function () {
  this.timeout(30_000);
  let side: Awaited<ReturnType<typeof startReadSide>>;
  let products: Collection<ProductDocument>;

  before(async () => {
    side = await startReadSide();
    await ensureIndexes(side.db, productSearchModel);
    products = side.db.collection(readModelId(productSearchModel));
    await products.insertMany(
      Array.from({ length: count }, (_, n) => {
        const words = [colours[n % 6] ?? '', `thing${n}`];
        return productDocument(n, {
          name: words.join(' '),
          category: `Category ${n % 20}`,
          shop_id: idOfNumber(5_000 + (n % 10)),
          min_price: n,
          status: n % 50 === 0 ? 'pending' : 'approved',
          terms: words,
          name_terms: words,
          name_key: words.join(' '),
          near: [`near${n}`],
          created_at: new Date(Date.UTC(2026, 0, 1) + n * 1_000).toISOString(),
        });
      }),
    );
  });
  after(() => side.close());

  const filterOf = (filter: ProductFilter) =>
    matching(filter, filter.search === undefined ? undefined : searchedWords(filter.search));

  const page = 20;
  const finds: [string, ProductFilter, ProductSort, number][] = [
    ['newest first', {}, 'newest', page],
    ['of a category', { category: 'Category 3' }, 'newest', page],
    ['of a shop', { shopId: idOfNumber(5_003) }, 'newest', page],
    ['by name', {}, 'name', page],
    ['cheapest first', { currency: 'GBP' }, 'price_asc', page],
    ['dearest first', { currency: 'GBP' }, 'price_desc', page],
    ['in a range of prices', { currency: 'GBP', minPrice: 100, maxPrice: 110 }, 'price_asc', page],
    ['with a rare word, newest first', { search: 'thing17' }, 'newest', 12],
    ['with two words, by name', { search: 'red thing18' }, 'name', 12],
  ];

  for (const [what, filter, sort, most] of finds) {
    for (const later of [false, true]) {
      it(`${what}${later ? ', from a later page' : ''}: by an index, ${most} at most`, async () => {
        const after = comesAfter(
          cursorAt(sort, { ...productDocument(300), name_key: 'green thing300', min_price: 300 }),
        );
        const conditions = filterOf(filter);
        const { stages, examined } = lookedAt(
          await products
            .find(later ? { $and: [conditions, after] } : conditions)
            .sort(Object.fromEntries(sortKeys[sort]))
            .limit(page)
            .explain('executionStats'),
        );
        expect(stages).to.include('IXSCAN').and.not.include('COLLSCAN');
        if (filter.search === undefined) expect(stages).to.not.include('SORT');
        expect(examined).to.be.at.most(most);
      });
    }
  }

  it('by relevance, among those that have the words', async () => {
    const words = searchedWords('thing12');
    if (words === undefined) throw new Error('no words');
    const stages = relevancePipeline(filterOf({ search: 'thing12' }), words, { limit: page });
    const plan = lookedAt(await products.aggregate(stages).explain('executionStats'));
    expect(plan.stages).to.include('IXSCAN').and.not.include('COLLSCAN');
    expect(plan.examined).to.be.at.most(11);
  });

  it('for facets, among those that match', async () => {
    const plan = lookedAt(
      await products.aggregate(facetPipeline(filterOf({ category: 'Category 3' }))).explain('executionStats'),
    );
    expect(plan.stages).to.include('IXSCAN').and.not.include('COLLSCAN');
    expect(plan.examined).to.be.at.most(count / 20);
  });

  it('by the neighbours of a mistyped word', async () => {
    const plan = lookedAt(
      await products.find({ status: 'approved', near: { $in: ['near7', 'near8'] } }).explain('executionStats'),
    );
    expect(plan.stages).to.include('IXSCAN').and.not.include('COLLSCAN');
    expect(plan.examined).to.equal(2);
  });

  it('by id', async () => {
    const plan = lookedAt(await products.find({ _id: idOfNumber(7), status: 'approved' }).explain('executionStats'));
    expect(plan.stages).to.not.include('COLLSCAN');
    expect(plan.examined).to.equal(1);
  });
});
