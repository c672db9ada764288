import { z } from 'zod';
import { defineEvent, type EventOf } from '../core/event-codec.js';
import { uuid } from '../core/ids.js';

// STORED CONTRACT. A changed shape needs a new version, an upcaster and a golden file; a changed meaning a new type.

export const sessionDefinitions = [
  defineEvent({
    type: 'session.started',
    data: z.strictObject({ session_id: uuid, user_id: uuid, method: z.enum(['password']) }),
  }),
  defineEvent({
    type: 'session.refreshed',
    data: z.strictObject({ session_id: uuid, user_id: uuid, family: uuid, counter: z.int().min(1) }),
  }),
  defineEvent({
    type: 'session.revoked',
    data: z.strictObject({
      session_id: uuid,
      user_id: uuid,
      reason: z.enum(['logged_out', 'refresh_reused', 'password_changed', 'erased', 'admin']),
    }),
  }),
] as const;

export type SessionEvent = EventOf<typeof sessionDefinitions>;
export const sessionStream = (sessionId: string) => `session-${sessionId}`;
