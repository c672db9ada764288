import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { SignJWT } from 'jose';
import { z } from 'zod';
import { DomainError } from '../../domain/core/domain-error.js';
import { AppendTooLarge, LogUnavailable, OutcomeUnknown, Overloaded } from '../event-store/event-log.js';
import { type Logger, silentLogger } from '../logger.js';
import { PersonalDataError } from '../personal-data/personal-data-error.js';
import { answer, buildApp, callerOf, type Envelope, principalOf, requireRole } from './app.js';
import { HttpError } from './http-error.js';
import { internalTokenSigner } from './internal-token.js';
import { type Listening, listen } from './listen.js';

const secret = randomBytes(32).toString('hex');
const sign = internalTokenSigner(secret);
const caller = { userId: 'u1', roles: ['customer', 'seller'], sessionId: 's1' };

const faults: Record<string, [thrown: unknown, status: number, code: string]> = {
  malformed: [new DomainError('order-not-found', 'x'), 404, 'order-not-found'],
  conflict: [new DomainError('email-taken', 'x'), 409, 'email-taken'],
  invalid: [new DomainError('cart-empty', 'x'), 422, 'cart-empty'],
  ended: [new DomainError('session-ended', 'x'), 401, 'session-ended'],
  http: [new HttpError(418, 'teapot', 'x'), 418, 'teapot'],
  unavailable: [new LogUnavailable('x'), 503, 'unavailable'],
  unknown: [new OutcomeUnknown('x'), 503, 'unavailable'],
  overloaded: [new Overloaded('x'), 503, 'overloaded'],
  large: [new AppendTooLarge('x'), 413, 'command-too-large'],
  keys: [new PersonalDataError('data-keys-unavailable', 'x'), 503, 'unavailable'],
  erased: [new PersonalDataError('subject-erased', 'x'), 409, 'subject-erased'],
  tampered: [new PersonalDataError('sealed-value-unreadable', 'x'), 500, 'internal'],
  bug: [new TypeError('secret detail of /some/path'), 500, 'internal'],
  text: ['secret detail', 500, 'internal'],
};

