import express, { type Express, type NextFunction, type Request, type Response, type Router } from 'express';
import { newId } from '../ids.js';
import type { Logger } from '../logger.js';
import { HttpError, notFound, toHttpError, unauthenticated } from './http-error.js';
import { type Caller, internalTokenVerifier, type Principal } from './internal-token.js';

/** The one shape of every JSON answer. */
export interface Envelope {
  success: boolean;
  data?: unknown;
  message?: string;
  error?: string;
  code?: string;
  details?: unknown;
  statusCode: number;
  timestamp: string;
  requestId: string;
}

const requestIdForm = /^[A-Za-z0-9_.:-]{1,128}$/;

/** The request's id: the caller's where it is well formed, else a fresh one. */
export function requestIdOf(req: Request): string {
  const sent = req.get('x-request-id');
  return sent !== undefined && requestIdForm.test(sent) ? sent : newId();
}

/** Answers with data in the envelope. */
export function answer(res: Response, status: number, data: unknown): void {
  const body: Envelope = {
    success: true,
    data,
    statusCode: status,
    timestamp: new Date().toISOString(),
    requestId: String(res.locals['requestId']),
  };
  res.status(status).json(body);
}

/** Answers with a fault in the envelope, or as RFC 9457 where the caller asks for it. */
export function answerError(req: Request, res: Response, error: HttpError): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  for (const [name, value] of Object.entries(error.headers)) res.setHeader(name, value);
  const requestId = String(res.locals['requestId']);
  res.status(error.status);
  if (req.accepts(['application/json', 'application/problem+json']) === 'application/problem+json') {
    const { code, message, details } = error;
    const problem = { type: 'about:blank', title: message, status: error.status, code, details, requestId };
    res.type('application/problem+json').send(JSON.stringify(problem));
    return;
  }
  const body: Envelope = {
    success: false,
    error: error.message,
    code: error.code,
    ...(error.details === undefined ? {} : { details: error.details }),
    statusCode: error.status,
    timestamp: new Date().toISOString(),
    requestId,
  };
  res.json(body);
}

/** The caller behind a request that came through the gateway. */
export function callerOf(res: Response): Caller {
  return (res.locals['caller'] as Caller | undefined) ?? 'anonymous';
}

/** The logged-in caller. @throws HttpError 401 */
export function principalOf(res: Response): Principal {
  const caller = callerOf(res);
  if (caller === 'anonymous') throw unauthenticated();
  return caller;
}

/** @throws HttpError 403 unless the caller has one of the roles, 401 where nobody is logged in */
export function requireRole(res: Response, ...roles: readonly string[]): Principal {
  const principal = principalOf(res);
  if (!roles.some((role) => principal.roles.includes(role))) {
    throw new HttpError(403, 'forbidden', 'This account may not do that.');
  }
  return principal;
}

/**
 * Whether something works. `degraded`: it does, but somebody should look after it. `not-ready`: as much to `/health`,
 * while `/readyz` fails.
 */
export type CheckResult = boolean | 'degraded' | 'not-ready';

export interface AppOptions {
  readonly service: string;
  readonly version?: string;
  readonly log: Logger;
  /** Shared with the gateway; without it the app takes requests from anybody (the gateway itself). */
  readonly internalSecret?: string;
  /** What `/health` reports: name -> whether it works. */
  readonly checks: Readonly<Record<string, () => Promise<CheckResult>>>;
  /** Fields that `/health` shows beside the checks; left out where it throws. */
  readonly report?: () => Promise<Readonly<Record<string, unknown>>>;
  /** Routes that a provider calls with a signature of its own over the raw body, mounted before the token is asked for. */
  readonly rawRoutes?: Router;
}

function isWellFormed(body: unknown): boolean {
  // A stack of our own: a body may be nested deeper than the call stack goes.
  const open = [body];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value === 'string' && !value.isWellFormed()) return false;
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, item] of Object.entries(value)) {
      if (!key.isWellFormed()) return false;
      if (typeof item === 'string' || typeof item === 'object') open.push(item);
    }
  }
  return true;
}

/** What a check came to. */
export type Checked = 'ok' | 'degraded' | 'failed';

