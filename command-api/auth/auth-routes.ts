import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { DomainError } from '../../domain/core/domain-error.js';
import { sessionDecider } from '../../domain/user/session.js';
import { sessionStream } from '../../domain/user/session-events.js';
import { answer, principalOf } from '../../runtime/http/app.js';
import { HttpError } from '../../runtime/http/http-error.js';
import { canonicalJson, deriveId, hmac, newId } from '../../runtime/ids.js';
import type { Logger } from '../../runtime/logger.js';
import { userAggregate } from '../aggregates.js';
import type { CommandContext } from '../handle-command.js';
import { contextOf, tellConsistency } from '../request-context.js';
import { email, emailHmacOf } from './email.js';
import { newPassword, verifyPassword } from './passwords.js';
import { emailClaimAggregate, type RegisterDeps, registerUser } from './register-user.js';
import type { TokenSigner } from './token-signer.js';

export interface AuthDeps extends RegisterDeps {
  readonly signer: TokenSigner;
  readonly log: Logger;
}

const sessionAggregate = { stream: sessionStream, decider: sessionDecider };

/** `POST /auth/register`. There is no `roles`: who registers is a customer. */
export const registerRequest = z.strictObject({
  email,
  password: newPassword,
  name: z.string().trim().min(1).max(200).optional(),
  phone: z
    .string()
    .trim()
    .regex(/^[+0-9 ()./-]{3,40}$/, 'must be a telephone number')
    .optional(),
});

/** `POST /auth/login`. A password of any length may be tried; none longer than this was ever accepted. */
export const loginRequest = z.strictObject({
  email,
  password: z
    .string()
    .max(200)
    .transform((text) => text.normalize('NFKC')),
});

const credentialsWrong = () =>
  new HttpError(401, 'credentials-wrong', 'The e-mail address or the password is not right.');

/**
 * The context of a registration. Its Idempotency-Key counts per address: people who are not logged in share no
 * principal, and a key that two of them chose must not make them one.
 */
function registrationContext(
  req: Request,
  res: Response,
  hmacSecret: string,
  body: z.output<typeof registerRequest>,
): CommandContext {
  const { requestHash, ...context } = contextOf(req, res, 'POST /auth/register', hmacSecret);
  if (requestHash === undefined) return context;
  const commandId = deriveId(context.commandId, emailHmacOf(hmacSecret, body.email));
  const { name = null, phone = null } = body;
  return {
    ...context,
    commandId,
    correlationId: commandId,
    requestHash: hmac(hmacSecret, canonicalJson([name, phone])),
  };
}

/** Registration, log-in, the public keys of access tokens, and the caller's own profile. */
export function authRoutes(deps: AuthDeps): Router {
  const { commands, personalData, hmacSecret, signer, clock, log } = deps;
  const router = Router();

  router.post('/auth/register', async (req, res) => {
    const body = registerRequest.parse(req.body);
    const context = registrationContext(req, res, hmacSecret, body);
    const { user_id, roles, accepted } = await registerUser(deps, { ...body, roles: ['customer'] }, context);
    tellConsistency(res, accepted);
    res.setHeader('Cache-Control', 'no-store');
    answer(res, 201, { user_id, roles });
  });

  /** The user behind an address and a password, or undefined; both take the time of one verification. */
  const authenticate = async (address: string, password: string) => {
    const claim = await commands.load(emailClaimAggregate, emailHmacOf(hmacSecret, address), true);
    const user =
      claim.state.user_id === null ? undefined : await commands.load(userAggregate, claim.state.user_id, true);
    const state = user?.state.status === 'registered' ? user.state : undefined;
    const { email: sealedEmail, password_hash } = state?.personal.fields ?? {};
    const opened =
      state === undefined
        ? undefined
        : await personalData.open({
            subject: state.personal.subject,
            fields: { email: sealedEmail, password_hash },
          });
    const right = await verifyPassword(opened?.password_hash, password);
    if (!right || state === undefined) return undefined;
    return { userId: state.user_id, roles: state.roles, email: opened?.email };
  };

  router.post('/auth/login', async (req, res) => {
    const body = loginRequest.parse(req.body);
    const user = await authenticate(body.email, body.password);
    if (user === undefined) throw credentialsWrong();
    const now = clock();
    const commandId = newId();
    const sessionId = deriveId(commandId, 'session');
    const started = await commands.handle(
      sessionAggregate,
      sessionId,
      {
        type: 'StartSession',
        data: { session_id: sessionId, user_id: user.userId, method: 'password' },
        metadata: { now: now.toISOString() },
      },
      { commandId, correlationId: commandId, userId: user.userId, creates: true },
    );
    const access_token = await signer.sign({ ...user, sessionId }, now);
    log.info('logged in', { requestId: String(res.locals['requestId']), userId: user.userId });
    res.setHeader('X-Consistency-Token', String(started.position));
    res.setHeader('Cache-Control', 'no-store');
    answer(res, 200, {
      access_token,
      token_type: 'Bearer',
      expires_in: signer.lifetimeSeconds,
      user_id: user.userId,
      roles: user.roles,
    });
  });

  router.get('/auth/jwks.json', (_req, res) => {
    res.setHeader('Cache-Control', 'public, max-age=300');
    res.json(signer.jwks);
  });

  router.get('/users/profile', async (_req, res) => {
    const { userId } = principalOf(res);
    const { state } = await commands.load(userAggregate, userId, true);
    const gone = () => new DomainError('user-not-found', 'There is no such user.');
    if (state.status !== 'registered') throw gone();
    const { email: address, name, phone } = state.personal.fields;
    const opened = await personalData.open({
      subject: state.personal.subject,
      fields: { email: address, name, phone },
    });
    if (opened === undefined && address !== undefined) throw gone();
    res.setHeader('Cache-Control', 'no-store');
    answer(res, 200, {
      user_id: userId,
      roles: state.roles,
      email: opened?.email ?? null,
      name: opened?.name ?? null,
      phone: opened?.phone ?? null,
    });
  });

  return router;
}
