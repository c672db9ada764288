import { expect } from 'chai';
import { asRecorded, orderOf, productOf } from '../spec-histories.js';
import { type ProductBody, wordsOf } from './document.js';
import { type ProductModelEvent, productSearchProjection } from './product-search.js';

const product = productOf('a');

function given(...events: readonly ProductModelEvent[]): ProductBody {
  let document: ProductBody | undefined;
  for (const event of asRecorded(events)) {
    document = productSearchProjection.evolve(document, event, event.data.product_id);
  }
  if (document === undefined) throw new Error('there is no document');
  return document;
}

describe('the product-search read model', () => {
  it('holds a created product as pending, with its lowest price and without stock', () => {
    const document = given(product.created());
    expect(document).to.deep.include({
      status: 'pending',
      name: 'Café Mug',
      category: 'Kitchen',
      min_price: 450,
      currency: 'GBP',
      in_stock: false,
      created_at: '2026-01-05T09:00:00.000Z',
    });
    expect(document.variants.map(({ available }) => available)).to.deep.equal([0, 0]);
  });

  it('follows moderation', () => {
    expect(given(product.created(), product.approved()).status).to.equal('approved');
    expect(given(product.created(), product.flagged()).status).to.equal('flagged');
    expect(given(product.created(), product.flagged(), product.rejected()).status).to.equal('rejected');
  });

  it('takes available stock from inventory events by variant', () => {
    const order = orderOf('a');
    const stocked = [product.created(), product.received(10)] as const;
    expect(given(...stocked)).to.deep.include({ in_stock: true, stock: { [product.variant_id]: 10 } });
    const sold = given(...stocked, order.stockReserved(0, 0));
    expect(sold.in_stock).to.equal(false);
    expect(sold.variants[0]?.available).to.equal(0);
  });

  it('remembers stock that was heard of before the product', () => {
    expect(given(product.received(7))).to.deep.include({ status: 'unknown', in_stock: false });
    const document = given(product.received(7), product.created());
    expect(document).to.deep.include({ status: 'pending', in_stock: true });
    expect(document.variants[0]?.available).to.equal(7);
  });

  it('is the same object where the stock did not change', () => {
    const document = given(product.created(), product.received(7));
    const [event] = asRecorded([product.received(7)]);
    if (event === undefined) throw new Error('no event');
    expect(productSearchProjection.evolve(document, event, product.product_id)).to.equal(document);
  });

  it('keeps stock through a new list of variants, and prices through changes', () => {
    const changed = given(product.created(), product.received(7), product.priceChanged(300));
    expect(changed.min_price).to.equal(300);
    const [first] = product.variants;
    if (first === undefined) throw new Error('no variant');
    const one = given(product.created(), product.received(7), product.updated({ variants: [first] }));
    expect(one.variants).to.have.length(1);
    expect(one.variants[0]).to.deep.include({ available: 7, price: 500 });
    expect(one.min_price).to.equal(500);
  });

  it('is found by the words of what it says now', () => {
    expect(given(product.created()).terms).to.include.members(['cafe', 'mug', 'kitchen', 'blue', 'stoneware', 'sku']);
    const renamed = given(product.created(), product.updated({ name: 'Tea bowl' }));
    expect(renamed.terms).to.include.members(['tea', 'bowl', 'stoneware']).and.not.include('cafe');
  });

  it('bounds its terms, and cuts the description first', () => {
    const description = Array.from({ length: 3_000 }, (_, index) => `w${index}`)
      .join(' ')
      .slice(0, 10_000);
    const { terms } = given(product.created({ description }));
    expect(terms).to.have.length(400).and.include.members(['cafe', 'mug', 'kitchen', 'red', 'w0']);
  });

  it('stays as a tombstone once deleted', () => {
    const deleted = given(product.created(), product.approved(), product.deleted());
    expect(deleted.status).to.equal('deleted');
    expect(given(product.created(), product.deleted(), product.approved(), product.received(3)).status).to.equal(
      'deleted',
    );
  });
});

describe('words', () => {
  it('are lower case, without accents, letters and digits only', () => {
    expect(wordsOf('Crème-brûlée, №5 (2 x 90 g)')).to.deep.equal(['creme', 'brulee', 'no5', '2', 'x', '90', 'g']);
    expect(wordsOf(' .*^$ ')).to.deep.equal([]);
  });
});
