import { randomBytes, randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import express, { type Express, Router } from 'express';
import { type CryptoKey, exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose';
import { buildApp, callerOf } from '../runtime/http/app.js';
import { type Listening, listen } from '../runtime/http/listen.js';
import { silentLogger } from '../runtime/logger.js';
import { generousLimits } from '../test/support/generous-limits.js';
import { buildGateway, type Gateway, type GatewayDeps } from './app.js';
import { createRateLimiter } from './rate-limit.js';

// For tests alone: a gateway in front of two services that say what they were sent.

export interface Echo {
  readonly service: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly rawHeaders: readonly string[];
  readonly caller: unknown;
  readonly body?: unknown;
}

/** What a refusal says. */
export interface Fault {
  readonly code: string;
  readonly statusCode: number;
  readonly requestId: string;
}

export interface TestKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: Record<string, unknown>;
}

export async function newTestKey(alg: 'ES256' | 'EdDSA' = 'ES256', kid: string = randomUUID()): Promise<TestKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export const userId = '018f3c1a-0000-7000-8000-000000000001';

/** An access token as command-api issues it, with claims and header changed or, by undefined, left out. */
export function signToken(key: TestKey, claims: object = {}, header: object = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const standard = {
    iss: 'shopledger',
    aud: 'shopledger',
    sub: userId,
    sid: '018f3c1a-0000-7000-8000-000000000002',
    email: 'ada@example.org',
    roles: ['customer'],
    role: 'customer',
    iat: now,
    exp: now + 900,
  };
  const clean = (value: object) => Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined));
  const protectedHeader = clean({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header }) as JWTHeaderParameters;
  return new SignJWT(clean({ ...standard, ...claims })).setProtectedHeader(protectedHeader).sign(key.privateKey);
}

/** Sends text as it stands and collects what comes back until the other side closes. */
export function sendRaw(port: number, text: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.setTimeout(5_000, () => socket.destroy(new Error('the server said nothing more and did not close')));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
}

export interface Fixture {
  readonly gateway: Listening;
  readonly services: Readonly<Record<'command-api' | 'read-api', Listening>>;
  readonly internalSecret: string;
  /** What the key set route publishes now. */
  readonly published: TestKey[];
  /** How often the key set was asked for. */
  keySetFetches(): number;
  /** Every request that reached a service, key sets left out. */
  readonly reached: Echo[];
  close(): Promise<void>;
}

export interface FixtureOptions {
  readonly keys: readonly TestKey[];
  readonly gateway?: Partial<GatewayDeps>;
  /** More routes of both services, before the echo. */
  readonly mount?: (app: Express) => void;
}

export async function startFixture(options: FixtureOptions): Promise<Fixture> {
  const internalSecret = randomBytes(32).toString('hex');
  const published = [...options.keys];
  const reached: Echo[] = [];
  let fetches = 0;

  const startService = (service: 'command-api' | 'read-api') => {
    const echo: express.RequestHandler = (req, res) => {
      const said: Echo = {
        service,
        method: req.method,
        url: req.originalUrl,
        headers: req.headers as Record<string, string>,
        rawHeaders: req.rawHeaders,
        caller: callerOf(res),
        body: Buffer.isBuffer(req.body) ? req.body.toString('base64') : req.body,
      };
      reached.push(said);
      res.json(said);
    };
    const rawRoutes = Router();
    rawRoutes.post('/payments/webhooks/stripe', express.raw({ type: () => true, limit: 1_000_000 }), echo);
    const app = buildApp({ service, log: silentLogger, internalSecret, checks: {}, rawRoutes }, (mounted) => {
      mounted.get('/auth/jwks.json', (_req, res) => {
        fetches += 1;
        res.json({ keys: published.map(({ jwk }) => jwk) });
      });
      options.mount?.(mounted);
      mounted.use(echo);
    });
    return listen(app, 0);
  };

  const services = { 'command-api': await startService('command-api'), 'read-api': await startService('read-api') };
  const gateway: Gateway = buildGateway({
    upstreams: { 'command-api': services['command-api'].url, 'read-api': services['read-api'].url },
    internalSecret,
    issuer: 'shopledger',
    audience: 'shopledger',
    algorithms: ['ES256', 'EdDSA'],
    limiter: createRateLimiter({ redis: undefined, table: generousLimits }),
    trustedProxies: 0,
    log: silentLogger,
    ...options.gateway,
  });
  const server = await listen(gateway.app, 0);
  return {
    gateway: server,
    services,
    internalSecret,
    published,
    keySetFetches: () => fetches,
    reached,
    async close() {
      await server.close();
      await gateway.close();
      await Promise.all(Object.values(services).map((service) => service.close()));
    },
  };
}
