import { Router } from 'express';
import { z } from 'zod';
import { DomainError } from '../../domain/core/domain-error.js';
import { answer, requireRole } from '../../runtime/http/app.js';
import { deriveId } from '../../runtime/ids.js';
import { userAggregate } from '../aggregates.js';
import { email } from '../auth/email.js';
import type { CommandDeps } from '../deps.js';
import type { CommandContext } from '../handle-command.js';
import { contextOf, tellConsistency } from '../request-context.js';

/** An id of another system: an opaque text without control or invisible characters. */
export const externalId = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^\P{C}*$/u, 'must hold no control characters');

/** `POST /users`: somebody whom another system knows. There is nothing to log in with. */
export const createUserBody = z.strictObject({
  external_id: externalId,
  name: z.string().trim().min(1).max(200).optional(),
  /** Where to reach them; the address is not claimed, so that its owner can still register. */
  email: email.optional(),
});

/** Users who come from another system. The external id makes the user's id, so that every request meets one stream. */
export function userRoutes({ commands, personalData, hmacSecret, clock }: CommandDeps): Router {
  const router = Router();

  const create = async ({ external_id, ...fields }: z.output<typeof createUserBody>, context: CommandContext) => {
    const user_id = deriveId('external-user', external_id);
    const sealed = await personalData.seal(`user:${user_id}`, fields);
    const data = {
      user_id,
      roles: ['customer'] as const,
      email_hmac: null,
      external_id,
      personal: Object.keys(sealed.fields).length === 0 ? undefined : sealed,
    };
    const command = { type: 'RegisterUser' as const, data, metadata: { now: clock().toISOString() } };
    try {
      const accepted = await commands.handle(userAggregate, user_id, command, { ...context, creates: true });
      return { user_id, status: 201, accepted };
    } catch (error) {
      if (!(error instanceof DomainError && error.code === 'user-already-exists')) throw error;
      return { user_id, status: 200, accepted: await commands.load(userAggregate, user_id) };
    }
  };

  /** A user who is there already is answered with 200 and stays as they are: name and e-mail are taken once. */
  router.post('/users', async (req, res) => {
    requireRole(res, 'importer', 'admin');
    const body = createUserBody.parse(req.body);
    const { user_id, status, accepted } = await create(body, contextOf(req, res, 'POST /users', hmacSecret));
    tellConsistency(res, accepted);
    answer(res, status, { user_id, external_id: body.external_id });
  });

  return router;
}
