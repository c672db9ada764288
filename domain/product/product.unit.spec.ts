import { expect } from 'chai';
import { fold } from '../core/decider.js';
import { DomainError, type ErrorCode } from '../core/domain-error.js';
import { given } from '../core/specification.js';
import { type ProductCommand, productDecider, variantForSale } from './product.js';
import type { ProductEvent, ProductVariant } from './product-events.js';

const metadata = { now: '2026-03-01T09:30:00.000Z' };
const product_id = '018f3c1a-0000-7000-8000-0000000000c1';
const shop_id = '018f3c1a-0000-7000-8000-0000000000b1';
const ref = { product_id, shop_id };

const variantId = (n: number) => `018f3c1a-0000-7000-8000-${String(n).padStart(12, '0')}`;
const variant = (n: number, change: Partial<ProductVariant> = {}): ProductVariant => ({
  variant_id: variantId(n),
  sku: `MUG-${n}`,
  title: `Mug ${n}`,
  price: 1250,
  currency: 'GBP',
  ...change,
});
const described = {
  name: 'Enamel mug',
  description: 'Holds half a pint.',
  category: 'kitchen',
  images: ['https://img.example/mug.jpg'],
};

const create = (variants: readonly ProductVariant[], approved_by?: string): ProductCommand => ({
  type: 'CreateProduct',
  data: { ...ref, ...described, variants, approved_by },
  metadata,
});
const update = (data: Extract<ProductCommand, { type: 'UpdateProduct' }>['data']): ProductCommand => ({
  type: 'UpdateProduct',
  data,
  metadata,
});
const changePrice = (price: number, currency = 'GBP', variant_id = variantId(1)): ProductCommand => ({
  type: 'ChangePrice',
  data: { variant_id, price, currency },
  metadata,
});
const approve: ProductCommand = { type: 'ApproveProduct', data: { by: 'user:admin' }, metadata };
const reject: ProductCommand = { type: 'RejectProduct', data: { by: 'user:admin', reasons: ['a copy'] }, metadata };
const flag: ProductCommand = { type: 'FlagProduct', data: { score: 0.75, reasons: ['no image'] }, metadata };
const remove: ProductCommand = { type: 'DeleteProduct', data: { by: 'user:seller' }, metadata };

const created: ProductEvent = {
  type: 'product.created',
  data: { ...ref, ...described, status: 'pending', variants: [variant(1), variant(2)] },
};
const priceChanged = (old_price: number, new_price: number): ProductEvent => ({
  type: 'product.price_changed',
  data: { ...ref, variant_id: variantId(1), old_price, new_price, currency: 'GBP' },
});
const approved: ProductEvent = { type: 'product.approved', data: { ...ref, by: 'user:admin' } };
const rejected: ProductEvent = { type: 'product.rejected', data: { ...ref, by: 'user:admin', reasons: ['a copy'] } };
const flagged: ProductEvent = { type: 'product.flagged', data: { ...ref, score: 0.75, reasons: ['no image'] } };
const deleted: ProductEvent = { type: 'product.deleted', data: { ...ref, by: 'user:seller' } };

function refusalOf(act: () => unknown): ErrorCode | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
  return undefined;
}

