import { z } from 'zod';
import { defineEvent, type EventOf } from '../core/event-codec.js';
import { timestamp, uuid } from '../core/ids.js';

// STORED CONTRACT. A changed shape needs a new version, an upcaster and a golden file; a changed meaning a new type.
// Only choices that no other stream records; no command lists: ids follow from order, step, target and attempt.

export const compensationStep = z.enum(['release', 'undo_confirmation', 'refund']);

export const fulfilmentDefinitions = [
  defineEvent({
    type: 'fulfilment.started',
    data: z.strictObject({
      order_id: uuid,
      /** What reserving came to. */
      outcome: z.enum(['reserved', 'refused']),
      /** Until when the payment may take; null where there is none to wait for. */
      deadline: timestamp.nullable(),
    }),
  }),
  defineEvent({
    type: 'fulfilment.step_taken',
    data: z.strictObject({
      order_id: uuid,
      step: compensationStep,
      attempt: z.int().min(1),
      /** The id of the event that made the step necessary. */
      because: uuid,
    }),
  }),
  defineEvent({
    type: 'fulfilment.ended',
    data: z.strictObject({ order_id: uuid, outcome: z.enum(['confirmed', 'failed', 'cancelled']) }),
  }),
] as const;

export type FulfilmentEvent = EventOf<typeof fulfilmentDefinitions>;
export const fulfilmentStream = (orderId: string) => `fulfilment-${orderId}`;
