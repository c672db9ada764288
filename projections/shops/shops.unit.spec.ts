import { expect } from 'chai';
import type { ShopEvent } from '../../domain/shop/shop-events.js';
import { asRecorded, idFor } from '../spec-histories.js';
import { openedShop } from '../spec-stories.js';
import type { ShopBody } from './document.js';
import { shopsProjection } from './shops.js';

const shopAfter = (...events: readonly ShopEvent[]) =>
  asRecorded(events).reduce<ShopBody | undefined>(
    (shop, event) => shopsProjection.evolve(shop, event, event.data.shop_id),
    undefined,
  );

describe('the shops read model', () => {
  const [created, verified, suspended] = openedShop('a') as [ShopEvent, ShopEvent, ShopEvent];

  it('tells whose a shop is, and how it stands', () => {
    const shop = { owner_id: idFor('user', 'a'), name: 'Harbour Goods', country: 'GB' };
    expect(shopAfter(created)).to.deep.equal({ ...shop, status: 'opened' });
    expect(shopAfter(created, verified)).to.deep.equal({ ...shop, status: 'verified' });
    expect(shopAfter(created, verified, suspended)).to.deep.equal({ ...shop, status: 'suspended' });
    expect(shopAfter(created, suspended, verified)).to.deep.equal({ ...shop, status: 'verified' });
  });

  it('begins with the creation', () => {
    expect(shopAfter(verified)).to.equal(undefined);
  });
});
