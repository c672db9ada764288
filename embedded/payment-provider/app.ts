import { createHash, timingSafeEqual } from 'node:crypto';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { z } from 'zod';
import type { Logger } from '../../runtime/logger.js';
import { type FormValue, parseForm, positiveInteger, validate } from './form.js';
import { cancelIntent, createIntent, readIntent } from './intents.js';
import type { Ledger } from './ledger.js';
import { pageHeaders, showLedgerPage } from './ledger-page.js';
import type { Operation, PaymentDeps } from './operation.js';
import type { Answer, Operations } from './operations.js';
import { createRefund, readRefund } from './refunds.js';
import { invalidRequest, StripeError } from './stripe-error.js';

export interface ProviderAppDeps extends PaymentDeps {
  operations: Operations;
  secretKey: string;
  log: Logger;
}

/** The connections of those who never get an answer; further ones are dropped, the oldest first. */
export type Silence = Set<express.Response>;
const longestSilence = 1_000;

type Params = Record<string, string>;

/**
 * The provider's HTTP API, which does not listen.
 *
 * @param silence gets the connections that are never answered
 */
export function buildProviderApp(deps: ProviderAppDeps, silence: Silence): Express {
  const { ledger, newId } = deps;
  const { execute } = deps.operations;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);

  const changes =
    (prepare: (params: Params, form: Record<string, FormValue>) => Operation): RequestHandler<Params> =>
    async (req, res) => {
      const answer = await execute(
        {
          path: req.path,
          text: typeof req.body === 'string' ? req.body : '',
          cause: { requestId: String(res.getHeader('request-id')), idempotencyKey: req.get('idempotency-key') ?? null },
        },
        (form) => prepare(req.params, form),
      );
      if (answer.manner === 'never') return keepSilent(res, silence);
      if (answer.manner === 'lost') return breakOff(res, answer);
      send(res, answer);
    };
  const reads =
    (read: (params: Params, form: Record<string, FormValue>) => unknown): RequestHandler<Params> =>
    (req, res) => {
      const query = req.originalUrl.split('?')[1] ?? '';
      send(res, { status: 200, body: JSON.stringify(read(req.params, parseForm(query))), replayed: false });
    };

  app.use((_req, res, next) => {
    res.setHeader('request-id', newId('req'));
    next();
  });
  app.use(authenticate(deps.secretKey));
  app.use(express.text({ type: () => true, limit: '64kb' }));
  app.post(
    '/v1/payment_intents',
    changes((_, form) => createIntent(form, deps)),
  );
  app.get(
    '/v1/payment_intents/:id',
    reads(({ id = '' }, form) => readIntent(id, form, ledger)),
  );
  app.post(
    '/v1/payment_intents/:id/cancel',
    changes(({ id = '' }, form) => cancelIntent(id, form, deps)),
  );
  app.post(
    '/v1/refunds',
    changes((_, form) => createRefund(form, deps)),
  );
  app.get(
    '/v1/refunds/:id',
    reads(({ id = '' }, form) => readRefund(id, form, ledger)),
  );
  app.get(
    '/ledger',
    reads((_, form) => movementsPage(form, ledger)),
  );
  app.get(['/', '/ledger.html'], (req, res) => {
    const { refresh } = validate(showParams, parseForm(req.originalUrl.split('?')[1] ?? ''));
    for (const [name, value] of Object.entries(pageHeaders)) res.setHeader(name, value);
    res.end(showLedgerPage(ledger, deps.clock(), refresh));
  });
  app.use((req) => {
    throw invalidRequest(`Unrecognized request URL (${req.method}: ${req.path}).`, undefined, undefined, 404);
  });
  app.use(answerError(deps.log));
  return app;
}

const pageParams = z.strictObject({
  after: z
    .string()
    .regex(/^\d{1,15}$/, 'parameter_invalid_integer')
    .transform(Number)
    .default(0),
  limit: positiveInteger.refine((limit) => limit <= 1000, 'at most 1000').default(100),
});

const showParams = z.strictObject({
  refresh: positiveInteger.refine((seconds) => seconds <= 3600, 'at most 3600').optional(),
});

/** Money that moved, for audits: a page of movements in the order they were stored, and the totals of all. */
function movementsPage(form: Record<string, FormValue>, ledger: Ledger) {
  const { after, limit } = validate(pageParams, form);
  const found = ledger.movements(after, limit + 1);
  const page = found.slice(0, limit);
  const pick = (wanted: 'capture' | 'refund') =>
    page.flatMap(({ seq, movement: { kind, ...rest } }) => (kind === wanted ? [{ seq, ...rest }] : []));
  return {
    captures: pick('capture'),
    refunds: pick('refund'),
    totals: ledger.totals(),
    has_more: found.length > limit,
    next_after: page.at(-1)?.seq ?? after,
  };
}

function authenticate(secretKey: string): RequestHandler {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const wanted = digest(secretKey);
  return (req, res, next) => {
    // So that a browser asks for it.
    res.setHeader('www-authenticate', 'Basic realm="sandbox payment provider: the secret key is the user name"');
    const given = credential(req.get('authorization') ?? '');
    if (given === undefined) throw invalidRequest('No API key was provided.', undefined, undefined, 401);
    if (!timingSafeEqual(digest(given), wanted)) {
      throw invalidRequest('The API key is not valid.', undefined, undefined, 401);
    }
    res.removeHeader('www-authenticate');
    next();
  };
}

/** The key as a bearer token, or as the user name of basic authentication. */
function credential(header: string): string | undefined {
  const [, scheme = '', value = ''] = /^(\w+) +(\S+)$/.exec(header) ?? [];
  if (scheme.toLowerCase() === 'bearer') return value;
  if (scheme.toLowerCase() === 'basic') return Buffer.from(value, 'base64').toString('utf8').split(':')[0];
  return undefined;
}

function answerError(log: Logger): ErrorRequestHandler {
  return (err: unknown, req, res, _next) => {
    const known = err instanceof StripeError ? err : fromBodyParser(err);
    if (known === undefined) log.error('request failed', { err, method: req.method, path: req.path });
    const { status, body } = known ?? new StripeError(500, { type: 'api_error', message: 'The request failed here.' });
    send(res, { status, body: JSON.stringify({ error: body }), replayed: false });
  };
}

/** Express and its body parser mark the caller's mistakes with a status. */
function fromBodyParser(err: unknown): StripeError | undefined {
  const status = err instanceof Error && 'status' in err ? Number(err.status) : 500;
  return status >= 400 && status < 500
    ? invalidRequest('The request could not be read.', undefined, undefined, status)
    : undefined;
}

/** Within the answer, because the official client repeats a request by itself when its connection closes before it. */
function breakOff(res: express.Response, { status, body }: Answer): void {
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  res.write(body.slice(0, body.length / 2), () => res.destroy());
}

function keepSilent(res: express.Response, silence: Silence): void {
  silence.add(res);
  res.on('close', () => silence.delete(res));
  const [oldest] = silence;
  if (silence.size > longestSilence) oldest?.destroy();
}

function send(res: express.Response, answer: Answer): void {
  res.statusCode = answer.status;
  res.setHeader('content-type', 'application/json');
  if (answer.replayed) res.setHeader('idempotent-replayed', 'true');
  res.end(answer.body);
}
