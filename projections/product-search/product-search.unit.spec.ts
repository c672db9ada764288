import { expect } from 'chai';
import fc from 'fast-check';
import type { Recorded } from '../projection.js';
import { asRecorded, orderOf, productOf } from '../spec-histories.js';
import { stockHistories } from '../spec-stock.js';
import { isOneLetterOff, neighbourhood, type ProductBody, wordsOf } from './document.js';
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
    expect(document).to.deep.include({ stocked: [], price_band: 0, name_key: 'cafe mug', name_terms: ['cafe', 'mug'] });
  });

  it('follows moderation', () => {
    expect(given(product.created(), product.approved()).status).to.equal('approved');
    expect(given(product.created(), product.flagged()).status).to.equal('flagged');
    expect(given(product.created(), product.flagged(), product.rejected()).status).to.equal('rejected');
  });

  it('knows from inventory events which variants can be bought', () => {
    const order = orderOf('a');
    const stocked = [product.created(), product.received(10)] as const;
    expect(given(...stocked)).to.deep.include({ in_stock: true, stocked: [product.variant_id] });
    expect(given(...stocked, order.stockReserved(0, 0))).to.deep.include({ in_stock: false, stocked: [] });
    const back = given(...stocked, order.stockReserved(0, 0), product.received(1));
    expect(back).to.deep.include({ in_stock: true, stocked: [product.variant_id] });
  });

  it('remembers stock that was heard of before the product', () => {
    expect(given(product.received(7))).to.deep.include({ status: 'unknown', in_stock: false });
    const document = given(product.received(7), product.created());
    expect(document).to.deep.include({ status: 'pending', in_stock: true, stocked: [product.variant_id] });
  });

  it('is the same object while there is any stock, however much: most stock events write nothing', () => {
    const document = given(product.created(), product.received(7));
    for (const event of asRecorded([product.received(7), orderOf('a').stockReserved(0, 3)])) {
      expect(productSearchProjection.evolve(document, event, product.product_id)).to.equal(document);
    }
  });

  it('is named by those stock events alone that bring the first piece or take the last', () => {
    const ids = (event: ProductModelEvent) =>
      asRecorded([event]).flatMap((one) => [...productSearchProjection.ids(one)]);
    const { product_id } = product;
    expect(ids(product.received(10))).to.deep.equal([product_id]);
    expect(ids(product.received(17))).to.deep.equal([]);
    expect(ids(orderOf('a').stockReserved(0, 3))).to.deep.equal([]);
    expect(ids(orderOf('a').stockReserved(0, 0))).to.deep.equal([product_id]);
    fc.assert(
      fc.property(stockHistories, ({ history }) => {
        let document: ProductBody | undefined;
        let available = 0;
        for (const event of asRecorded(history)) {
          const known = event as Recorded<ProductModelEvent>;
          const named = productSearchProjection.types.has(event.type) ? productSearchProjection.ids(known) : [];
          for (const id of named) document = productSearchProjection.evolve(document, known, id);
          expect(named.length).to.equal(available > 0 === event.data.available > 0 ? 0 : 1);
          ({ available } = event.data);
          expect(document?.stocked ?? []).to.have.length(available > 0 ? 1 : 0);
        }
      }),
    );
  });

  it('keeps stock through a new list of variants, and prices through changes', () => {
    const changed = given(product.created(), product.received(7), product.priceChanged(300));
    expect(changed.min_price).to.equal(300);
    const [first] = product.variants;
    if (first === undefined) throw new Error('no variant');
    const one = given(product.created(), product.received(7), product.updated({ variants: [first] }));
    expect(one.variants).to.have.length(1);
    expect(one.variants[0]).to.deep.include({ price: 500 });
    expect(one.in_stock).to.equal(true);
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
    expect(wordsOf("Women’s, children's İSTANBUL")).to.deep.equal(['womens', 'childrens', 'istanbul']);
    expect(wordsOf(' .*^$ ')).to.deep.equal([]);
  });
});

describe('a mistyped word', () => {
  const pairs = [
    ['lantern', 'lanten'],
    ['lantern', 'lanttern'],
    ['lantern', 'lentern'],
    ['lantern', 'lantren'],
    ['lantern', 'lanterns'],
    ['lantern', 'antern'],
    ['aaaa', 'aaaaa'],
  ] as const;

  for (const [one, other] of pairs) {
    it(`is ${other} for ${one}, and shares a neighbour with it`, () => {
      expect([isOneLetterOff(one, other), isOneLetterOff(other, one)]).to.deep.equal([true, true]);
      const near = new Set(neighbourhood(one));
      expect(neighbourhood(other).some((token) => near.has(token))).to.equal(true);
    });
  }

  it('is no word that needs more than one change', () => {
    for (const [one, other] of [
      ['abcd', 'bcde'],
      ['lantern', 'lantrne'],
      ['lantern', 'lan'],
      ['lantern', 'lxnterm'],
    ] as const) {
      expect([isOneLetterOff(one, other), isOneLetterOff(other, one)], other).to.deep.equal([false, false]);
    }
  });

  it('is not guessed at where it is very short or very long', () => {
    expect(neighbourhood('mug')).to.deep.equal([]);
    expect(neighbourhood('x'.repeat(25))).to.deep.equal([]);
    expect(neighbourhood('abca')).to.deep.equal(['abca', 'bca', 'aca', 'aba', 'abc']);
  });
});