describe('a product that does not exist', () => {
  it('is created as pending', () => {
    given(productDecider)
      .when(create([variant(1), variant(2)]))
      .then(created);
  });

  it('is created and approved in one decision when an admin creates it', () => {
    given(productDecider)
      .when(create([variant(1), variant(2)], 'user:admin'))
      .then(created, approved);
  });

  for (const command of [update({ name: 'x' }), changePrice(1), approve, reject, flag, remove]) {
    it(`refuses ${command.type}`, () => {
      given(productDecider).when(command).thenRefused('product-not-found');
    });
  }

  const many = (count: number) => Array.from({ length: count }, (_, n) => variant(n + 1));
  it('may have 250 variants, and a price of zero', () => {
    given(productDecider)
      .when(create(many(250)))
      .thenTypes('product.created');
    given(productDecider)
      .when(create([variant(1, { price: 0 })]))
      .thenTypes('product.created');
  });

  const refused: [string, readonly ProductVariant[], ErrorCode][] = [
    ['no variant', [], 'product-without-variants'],
    ['251 variants', many(251), 'product-too-many-variants'],
    ['two variants of one id', [variant(1), variant(1, { sku: 'OTHER' })], 'variant-duplicate'],
    ['two variants of one SKU', [variant(1), variant(2, { sku: 'MUG-1' })], 'sku-duplicate'],
    ['two currencies', [variant(1), variant(2, { currency: 'EUR' })], 'currency-mismatch'],
    ['a price below zero', [variant(1, { price: -1 })], 'price-not-positive'],
    ['half a penny', [variant(1, { price: 0.5 })], 'price-not-positive'],
    ['a price beyond safe integers', [variant(1, { price: 2 ** 53 })], 'price-not-positive'],
    ['a price that is no number', [variant(1, { price: Number.NaN })], 'price-not-positive'],
  ];
  for (const [what, variants, code] of refused) {
    it(`is not created with ${what}`, () => {
      given(productDecider).when(create(variants)).thenRefused(code);
    });
    it(`does not come to ${what} by an update`, () => {
      given(productDecider, created).when(update({ variants })).thenRefused(code);
    });
  }
});

describe('updating a product', () => {
  it('tells old and new of what changed, and of that alone', () => {
    given(productDecider, created)
      .when(update({ name: 'Enamel cup', description: described.description, images: [] }))
      .then({
        type: 'product.updated',
        data: {
          ...ref,
          old: { name: 'Enamel mug', images: ['https://img.example/mug.jpg'] },
          new: { name: 'Enamel cup', images: [] },
        },
      });
  });

  it('says nothing when all is as it was', () => {
    given(productDecider, created)
      .when(update({ ...described, variants: [variant(1), variant(2)] }))
      .thenNothing();
    given(productDecider, created).when(update({})).thenNothing();
    given(productDecider, created)
      .when(update({ name: undefined }))
      .thenNothing();
  });

  it('takes an empty text for a change', () => {
    given(productDecider, created)
      .when(update({ description: '' }))
      .then({
        type: 'product.updated',
        data: { ...ref, old: { description: described.description }, new: { description: '' } },
      });
    const changed: ProductEvent = { type: 'product.updated', data: { ...ref, old: {}, new: { description: '' } } };
    expect(fold(productDecider, [created, changed])).to.include({ description: '', name: 'Enamel mug' });
  });

  it('replaces variants', () => {
    given(productDecider, created)
      .when(update({ variants: [variant(1, { title: 'Large' }), variant(3)] }))
      .then({
        type: 'product.updated',
        data: {
          ...ref,
          old: { variants: [variant(1), variant(2)] },
          new: { variants: [variant(1, { title: 'Large' }), variant(3)] },
        },
      });
  });

  it('tells a new price of a variant that stays by a price change of its own', () => {
    given(productDecider, created)
      .when(update({ variants: [variant(1, { price: 999 }), variant(2)] }))
      .then(priceChanged(1250, 999));
    given(productDecider, created)
      .when(update({ variants: [variant(1, { price: 999, title: 'Large' }), variant(2)] }))
      .then(
        {
          type: 'product.updated',
          data: {
            ...ref,
            old: { variants: [variant(1), variant(2)] },
            new: { variants: [variant(1, { title: 'Large' }), variant(2)] },
          },
        },
        priceChanged(1250, 999),
      );
  });

  it('may move all of it to another currency, where old and new price do not compare', () => {
    const inEuro = [variant(1, { price: 1400, currency: 'EUR' }), variant(2, { price: 1400, currency: 'EUR' })];
    given(productDecider, created)
      .when(update({ variants: inEuro }))
      .then({
        type: 'product.updated',
        data: { ...ref, old: { variants: [variant(1), variant(2)] }, new: { variants: inEuro } },
      });
  });
});

