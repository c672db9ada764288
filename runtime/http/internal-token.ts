import { jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';

/** Who stands behind a request, as the gateway found out. */
export interface Principal {
  readonly userId: string;
  readonly roles: readonly string[];
  readonly sessionId?: string;
}

/** A caller without a log-in is `anonymous`: the token then only says that the request came through the gateway. */
export type Caller = Principal | 'anonymous';

const issuer = 'shopledger-gateway';
const lifetimeSeconds = 60;
const renewedAfterMs = 30_000;

function keyOf(secret: string): Uint8Array {
  return Buffer.from(secret, 'hex');
}

/**
 * Signs short-lived tokens with which the gateway vouches for a caller towards the services. One is kept per caller for
 * half its life, because signing costs more than the rest of a proxied request.
 *
 * @param secret 32 bytes in hexadecimal, shared by the gateway and the services
 */
export function internalTokenSigner(secret: string): (caller: Caller) => Promise<string> {
  const key = keyOf(secret);
  const kept = new LRUCache<string, Promise<string>>({ max: 10_000, ttl: renewedAfterMs });
  return (caller) => {
    const anonymous = caller === 'anonymous';
    const id = anonymous ? caller : `${caller.userId} ${caller.sessionId ?? ''} ${caller.roles.join(',')}`;
    const known = kept.get(id);
    if (known !== undefined) return known;
    const claims = anonymous ? {} : { roles: caller.roles, ...(caller.sessionId ? { sid: caller.sessionId } : {}) };
    const token = new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'internal+jwt' })
      .setIssuer(issuer)
      .setSubject(anonymous ? 'anonymous' : caller.userId)
      .setIssuedAt()
      .setExpirationTime(`${lifetimeSeconds}s`)
      .sign(key);
    kept.set(id, token);
    token.catch(() => kept.delete(id));
    return token;
  };
}

/**
 * Verifies what {@link internalTokenSigner} signed.
 *
 * @returns the caller, or undefined where the token is missing, forged or expired
 */
export function internalTokenVerifier(secret: string): (token: string | undefined) => Promise<Caller | undefined> {
  const key = keyOf(secret);
  const kept = new LRUCache<string, Caller>({ max: 10_000 });
  return async (token) => {
    if (token === undefined) return undefined;
    const known = kept.get(token);
    if (known !== undefined) return known;
    try {
      const { payload } = await jwtVerify(token, key, { algorithms: ['HS256'], typ: 'internal+jwt', issuer });
      if (payload.sub === undefined || payload.exp === undefined) return undefined;
      const roles = Array.isArray(payload['roles']) ? payload['roles'].map(String) : [];
      const sid = payload['sid'];
      const caller: Caller =
        payload.sub === 'anonymous'
          ? 'anonymous'
          : { userId: payload.sub, roles, ...(typeof sid === 'string' ? { sessionId: sid } : {}) };
      kept.set(token, caller, { ttl: Math.max(1, payload.exp * 1000 - Date.now()) });
      return caller;
    } catch {
      return undefined;
    }
  };
}
