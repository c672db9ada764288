import { z } from 'zod';
import { defineEvent, type EventOf } from '../core/event-codec.js';
import { uuid } from '../core/ids.js';

// STORED CONTRACT. A changed shape needs a new version, an upcaster and a golden file; a changed meaning a new type.

export const webhookClaimDefinitions = [
  defineEvent({
    type: 'webhook.claimed',
    data: z.strictObject({
      provider: z.string().min(1).max(40),
      /** the provider's id of the event */
      webhook_id: z.string().min(1).max(255),
      payment_id: uuid,
      order_id: uuid,
      says: z.enum(['success', 'failure']),
    }),
  }),
] as const;

export type WebhookClaimEvent = EventOf<typeof webhookClaimDefinitions>;
/** One stream a webhook that was taken in, named by a UUID of the provider's id. */
export const webhookClaimStream = (claimId: string) => `webhook-${claimId}`;