describe('a service', () => {
  let server: Listening;
  let healthy = true;
  const logged: string[] = [];
  const log: Logger = { ...silentLogger, error: (message, fields) => logged.push(`${message} ${String(fields?.err)}`) };

  before(async () => {
    const checks = {
      log: () => Promise.resolve(true),
      store: () => (healthy ? Promise.resolve(true) : Promise.reject(new Error('down'))),
    };
    const app = buildApp({ service: 'test', log, internalSecret: secret, checks }, (mounted) => {
      mounted.post('/echo', (req, res) => answer(res, 200, { body: req.body ?? null }));
      mounted.get('/caller', (_req, res) => answer(res, 200, callerOf(res)));
      mounted.get('/principal', (_req, res) => answer(res, 200, principalOf(res)));
      mounted.get('/sellers', (_req, res) => answer(res, 200, requireRole(res, 'seller', 'admin')));
      mounted.get('/admins', (_req, res) => answer(res, 200, requireRole(res, 'admin')));
      mounted.get('/things/:id', (req, res) => answer(res, 200, req.params));
      mounted.get('/query', (req, res) => answer(res, 200, req.query));
      mounted.post('/parse', (req, res) =>
        answer(res, 200, z.strictObject({ a: z.object({ b: z.number() }) }).parse(req.body)),
      );
      mounted.get('/faults/:name', (req) => {
        throw faults[String(req.params['name'])]?.[0];
      });
      mounted.get('/half', (_req, res) => {
        res.write('half');
        throw new Error('in the middle');
      });
    });
    server = await listen(app, 0);
  });
  after(() => server.close());

  const ask = async (path: string, init: RequestInit = {}, who: Parameters<typeof sign>[0] = caller) => {
    const headers = { 'x-internal-token': await sign(who), ...(init.headers as Record<string, string>) };
    const response = await fetch(`${server.url}${path}`, { ...init, headers });
    const body = (await response.json()) as Envelope & { data: unknown };
    return { status: response.status, headers: response.headers, body };
  };
  const post = (
    path: string,
    body: string | Uint8Array,
    type = 'application/json',
    more: Record<string, string> = {},
  ) => ask(path, { method: 'POST', body, headers: { ...(type === '' ? {} : { 'content-type': type }), ...more } });

  it('answers in the envelope', async () => {
    const { status, body, headers } = await ask('/caller', { headers: { 'x-request-id': 'r-1' } });
    expect(status).to.equal(200);
    expect(body).to.have.all.keys('success', 'data', 'statusCode', 'timestamp', 'requestId');
    expect(body).to.include({ success: true, statusCode: 200, requestId: 'r-1' });
    expect(headers.get('x-request-id')).to.equal('r-1');
    expect(headers.get('x-powered-by')).to.equal(null);
    expect(headers.get('content-type')).to.match(/^application\/json/);
  });

  it('knows the caller whom the gateway vouches for', async () => {
    expect((await ask('/caller')).body.data).to.deep.equal(caller);
    expect((await ask('/caller', {}, 'anonymous')).body.data).to.equal('anonymous');
    expect((await ask('/principal', {}, 'anonymous')).body).to.include({ code: 'unauthenticated', statusCode: 401 });
    expect((await ask('/sellers')).status).to.equal(200);
    expect((await ask('/admins')).body).to.include({ code: 'forbidden', statusCode: 403 });
    expect((await ask('/admins', {}, 'anonymous')).status).to.equal(401);
  });

  describe('reached without the gateway', () => {
    const key = Buffer.from(secret, 'hex');
    const token = (
      claims: object,
      {
        alg = 'HS256',
        typ = 'internal+jwt',
        with: by = key as Uint8Array,
        at = Date.now(),
        issuer = 'shopledger-gateway',
      } = {},
    ) =>
      new SignJWT({ roles: ['admin'], ...claims })
        .setProtectedHeader({ alg, typ })
        .setIssuer(issuer)
        .setSubject('u1')
        .setIssuedAt(Math.floor(at / 1000))
        .setExpirationTime(Math.floor(at / 1000) + 60)
        .sign(by);
    const statusOf = async (headers: Record<string, string>) => {
      const response = await fetch(`${server.url}/caller`, { headers });
      return `${response.status} ${((await response.json()) as Envelope).code}`;
    };
    const refusal = '401 not-through-gateway';

    it('would take a token that is as the gateway makes them', async () => {
      expect(await statusOf({ 'x-internal-token': await token({}) })).to.equal('200 undefined');
    });

    it('refuses who has no token, whatever else they say', async () => {
      expect(await statusOf({})).to.equal(refusal);
      expect(await statusOf({ 'x-user-id': 'u1', 'x-user-roles': 'admin', authorization: 'Bearer x' })).to.equal(
        refusal,
      );
      expect(await statusOf({ 'x-internal-token': '' })).to.equal(refusal);
    });

    it('refuses forged, foreign and expired tokens', async () => {
      const none = `${Buffer.from('{"alg":"none","typ":"internal+jwt"}').toString('base64url')}.${(await token({})).split('.')[1]}.`;
      const forged = [
        none,
        `${await token({})}x`,
        'x',
        await token({}, { with: randomBytes(32) }),
        await token({}, { alg: 'HS512', with: Buffer.concat([key, key]) }),
        await token({}, { typ: 'at+jwt' }),
        await token({}, { issuer: 'shopledger' }),
        await token({}, { at: Date.now() - 61_000 }),
      ];
      for (const one of forged) expect(await statusOf({ 'x-internal-token': one }), one).to.equal(refusal);
    });

    it('refuses routes that do not exist alike', async () => {
      const response = await fetch(`${server.url}/nothing`);
      expect(response.status).to.equal(401);
      await response.body?.cancel();
    });

    it('still says how it is', async () => {
      const statuses = async () =>
        Promise.all(
          ['/health', '/health/', '/readyz', '/livez'].map(
            async (path) => (await fetch(`${server.url}${path}`)).status,
          ),
        );
      expect(await statuses()).to.deep.equal([200, 200, 200, 200]);
      healthy = false;
      try {
        expect(await statuses()).to.deep.equal([503, 503, 503, 200]);
        const body = (await (await fetch(`${server.url}/health`)).json()) as Record<string, unknown>;
        expect(body).to.include({ status: 'unhealthy', service: 'test' });
        expect(body['checks']).to.deep.equal({ log: 'ok', store: 'failed' });
      } finally {
        healthy = true;
      }
    });
  });

  describe('sent a body', () => {
    it('reads JSON', async () => {
      expect((await post('/echo', '{"a":1}')).body.data).to.deep.equal({ body: { a: 1 } });
      expect((await post('/echo', '[]', 'application/json; charset=utf-8')).body.data).to.deep.equal({ body: [] });
      expect((await ask('/echo', { method: 'POST' })).body.data).to.deep.equal({ body: null });
    });

    it('refuses what is none: 400', async () => {
      for (const body of ['{', '{"a":}', 'text', '1', '"text"', 'null', "{'a':1}"]) {
        expect((await post('/echo', body)).body, body).to.include({ code: 'malformed-json', statusCode: 400 });
      }
    });

    it('refuses other types: 415', async () => {
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'application/xml',
        'multipart/form-data',
        '',
      ]) {
        expect((await post('/echo', Buffer.from('{}'), type)).body, type).to.include({
          code: 'media-type-unsupported',
          statusCode: 415,
        });
      }
      for (const charset of ['latin1', 'utf-16', 'utf-16le', 'utf-32', 'utf-7']) {
        const body = charset === 'utf-16le' ? Buffer.from('{}', 'utf16le') : '{}';
        const { body: refused } = await post('/echo', body, `application/json; charset=${charset}`);
        expect(refused, charset).to.include({ code: 'encoding-unsupported', statusCode: 415 });
      }
    });

    it('refuses more than a megabyte: 413, and what is packed: 415', async () => {
      const large = JSON.stringify({ a: 'x'.repeat(1_000_000) });
      expect((await post('/echo', large)).body).to.include({ code: 'body-too-large', statusCode: 413 });
      for (const bytes of [gzipSync(large), gzipSync('{}'), Buffer.from('no gzip')]) {
        const packed = await post('/echo', bytes, 'application/json', { 'content-encoding': 'gzip' });
        expect(packed.body).to.include({ code: 'encoding-unsupported', statusCode: 415 });
      }
    });

    it('refuses half a surrogate pair: 422, however deep the body is nested', async () => {
      const deep = `${'['.repeat(100_000)}"\\ud83d\\ude00"${']'.repeat(100_000)}`;
      expect((await post('/parse', `{"a":${deep}}`)).body.code).to.equal('validation-failed');
      const half = deep.replace('\\ude00', '');
      expect((await post('/parse', `{"a":${half}}`)).body.code).to.equal('text-malformed');
    });

    it('answers a request of many faults with a few of them', async () => {
      const keys = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`unknown-${i}`, 1]));
      const { status, body } = await post('/parse', JSON.stringify(keys));
      expect(status).to.equal(422);
      expect(JSON.stringify(body).length).to.be.lessThan(10_000);
    });

    it('says where it does not fit, and not what was sent: 422', async () => {
      const { status, body } = await post('/parse', '{"a":{"b":"my secret"},"c":1}');
      expect([status, body.code]).to.deep.equal([422, 'validation-failed']);
      const details = body.details as { path: string; code: string }[];
      expect(details.map(({ path, code }) => [path, code])).to.deep.equal([
        ['a.b', 'invalid_type'],
        ['', 'unrecognized_keys'],
      ]);
      expect(JSON.stringify(body)).not.to.include('my secret');
    });

    it('takes no prototype from it', async () => {
      expect((await post('/parse', '{"__proto__":{"a":{"b":1}}}')).status).to.equal(422);
    });
  });

  it('reads a query as plain text', async () => {
    expect((await ask('/query?status[$ne]=1&a=1&a=2')).body.data).to.deep.equal({ 'status[$ne]': '1', a: ['1', '2'] });
  });

  it('answers 404 for what it does not have, 400 for an address that is none', async () => {
    expect((await ask('/nothing')).body).to.include({ success: false, code: 'not-found', statusCode: 404 });
    expect((await ask('/things/%zz')).body).to.include({ code: 'malformed-url', statusCode: 400 });
  });

  for (const [name, [thrown, status, code]] of Object.entries(faults)) {
    const what = thrown instanceof Error ? `${thrown.name} ${code}` : typeof thrown;
    it(`answers ${status} for ${what}, and says nothing more than it should`, async () => {
      const before = logged.length;
      const { body, headers } = await ask(`/faults/${name}`);
      expect(body).to.include({ success: false, statusCode: status, code });
      expect(body).not.to.have.any.keys('data', 'stack');
      expect(JSON.stringify(body)).not.to.include('secret');
      expect(headers.get('retry-after')).to.equal(status === 503 ? '1' : null);
      expect(logged.length - before).to.equal(status === 500 ? 1 : 0);
    });
  }

  it('answers faults as RFC 9457 to who asks for it', async () => {
    const accept = 'application/problem+json';
    const { body, headers, status } = await ask('/faults/conflict', { headers: { accept, 'x-request-id': 'r-2' } });
    expect(headers.get('content-type')).to.match(/^application\/problem\+json/);
    expect([status, body]).to.deep.equal([
      409,
      { type: 'about:blank', title: 'x', status: 409, code: 'email-taken', requestId: 'r-2' },
    ]);
  });

  it('breaks the connection when it fails in the middle of an answer', async () => {
    const outcome = await ask('/half').catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(Error);
  });
});

describe('listening', () => {
  it('says in a sentence that the port is in use', async () => {
    const first = await listen(() => {}, 0);
    try {
      const fault = await listen(() => {}, first.port).catch((error: unknown) => error);
      expect((fault as Error).message).to.match(new RegExp(`^port ${first.port} on 127\\.0\\.0\\.1 is in use`));
    } finally {
      await first.close();
    }
  });

  it('ends after what is under way, and takes nothing new', async () => {
    let finish = () => {};
    const server = await listen((_req, res) => {
      finish = () => res.end('done');
      res.writeHead(200).flushHeaders();
    }, 0);
    const answered = await fetch(server.url);
    const closed = server.close();
    const refused = await fetch(server.url).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(Error);
    finish();
    expect(await answered.text()).to.equal('done');
    await closed;
  });
});
