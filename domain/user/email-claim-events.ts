import { z } from 'zod';
import { defineEvent, type EventOf } from '../core/event-codec.js';
import { uuid } from '../core/ids.js';

// STORED CONTRACT. A changed shape needs a new version, an upcaster and a golden file; a changed meaning a new type.

export const emailClaimDefinitions = [
  defineEvent({ type: 'email.claimed', data: z.strictObject({ user_id: uuid }) }),
  defineEvent({ type: 'email.released', data: z.strictObject({ user_id: uuid }) }),
] as const;

export type EmailClaimEvent = EventOf<typeof emailClaimDefinitions>;
/** One stream per address, named by its HMAC: whoever writes the first event has the address. */
export const emailClaimStream = (emailHmac: string) => `emailclaim-${emailHmac}`;
