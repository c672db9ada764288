import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { calculateJwkThumbprint, type JSONWebKeySet, SignJWT } from 'jose';
import type { Role } from '../../domain/user/user-events.js';

export interface AccessClaims {
  readonly userId: string;
  readonly sessionId: string;
  readonly roles: readonly Role[];
  readonly email?: string | undefined;
}

export interface TokenSigner {
  /** Signs an access token that counts from `now` for {@link lifetimeSeconds}. */
  sign(claims: AccessClaims, now: Date): Promise<string>;
  /** The public keys with which tokens of this signer are verified. */
  readonly jwks: JSONWebKeySet;
  readonly kid: string;
  readonly lifetimeSeconds: number;
}

export interface TokenSignerOptions {
  readonly issuer?: string;
  readonly audience?: string;
  readonly lifetimeSeconds?: number;
}

function algorithmOf(key: KeyObject): 'ES256' | 'EdDSA' {
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA';
  if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return 'ES256';
  throw new Error('the token key must be an EC P-256 or an Ed25519 key');
}

function parsePem(pem: string): KeyObject {
  try {
    return createPrivateKey({ key: pem, format: 'pem' });
  } catch (cause) {
    throw new Error('the token key is no private key in PEM form', { cause });
  }
}

/**
 * Signs access tokens with a private key; its id is the thumbprint (RFC 7638) of the public key.
 *
 * @param pem PKCS#8, EC P-256 (ES256) or Ed25519 (EdDSA)
 * @throws Error a sentence, where the key is of another kind
 */
export async function createTokenSigner(pem: string, options: TokenSignerOptions = {}): Promise<TokenSigner> {
  const { issuer = 'shopledger', audience = 'shopledger', lifetimeSeconds = 900 } = options;
  const key = parsePem(pem);
  const alg = algorithmOf(key);
  const jwk = createPublicKey(key).export({ format: 'jwk' });
  const kid = await calculateJwkThumbprint(jwk);
  return {
    kid,
    lifetimeSeconds,
    jwks: { keys: [{ ...jwk, kid, alg, use: 'sig' }] },
    sign({ userId, sessionId, roles, email }, now) {
      const issuedAt = Math.floor(now.getTime() / 1000);
      return new SignJWT({ sid: sessionId, roles, role: roles[0], ...(email === undefined ? {} : { email }) })
        .setProtectedHeader({ alg, kid, typ: 'at+jwt' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(userId)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + lifetimeSeconds)
        .sign(key);
    },
  };
}

/** As {@link createTokenSigner}, from a file. @throws Error a sentence, where the file cannot be read or used */
export async function loadTokenSigner(file: string, options?: TokenSignerOptions): Promise<TokenSigner> {
  const pem = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Error(`the token key ${file} cannot be read`, { cause });
  });
  return createTokenSigner(pem, options);
}
