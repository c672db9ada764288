import { z } from 'zod';
import { defineEvent, type EventOf } from '../core/event-codec.js';

// STORED CONTRACT. A changed shape needs a new version, an upcaster and a golden file; a changed meaning a new type.

export const orderNumberDefinitions = [
  defineEvent({
    type: 'ordernumber.block_drawn',
    data: z.strictObject({ year: z.int().min(1970).max(9999), from: z.int().min(1), to: z.int().min(1) }),
  }),
] as const;

export type OrderNumberEvent = EventOf<typeof orderNumberDefinitions>;
/** One stream a year of `placed_at`; numbers are sequential, not free of gaps. */
export const orderNumberStream = (year: number) => `ordernumber-${year}`;
