import { type CryptoKey, importJWK, type JWK } from 'jose';
import { z } from 'zod';
import { unavailable } from '../runtime/http/http-error.js';
import type { Logger } from '../runtime/logger.js';

export interface TokenKey {
  readonly alg: string;
  readonly key: CryptoKey;
}

export interface TokenKeys {
  /** @throws HttpError 503 while no key set could be fetched at all */
  find(kid: string): Promise<TokenKey | undefined>;
  /** Whether the newest key set that was fetched has the key. */
  has(kid: string): boolean;
}

export interface TokenKeysOptions {
  /** Asks for the JWKS; rejects where it cannot be had. */
  readonly fetchJwks: () => Promise<unknown>;
  readonly algorithms: readonly string[];
  readonly log: Logger;
  /** Least time between two fetches that unknown key ids bring about. */
  readonly cooldownMs?: number;
  /** Least time between two fetches while none succeeds. */
  readonly retryMs?: number;
  /** After this a key set is fetched anew, while the old one goes on serving. */
  readonly maxAgeMs?: number;
  readonly now?: () => number;
}

const keySet = z.object({
  keys: z.array(z.looseObject({ kid: z.string(), kty: z.enum(['EC', 'OKP']), alg: z.string() })),
});

/** The public keys of access tokens, fetched when first needed: the gateway starts before whoever publishes them. */
export function createTokenKeys(options: TokenKeysOptions): TokenKeys {
  const {
    fetchJwks,
    algorithms,
    log,
    cooldownMs = 10_000,
    retryMs = 1_000,
    maxAgeMs = 300_000,
    now = Date.now,
  } = options;
  let keys: ReadonlyMap<string, TokenKey> | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let underWay: Promise<void> | undefined;

  const fetchKeys = async () => {
    const usable = keySet.parse(await fetchJwks()).keys.filter(({ alg }) => algorithms.includes(alg));
    const imported = usable.map(async (jwk) => {
      const key = (await importJWK(jwk as JWK, jwk.alg)) as CryptoKey;
      return [jwk.kid, { alg: jwk.alg, key }] as const;
    });
    keys = new Map(await Promise.all(imported));
    fetchedAt = now();
  };

  const refresh = (): Promise<void> => {
    if (underWay !== undefined) return underWay;
    if (now() - triedAt < (keys === undefined ? retryMs : cooldownMs)) return Promise.resolve();
    triedAt = now();
    underWay = fetchKeys()
      .catch((err: unknown) => log.warn('token keys could not be fetched', { err }))
      .finally(() => {
        underWay = undefined;
      });
    return underWay;
  };

  return {
    async find(kid) {
      const known = keys?.get(kid);
      if (known !== undefined) {
        if (now() - fetchedAt > maxAgeMs) void refresh();
        return known;
      }
      await refresh();
      if (keys === undefined) throw unavailable('Tokens cannot be checked at the moment. Try again.');
      return keys.get(kid);
    },
    has: (kid) => keys?.has(kid) === true,
  };
}
