import { type Express, type Request, type RequestHandler, Router } from 'express';
import { buildApp } from '../runtime/http/app.js';
import { forbidden } from '../runtime/http/http-error.js';
import { internalTokenSigner } from '../runtime/http/internal-token.js';
import type { Logger } from '../runtime/logger.js';
import { authenticate, createTokenVerifier } from './auth.js';
import { requestHeaders } from './forwarded-headers.js';
import { answerHealth, createHealthCheck } from './health.js';
import { exchange, openUpstream } from './proxy.js';
import { answerAllowance, type RateLimiter, rateLimited } from './rate-limit.js';
import { clientAddress, limitOf, networkOf } from './rate-limit-key.js';
import { logInKey } from './rate-limit-log-in.js';
import { ClientGone, readBody } from './request-body.js';
import { parseTarget } from './request-target.js';
import { compileRoutes, type Route, routePrefix, routes, type UpstreamName } from './routes.js';
import { createTokenKeys, type TokenKeysOptions } from './token-keys.js';

export interface GatewayDeps {
  /** Base URL of every service that routes lead to. */
  readonly upstreams: Readonly<Record<UpstreamName, string>>;
  /** Base URL of every service whose health counts; the upstreams unless told otherwise. */
  readonly healthOf?: Readonly<Record<string, string>>;
  /** 32 bytes in hexadecimal, shared with the services. */
  readonly internalSecret: string;
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly string[];
  readonly limiter: RateLimiter;
  /** How many proxies of ours stand between the clients and this gateway. */
  readonly trustedProxies: number;
  readonly log: Logger;
  readonly clock?: () => Date;
  /** Tests use tables of their own. */
  readonly routes?: readonly Route[];
  readonly tokenKeys?: Pick<TokenKeysOptions, 'cooldownMs' | 'retryMs' | 'maxAgeMs'>;
}

export interface Gateway {
  readonly app: Express;
  close(): Promise<void>;
}

const version = '0.1.0';
const jwksLimitMs = 3_000;

/** The single entry: finds the route, finds out who calls, and passes the request on. Does not listen. */
export function buildGateway(deps: GatewayDeps): Gateway {
  const { log, issuer, audience, algorithms, internalSecret, clock, limiter, trustedProxies } = deps;
  const upstreams = {
    'command-api': openUpstream('command-api', deps.upstreams['command-api']),
    'read-api': openUpstream('read-api', deps.upstreams['read-api']),
  };
  const sign = internalTokenSigner(internalSecret);
  const routeOf = compileRoutes(deps.routes ?? routes);
  const health = createHealthCheck({ services: deps.healthOf ?? deps.upstreams });

  const fetchJwks = async (): Promise<unknown> => {
    const { statusCode, body } = await upstreams['command-api'].pool.request({
      method: 'GET',
      path: '/auth/jwks.json',
      headers: { 'x-internal-token': await sign('anonymous'), 'x-source-service': 'gateway' },
      signal: AbortSignal.timeout(jwksLimitMs),
    });
    if (statusCode === 200) return body.json();
    await body.dump();
    throw new Error(`the key set was answered with ${statusCode}`);
  };
  const keys = createTokenKeys({ ...deps.tokenKeys, fetchJwks, algorithms, log });
  const verify = createTokenVerifier({ keys, issuer, audience, ...(clock === undefined ? {} : { clock }) });

  const routed = async (req: Request, address: string) => {
    try {
      const { path, query } = parseTarget(req.url);
      const route = routeOf(req.method, path);
      return { path, query, route, caller: await authenticate(verify, req.headers.authorization, route.auth) };
    } catch (error) {
      // What leads nowhere counts too: guessed addresses, guessed tokens.
      const allowance = await limiter.take('default', networkOf(address));
      throw allowance?.allowed === false ? rateLimited(allowance) : error;
    }
  };

  const handle: RequestHandler = async (req, res) => {
    const address = clientAddress(req.socket.remoteAddress, req.get('x-forwarded-for'), trustedProxies);
    const { path, query, route, caller } = await routed(req, address);
    res.locals['caller'] = caller;
    const counted = limitOf(route, caller, address);
    if (counted !== undefined) answerAllowance(res, await limiter.take(counted.limit, counted.key));
    if (route.roles !== undefined) {
      const { roles } = route;
      if (caller === 'anonymous' || !caller.roles.some((role) => roles.includes(role))) throw forbidden();
    }
    if (route.service === 'gateway') {
      answerHealth(res, await health(), version);
      return;
    }
    const upstream = upstreams[route.service];
    const isRead = route.method === 'GET';
    try {
      const body = isRead ? undefined : await readBody(req);
      const attempt = route.attempts === undefined ? undefined : logInKey(internalSecret, body, address);
      if (route.attempts !== undefined && attempt !== undefined) {
        answerAllowance(res, await limiter.take(route.attempts, attempt));
      }
      const headers = requestHeaders(req.headers, {
        requestId: String(res.locals['requestId']),
        service: route.service,
        caller,
        internalToken: await sign(caller),
        peer: address,
      });
      if (isRead) delete headers['content-type'];
      const target = path.slice(routePrefix.length) + query;
      const { method } = req;
      await exchange(upstream, log, { req, res, method, path: target, headers, body, timeoutMs: route.timeoutMs });
      if (route.attempts !== undefined && attempt !== undefined && res.statusCode === 200) {
        await limiter.clear(route.attempts, attempt);
      }
    } catch (error) {
      if (!(error instanceof ClientGone)) throw error;
    }
  };

  const everything = Router();
  everything.use(handle);
  const app = buildApp({ service: 'gateway', version, log, checks: {}, rawRoutes: everything }, () => {});
  return {
    app,
    async close() {
      await Promise.all(Object.values(upstreams).map(({ pool }) => pool.close()));
    },
  };
}
