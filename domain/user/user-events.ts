import { z } from 'zod';
import { defineEvent, type EventOf } from '../core/event-codec.js';
import { uuid } from '../core/ids.js';
import { personal } from '../core/personal.js';

// STORED CONTRACT. A changed shape needs a new version, an upcaster and a golden file; a changed meaning a new type.

export const roles = ['customer', 'seller', 'admin', 'auditor', 'support', 'importer'] as const;
export const role = z.enum(roles);
export type Role = z.output<typeof role>;

export const emailHmac = z.string().regex(/^[0-9a-f]{64}$/);
const userPersonal = personal(['email', 'name', 'phone', 'password_hash']);

export const userDefinitions = [
  defineEvent({
    type: 'user.created',
    data: z.strictObject({
      user_id: uuid,
      roles: z.array(role).min(1),
      email_hmac: emailHmac.nullable(),
      external_id: z.string().min(1).max(200).nullable(),
      personal: userPersonal.optional(),
    }),
  }),
  defineEvent({ type: 'user.updated', data: z.strictObject({ user_id: uuid, personal: userPersonal }) }),
  defineEvent({ type: 'user.password_changed', data: z.strictObject({ user_id: uuid, personal: userPersonal }) }),
  defineEvent({
    type: 'user.roles_changed',
    data: z.strictObject({ user_id: uuid, old_roles: z.array(role), new_roles: z.array(role).min(1), by: z.string() }),
  }),
  defineEvent({ type: 'user.erased', data: z.strictObject({ user_id: uuid, by: z.string(), reason: z.string() }) }),
] as const;

export type UserEvent = EventOf<typeof userDefinitions>;
export const userStream = (userId: string) => `user-${userId}`;
