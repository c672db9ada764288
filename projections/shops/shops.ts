import { type ShopEvent, shopDefinitions } from '../../domain/shop/shop-events.js';
import type { Projection } from '../projection.js';
import { type ShopBody, shopsModel } from './document.js';

/** Shops and whose they are: what other read models hold by shop is shown to its owner. */
export const shopsProjection: Projection<ShopEvent, ShopBody> = {
  model: shopsModel,
  types: new Set(shopDefinitions.map(({ type }) => type)),
  ids: ({ data }) => [data.shop_id],
  evolve(shop, event) {
    if (event.type === 'shop.created') {
      const { owner_id, name, country } = event.data;
      return { owner_id, name, country, status: 'opened' };
    }
    if (shop === undefined) return undefined;
    return { ...shop, status: event.type === 'shop.verified' ? 'verified' : 'suspended' };
  },
};