describe('changing a price', () => {
  it('tells the old and the new one', () => {
    given(productDecider, created).when(changePrice(999)).then(priceChanged(1250, 999));
    given(productDecider, created, priceChanged(1250, 999)).when(changePrice(1)).then(priceChanged(999, 1));
  });

  it('says nothing when it is the same', () => {
    given(productDecider, created).when(changePrice(1250)).thenNothing();
    given(productDecider, created, priceChanged(1250, 999)).when(changePrice(999)).thenNothing();
  });

  it('is refused for an unknown variant, another currency, or what is no price', () => {
    given(productDecider, created)
      .when(changePrice(1, 'GBP', variantId(9)))
      .thenRefused('variant-not-found');
    given(productDecider, created).when(changePrice(999, 'EUR')).thenRefused('currency-mismatch');
    given(productDecider, created).when(changePrice(-1)).thenRefused('price-not-positive');
    given(productDecider, created).when(changePrice(9.99)).thenRefused('price-not-positive');
    given(productDecider, created).when(changePrice(Number.POSITIVE_INFINITY)).thenRefused('price-not-positive');
  });
});

describe('moderation', () => {
  const histories = {
    pending: [created],
    flagged: [created, flagged],
    approved: [created, approved],
    rejected: [created, rejected],
  };
  const outcomes: [keyof typeof histories, ProductCommand, ProductEvent | undefined][] = [
    ['pending', approve, approved],
    ['pending', reject, rejected],
    ['pending', flag, flagged],
    ['flagged', approve, approved],
    ['flagged', reject, rejected],
    ['flagged', flag, undefined],
    ['approved', approve, undefined],
    ['approved', reject, rejected],
    ['approved', flag, flagged],
    ['rejected', approve, approved],
    ['rejected', reject, undefined],
    ['rejected', flag, undefined],
  ];
  for (const [status, command, event] of outcomes) {
    it(`${command.type} on a ${status} product ${event === undefined ? 'changes nothing' : `is ${event.type}`}`, () => {
      const outcome = given(productDecider, ...histories[status]).when(command);
      if (event === undefined) outcome.thenNothing();
      else outcome.then(event);
    });
  }

  for (const [status, history] of Object.entries(histories)) {
    it(`a ${status} product is not created twice, is edited, and is deleted`, () => {
      given(productDecider, ...history)
        .when(create([variant(1)]))
        .thenRefused('product-already-exists');
      given(productDecider, ...history)
        .when(update({ name: 'x' }))
        .thenTypes('product.updated');
      given(productDecider, ...history)
        .when(changePrice(1))
        .thenTypes('product.price_changed');
      given(productDecider, ...history)
        .when(remove)
        .then(deleted);
      expect(fold(productDecider, history).status).to.equal(status);
    });
  }
});

describe('a deleted product', () => {
  for (const command of [update({ name: 'x' }), changePrice(1), approve, reject, flag]) {
    it(`refuses ${command.type}`, () => {
      given(productDecider, created, approved, deleted).when(command).thenRefused('product-deleted');
    });
  }

  it('deleted again stays as it is, and is not created anew', () => {
    given(productDecider, created, deleted).when(remove).thenNothing();
    given(productDecider, created, deleted)
      .when(create([variant(1)]))
      .thenRefused('product-already-exists');
  });

  it('stays deleted whatever follows in the log', () => {
    expect(fold(productDecider, [created, deleted, approved, priceChanged(1, 2)]).status).to.equal('deleted');
  });
});

describe('a variant for sale', () => {
  it('comes with its newest price and whose it is', () => {
    const state = fold(productDecider, [created, approved, priceChanged(1250, 999)]);
    expect(variantForSale(state, variantId(1))).to.deep.equal({
      ...ref,
      name: 'Enamel mug',
      variant: variant(1, { price: 999 }),
    });
  });

  const refused: [string, ProductEvent[], string, ErrorCode][] = [
    ['an unknown product', [], variantId(1), 'product-not-found'],
    ['a deleted product', [created, approved, deleted], variantId(1), 'product-deleted'],
    ['a pending product', [created], variantId(1), 'product-not-sold'],
    ['a flagged product', [created, approved, flagged], variantId(1), 'product-not-sold'],
    ['a rejected product', [created, approved, rejected], variantId(1), 'product-not-sold'],
    ['an unknown variant', [created, approved], variantId(9), 'variant-not-found'],
    ['an unknown variant of a pending product', [created], variantId(9), 'product-not-sold'],
  ];
  for (const [what, history, wanted, code] of refused) {
    it(`is refused for ${what}`, () => {
      expect(refusalOf(() => variantForSale(fold(productDecider, history), wanted))).to.equal(code);
    });
  }
});