/** What checks come to together: the worst of them. */
export function overallStatus(checks: Readonly<Record<string, Checked>>): 'healthy' | 'degraded' | 'unhealthy' {
  const all = new Set(Object.values(checks));
  return all.has('failed') ? 'unhealthy' : all.has('degraded') ? 'degraded' : 'healthy';
}

async function runChecks(checks: AppOptions['checks'], readiness: boolean): Promise<Record<string, Checked>> {
  const named = (result: CheckResult): Checked => {
    if (typeof result === 'boolean') return result ? 'ok' : 'failed';
    return readiness && result === 'not-ready' ? 'failed' : 'degraded';
  };
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, named(await check().catch(() => false))] as const),
  );
  return Object.fromEntries(results);
}

/**
 * An Express app as every service has it: request ids, health, the gateway's word on who calls, JSON up to 1 MB, the
 * envelope, and every fault as a status and a stable code.
 */
export function buildApp(options: AppOptions, mount: (app: Express) => void): Express {
  const { service, log, internalSecret, checks } = options;
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', 'simple');

  app.use((req, res, next) => {
    const started = performance.now();
    const requestId = requestIdOf(req);
    res.locals['requestId'] = requestId;
    res.setHeader('X-Request-ID', requestId);
    res.on('finish', () => {
      const caller = callerOf(res);
      log.debug(`${req.method} ${req.path} ${res.statusCode}`, {
        requestId,
        userId: caller === 'anonymous' ? undefined : caller.userId,
        duration: Math.round(performance.now() - started),
      });
    });
    next();
  });

  app.get(['/health', '/readyz'], async (req, res) => {
    const results = await runChecks(checks, req.path.startsWith('/readyz'));
    const status = overallStatus(results);
    res.status(status === 'unhealthy' ? 503 : 200).json({
      status,
      timestamp: new Date().toISOString(),
      service,
      version: options.version ?? '0.1.0',
      checks: results,
      ...(await options.report?.().catch(() => undefined)),
    });
  });
  app.get('/livez', (_req, res) => void res.json({ status: 'alive', service }));

  if (options.rawRoutes !== undefined) app.use(options.rawRoutes);

  if (internalSecret !== undefined) {
    const verify = internalTokenVerifier(internalSecret);
    app.use(async (req, res, next) => {
      const caller = await verify(req.get('x-internal-token'));
      if (caller === undefined) throw new HttpError(401, 'not-through-gateway', 'Requests come through the gateway.');
      res.locals['caller'] = caller;
      next();
    });
  }

  const parseJson = express.json({
    limit: 1_000_000,
    strict: true,
    inflate: false,
    verify: (_req, res, bytes, encoding) => {
      // The gateway reads UTF-8 alone: what it counts and what a service reads must be the same text.
      if (encoding !== 'utf-8') throw new HttpError(415, 'encoding-unsupported', 'Send JSON as UTF-8.');
      // Only an escape can bring in half of a surrogate pair; nothing that stores or hashes UTF-8 could keep it.
      (res as Response).locals['escaped'] = bytes.includes('\\ud') || bytes.includes('\\uD');
    },
  });
  app.use((req, res, next) => {
    const hasBody =
      req.headers['content-length'] !== undefined
        ? req.headers['content-length'] !== '0'
        : 'transfer-encoding' in req.headers;
    if (hasBody && req.is('application/json') === false) {
      throw new HttpError(415, 'media-type-unsupported', 'Send application/json.');
    }
    parseJson(req, res, next);
  });
  app.use((req, res, next) => {
    if (res.locals['escaped'] === true && !isWellFormed(req.body)) {
      throw new HttpError(422, 'text-malformed', 'A text in the request is not well-formed Unicode.');
    }
    next();
  });

  mount(app);

  app.use(() => {
    throw notFound('route');
  });
  app.use((error: unknown, req: Request, res: Response, _next: NextFunction) => {
    const fault = toHttpError(error);
    if (fault.status === 500) log.error('request failed', { requestId: String(res.locals['requestId']), err: error });
    answerError(req, res, fault);
  });
  return app;
}
