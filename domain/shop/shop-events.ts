import { z } from 'zod';
import { defineEvent, type EventOf } from '../core/event-codec.js';
import { countryCode, uuid } from '../core/ids.js';

// STORED CONTRACT. A changed shape needs a new version, an upcaster and a golden file; a changed meaning a new type.

export const shopDefinitions = [
  defineEvent({
    type: 'shop.created',
    data: z.strictObject({
      shop_id: uuid,
      owner_id: uuid,
      name: z.string().min(1).max(200),
      country: countryCode,
    }),
  }),
  defineEvent({ type: 'shop.verified', data: z.strictObject({ shop_id: uuid, by: z.string() }) }),
  defineEvent({ type: 'shop.suspended', data: z.strictObject({ shop_id: uuid, by: z.string(), reason: z.string() }) }),
] as const;

export type ShopEvent = EventOf<typeof shopDefinitions>;
export const shopStream = (shopId: string) => `shop-${shopId}`;
