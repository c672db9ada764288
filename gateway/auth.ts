import { createHash } from 'node:crypto';
import { errors, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { HttpError } from '../runtime/http/http-error.js';
import type { Principal } from '../runtime/http/internal-token.js';
import type { TokenKeys } from './token-keys.js';

/** Whom an access token speaks for. */
export interface VerifiedCaller extends Principal {
  readonly email?: string;
}

export interface TokenVerifierOptions {
  readonly keys: TokenKeys;
  readonly issuer: string;
  readonly audience: string;
  readonly clock?: () => Date;
  readonly cachedTokens?: number;
}

const maxTokenLength = 8_192;
const clockToleranceSeconds = 5;
const tokenForm = /^([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** Nothing that would point at a key (`jku`, `jwk`, `x5u`, `x5c`) or ask for more understanding (`crit`, `b64`). */
const tokenHeader = z.strictObject({
  alg: z.string(),
  typ: z.literal('at+jwt'),
  kid: z.string().regex(/^[A-Za-z0-9_-]{1,100}$/),
});

const tokenClaims = z.object({
  sub: z.uuid(),
  iat: z.number(),
  exp: z.number(),
  sid: z.uuid().optional(),
  roles: z.array(z.string().regex(/^[a-z_]{1,40}$/)).max(20),
  email: z.string().max(320).optional(),
});

const challenge = (error = '') => ({ 'WWW-Authenticate': `Bearer realm="shopledger"${error}` });
const faulty = challenge(', error="invalid_token"');

const missing = () => new HttpError(401, 'unauthenticated', 'Log in first.', undefined, challenge());
const invalid = () => new HttpError(401, 'token-invalid', 'The access token is not valid.', undefined, faulty);
const expired = () => new HttpError(401, 'token-expired', 'The access token has expired.', undefined, faulty);

function parseHeader(encoded: string): z.output<typeof tokenHeader> {
  try {
    return tokenHeader.parse(JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8')));
  } catch {
    throw invalid();
  }
}

/**
 * Verifies access tokens; one that was found good is remembered by its hash until it expires or its key is withdrawn.
 *
 * @returns a function that throws HttpError 401 `token-invalid` or `token-expired`, 503 while there are no keys
 */
export function createTokenVerifier(options: TokenVerifierOptions): (token: string) => Promise<VerifiedCaller> {
  const { keys, issuer, audience, clock = () => new Date(), cachedTokens = 10_000 } = options;
  const verified = new LRUCache<string, { caller: VerifiedCaller; kid: string; expiresAt: number }>({
    max: cachedTokens,
  });

  const verify = async (token: string, encodedHeader: string) => {
    const { alg, kid } = parseHeader(encodedHeader);
    const known = await keys.find(kid);
    if (known === undefined || known.alg !== alg) throw invalid();
    const now = clock();
    try {
      const { payload } = await jwtVerify(token, known.key, {
        algorithms: [known.alg],
        issuer,
        audience,
        typ: 'at+jwt',
        requiredClaims: ['exp', 'iat', 'sub'],
        clockTolerance: clockToleranceSeconds,
        currentDate: now,
      });
      const { sub, sid, roles, email, iat, exp } = tokenClaims.parse(payload);
      if (iat > now.getTime() / 1000 + clockToleranceSeconds) throw invalid();
      const caller = { userId: sub, roles, ...(sid ? { sessionId: sid } : {}), ...(email ? { email } : {}) };
      return { caller, kid, expiresAt: (exp + clockToleranceSeconds) * 1000 };
    } catch (error) {
      throw error instanceof errors.JWTExpired ? expired() : invalid();
    }
  };

  return async (token) => {
    const form = token.length > maxTokenLength ? null : tokenForm.exec(token);
    if (form?.[1] === undefined) throw invalid();
    const digest = createHash('sha256').update(token).digest('base64');
    const known = verified.get(digest);
    if (known !== undefined && keys.has(known.kid)) {
      if (clock().getTime() < known.expiresAt) return known.caller;
      verified.delete(digest);
      throw expired();
    }
    const found = await verify(token, form[1]);
    verified.set(digest, found);
    return found.caller;
  };
}

/**
 * The caller that a request's `Authorization` header names, as a route wants to know it.
 *
 * @throws HttpError 401
 */
export async function authenticate(
  verify: (token: string) => Promise<VerifiedCaller>,
  authorization: string | undefined,
  auth: 'none' | 'optional' | 'required',
): Promise<VerifiedCaller | 'anonymous'> {
  if (auth === 'none') return 'anonymous';
  if (authorization === undefined) {
    if (auth === 'required') throw missing();
    return 'anonymous';
  }
  const token = /^bearer +(\S+)$/i.exec(authorization)?.[1];
  if (token === undefined) throw invalid();
  return verify(token);
}
