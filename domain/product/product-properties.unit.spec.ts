import { expect } from 'chai';
import fc from 'fast-check';
import { runLawfully } from '../core/decider-laws.js';
import { eventCatalog } from '../event-catalog.js';
import { type ProductCommand, type ProductState, productDecider } from './product.js';
import type { ProductVariant } from './product-events.js';

const metadata = { now: '2026-03-01T09:30:00.000Z' };
const ref = {
  product_id: '018f3c1a-0000-7000-8000-0000000000c1',
  shop_id: '018f3c1a-0000-7000-8000-0000000000b1',
};

const variantId = fc.integer({ min: 1, max: 4 }).map((n) => `018f3c1a-0000-7000-8000-00000000000${n}`);
const currency = fc.constantFrom('GBP', 'GBP', 'GBP', 'EUR');
const price = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.constantFrom(-1, 0.5, Number.NaN, 2 ** 53, Number.MAX_SAFE_INTEGER),
);
const variants: fc.Arbitrary<ProductVariant[]> = fc.array(
  fc.record({
    variant_id: variantId,
    sku: fc.constantFrom('A', 'B', 'C', 'D'),
    title: fc.string({ maxLength: 5 }),
    price: fc.integer({ min: 0, max: 3 }),
    currency,
  }),
  { maxLength: 4 },
);
const described = {
  name: fc.string({ minLength: 1, maxLength: 5 }),
  description: fc.string({ maxLength: 5 }),
  category: fc.constantFrom('', 'kitchen'),
  images: fc.array(fc.webUrl(), { maxLength: 2 }),
};
const by = fc.constantFrom('user:admin', 'user:seller');

const arbitraryCommand: fc.Arbitrary<ProductCommand> = fc.oneof(
  fc
    .record({ ...described, variants, approved_by: fc.option(by, { nil: undefined }) })
    .map((data): ProductCommand => ({ type: 'CreateProduct', data: { ...ref, ...data }, metadata })),
  fc
    .record({ ...described, variants }, { requiredKeys: [] })
    .map((data): ProductCommand => ({ type: 'UpdateProduct', data, metadata })),
  fc
    .record({ variant_id: variantId, price, currency })
    .map((data): ProductCommand => ({ type: 'ChangePrice', data, metadata })),
  by.map((who): ProductCommand => ({ type: 'ApproveProduct', data: { by: who }, metadata })),
  by.map((who): ProductCommand => ({ type: 'RejectProduct', data: { by: who, reasons: ['r'] }, metadata })),
  fc.constant<ProductCommand>({ type: 'FlagProduct', data: { score: 0.5, reasons: [] }, metadata }),
  // Rare, because little happens to a product afterwards.
  fc.constant<ProductCommand>({ type: 'DeleteProduct', data: { by: 'user:seller' }, metadata }),
);
const firstVariant: ProductVariant = {
  variant_id: '018f3c1a-0000-7000-8000-000000000001',
  sku: 'A',
  title: '',
  price: 1,
  currency: 'GBP',
};
const create: ProductCommand = {
  type: 'CreateProduct',
  data: { ...ref, name: 'Mug', description: '', category: '', images: [], variants: [firstVariant] },
  metadata,
};
const commands = fc.array(arbitraryCommand, { maxLength: 25 });

function variantsOf(state: ProductState): readonly Readonly<ProductVariant>[] {
  return state.status === 'unknown' || state.status === 'deleted' ? [] : state.variants;
}

describe('any sequence of commands to a product', () => {
  it('obeys the laws of a decider, and every command may come twice', () => {
    fc.assert(
      fc.property(commands, (list) => {
        runLawfully(productDecider, eventCatalog, list, () => true);
        runLawfully(productDecider, eventCatalog, [create, ...list], () => true);
      }),
    );
  });

  it('leaves variants with unique ids and SKUs, in one currency, at whole prices', () => {
    fc.assert(
      fc.property(commands, (list) => {
        const left = variantsOf(runLawfully(productDecider, eventCatalog, [create, ...list]).state);
        for (const key of ['variant_id', 'sku'] as const) {
          expect(new Set(left.map((variant) => variant[key])).size).to.equal(left.length);
        }
        expect(new Set(left.map((variant) => variant.currency)).size).to.be.at.most(1);
        for (const variant of left) expect(Number.isSafeInteger(variant.price) && variant.price >= 0).to.equal(true);
      }),
    );
  });

  it('reaches what an accepted update asks for', () => {
    fc.assert(
      fc.property(commands, variants, (list, wanted) => {
        const update: ProductCommand = { type: 'UpdateProduct', data: { variants: wanted }, metadata };
        const run = runLawfully(productDecider, eventCatalog, [create, ...list, update]);
        const before = runLawfully(productDecider, eventCatalog, [create, ...list]);
        if (run.refusals.length > before.refusals.length) return;
        expect(variantsOf(run.state)).to.deep.equal(wanted);
      }),
    );
  });

  it('changes the price of a variant only by product.price_changed, old price and all', () => {
    fc.assert(
      fc.property(commands, (list) => {
        const { events } = runLawfully(productDecider, eventCatalog, [create, ...list]);
        const prices = new Map<string, { price: number; currency: string }>();
        for (const event of events) {
          if (event.type === 'product.price_changed') {
            const { variant_id, old_price, new_price, currency: told } = event.data;
            expect(prices.get(variant_id)).to.deep.equal({ price: old_price, currency: told });
            expect(new_price).not.to.equal(old_price);
            prices.set(variant_id, { price: new_price, currency: told });
          }
          const listed =
            event.type === 'product.created'
              ? event.data.variants
              : event.type === 'product.updated'
                ? event.data.new.variants
                : undefined;
          if (listed === undefined) continue;
          const known = new Map(prices);
          prices.clear();
          for (const { variant_id, price: told, currency: unit } of listed) {
            const before = known.get(variant_id);
            if (before?.currency === unit) expect(told).to.equal(before.price);
            prices.set(variant_id, { price: told, currency: unit });
          }
        }
      }),
    );
  });
});
