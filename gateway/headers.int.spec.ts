import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { internalTokenVerifier } from '../runtime/http/internal-token.js';
import {
  type Echo,
  type Fixture,
  newTestKey,
  sendRaw,
  signToken,
  startFixture,
  type TestKey,
  userId,
} from './gateway-fixture.js';

describe('what the gateway passes on', () => {
  let fixture: Fixture;
  let key: TestKey;

  before(async () => {
    key = await newTestKey();
    fixture = await startFixture({
      keys: [key],
      mount: (app) => {
        app.get('/products/hop', (_req, res) => {
          res.setHeader('Connection', 'X-Private, keep-alive');
          res.setHeader('X-Private', 'for the gateway alone');
          res.setHeader('X-Public', 'for everybody');
          res.setHeader('X-Internal-Note', 'secret');
          res.setHeader('X-Powered-By', 'Express');
          res.setHeader('Proxy-Authenticate', 'Basic');
          res.setHeader('Server', 'secret');
          res.setHeader('Set-Cookie', ['a=1', 'b=2']);
          res.setHeader('X-Consistency-Token', '42');
          res.status(418).end('short and stout');
        });
      },
    });
  });
  after(() => fixture.close());

  const port = () => fixture.gateway.port;

  /** By node:http, which sends headers that fetch forbids. */
  const send = async (
    method: string,
    path: string,
    headers: Record<string, string | string[]>,
    body?: string | Buffer,
  ) => {
    const asked = request({ host: '127.0.0.1', port: port(), method, path, headers, agent: false });
    asked.end(body);
    const [answer] = (await once(asked, 'response')) as [import('node:http').IncomingMessage];
    return { status: answer.statusCode, headers: answer.headers, text: await text(answer) };
  };
  const echo = async (headers: Record<string, string | string[]>, path = '/api/v1/products'): Promise<Echo> => {
    const answer = await send('GET', path, headers);
    expect(answer.status, answer.text).to.equal(200);
    return JSON.parse(answer.text) as Echo;
  };
  const forged = {
    'x-user-id': 'evil',
    'X-User-Email': 'evil',
    'x-user-roles': 'admin',
    'x-user-anything': 'evil',
    'x-user': 'evil',
    x_user_id: 'evil',
    X_Internal_Token: 'evil',
    'x-internal-token': 'evil',
    'x-internal-anything': 'evil',
    'x-gateway-service': 'evil',
    'x-gateway-anything': 'evil',
    'x-source-service': 'evil',
    'x-forwarded-for': 'evil',
    'x-forwarded-host': 'evil',
    'x-forwarded-proto': 'evil',
    'x-forwarded-anything': 'evil',
    'x-real-ip': 'evil',
    'x-original-url': 'evil',
    'x-rewrite-url': 'evil',
    forwarded: 'for=evil',
    via: 'evil',
    te: 'evil',
    'keep-alive': 'evil',
    'proxy-authorization': 'evil',
    'proxy-connection': 'evil',
    cookie: 'evil=1',
  };

  it('holds nothing of what only the gateway may say, when nobody is logged in', async () => {
    const said = await echo(forged);
    expect(JSON.stringify(said)).not.to.include('evil');
    expect(said.caller).to.equal('anonymous');
    const own = Object.keys(said.headers).filter((name) => /^x[-_]/.test(name));
    expect(own.sort()).to.deep.equal([
      'x-forwarded-for',
      'x-gateway-service',
      'x-internal-token',
      'x-request-id',
      'x-source-service',
    ]);
    expect(said.headers).to.include({
      'x-gateway-service': 'read-api',
      'x-source-service': 'gateway',
      'x-forwarded-for': '127.0.0.1',
    });
  });

  it('says who is logged in, by header and by a token that the service verifies', async () => {
    const token = await signToken(key, { roles: ['customer', 'seller'] });
    const said = await echo({ ...forged, authorization: `Bearer ${token}` });
    expect(JSON.stringify(said)).not.to.include('evil');
    expect(said.headers).to.include({
      'x-user-id': userId,
      'x-user-email': 'ada@example.org',
      'x-user-roles': 'customer,seller',
    });
    expect(said.headers).not.to.have.property('authorization');
    const verify = internalTokenVerifier(fixture.internalSecret);
    expect(await verify(said.headers['x-internal-token'])).to.deep.equal(said.caller);
    expect(said.caller).to.include({ userId });
  });

  it('says nothing of a caller on a route that does not look at tokens', async () => {
    const headers = { authorization: `Bearer ${await signToken(key)}`, 'content-type': 'application/json' };
    const said = JSON.parse((await send('POST', '/api/v1/auth/login', headers, '{}')).text) as Echo;
    expect(said.caller).to.equal('anonymous');
    expect(said.headers).not.to.have.any.keys('authorization', 'x-user-id', 'x-user-email', 'x-user-roles');
  });

  it('encodes an address that a header cannot hold', async () => {
    const token = await signToken(key, { email: 'josé@example.org\r\nX-Evil: 1' });
    const said = await echo({ authorization: `Bearer ${token}` });
    expect(decodeURIComponent(said.headers['x-user-email'] ?? '')).to.equal('josé@example.org\r\nX-Evil: 1');
    expect(said.headers).not.to.have.property('x-evil');
  });

  it('leaves out what Connection names, but never what the gateway says itself', async () => {
    const token = await signToken(key);
    const said = await echo({
      authorization: `Bearer ${token}`,
      connection: 'close, X-Secret , X-Internal-Token,x-user-id, authorization, x-request-id',
      'x-secret': 'evil',
      'x-kept': 'kept',
    });
    expect(said.headers).not.to.have.property('x-secret');
    expect(said.headers).to.include({ 'x-kept': 'kept', 'x-user-id': userId });
    expect(said.caller).to.include({ userId });
  });

  it('holds the headers that the services work with', async () => {
    const kept = {
      'idempotency-key': 'k1',
      'if-match': '"3"',
      'if-none-match': '"4"',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'x-consistency-token': '17',
      accept: 'application/problem+json',
      'accept-language': 'de',
      'user-agent': 'test',
    };
    expect((await echo(kept)).headers).to.include(kept);
  });

  it('goes to the service itself, whatever Host says', async () => {
    const said = await echo({ host: 'evil.example' });
    expect(said.headers['host']).to.equal(new URL(fixture.services['read-api'].url).host);
  });

  it('has one request id from the client to the service and back', async () => {
    const answer = await send('GET', '/api/v1/products', { 'x-request-id': 'my-id.1' });
    expect(answer.headers['x-request-id']).to.equal('my-id.1');
    expect((JSON.parse(answer.text) as Echo).headers['x-request-id']).to.equal('my-id.1');
    const made = await send('GET', '/api/v1/products', {});
    expect(made.headers['x-request-id']).to.match(/^[0-9a-f-]{36}$/);
    expect((JSON.parse(made.text) as Echo).headers['x-request-id']).to.equal(made.headers['x-request-id']);
    for (const wrong of ['x'.repeat(129), 'a b', 'a"b', '{}']) {
      const other = await send('GET', '/api/v1/nothing', { 'x-request-id': wrong });
      expect(other.headers['x-request-id']).to.match(/^[0-9a-f-]{36}$/);
      expect((JSON.parse(other.text) as { requestId: string }).requestId).to.equal(other.headers['x-request-id']);
    }
  });

  it('is the query, unchanged', async () => {
    expect((await echo({}, '/api/v1/products?a=%20&b[$ne]=&a=2&c=%2e%2e%2f')).url).to.equal(
      '/products?a=%20&b[$ne]=&a=2&c=%2e%2e%2f',
    );
  });

  it('is the body, byte for byte, chunked or not', async () => {
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, at) => at % 256));
    for (const framing of [{ 'content-length': String(bytes.length) }, { 'transfer-encoding': 'chunked' }]) {
      const headers = {
        'content-type': 'application/json; charset=utf-8',
        'stripe-signature': 't=1,v1=ab',
        ...framing,
      };
      const answer = await send('POST', '/api/v1/payments/webhooks/stripe', headers as never, bytes);
      const said = JSON.parse(answer.text) as Echo;
      expect(Buffer.from(String(said.body), 'base64').equals(bytes)).to.equal(true);
      expect(said.headers).to.include({ 'stripe-signature': 't=1,v1=ab', 'content-length': '70000' });
      expect(said.headers).not.to.have.property('transfer-encoding');
    }
  });

  it('is an empty body where there was none', async () => {
    const token = await signToken(key);
    const answer = await send('POST', '/api/v1/orders', { authorization: `Bearer ${token}` });
    expect(answer.status).to.equal(200);
    const removed = await send('DELETE', '/api/v1/cart/items/1', { authorization: `Bearer ${token}` });
    expect(removed.status).to.equal(200);
  });

  it('is no body of a GET', async () => {
    const said = JSON.parse(
      (await send('GET', '/api/v1/products', { 'content-type': 'application/json', 'content-length': '2' }, '{}')).text,
    );
    expect(said.headers).not.to.have.any.keys('content-length', 'content-type', 'transfer-encoding');
  });

  describe('back to the client', () => {
    it('is the status, the headers and the body, without what is not meant for it', async () => {
      const { status, headers, text: body } = await send('GET', '/api/v1/products/hop', {});
      expect([status, body]).to.deep.equal([418, 'short and stout']);
      expect(headers).to.include({ 'x-public': 'for everybody', 'x-consistency-token': '42' });
      expect(headers['set-cookie']).to.deep.equal(['a=1', 'b=2']);
      expect(headers).not.to.have.any.keys(
        'x-private',
        'x-internal-note',
        'x-powered-by',
        'proxy-authenticate',
        'server',
      );
    });

    it('is the fault of a service as the service put it', async () => {
      const token = await signToken(key);
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const answer = await send('POST', '/api/v1/orders', headers, '{"a":');
      expect(answer.status).to.equal(400);
      expect(JSON.parse(answer.text)).to.include({ success: false, code: 'malformed-json', statusCode: 400 });
    });

    it('is no body on HEAD, but its length', async () => {
      const get = await send('GET', '/api/v1/products?x=1', { 'x-request-id': 'same' });
      const raw = await sendRaw(
        port(),
        'HEAD /api/v1/products?x=1 HTTP/1.1\r\nHost: x\r\nX-Request-ID: same\r\nConnection: close\r\n\r\n',
      );
      expect(raw).to.match(/^HTTP\/1\.1 200 OK\r\n/);
      expect(raw.endsWith('\r\n\r\n')).to.equal(true);
      const length = Number(/content-length: (\d+)/i.exec(raw)?.[1]);
      expect(length).to.be.greaterThan(300);
      expect(Math.abs(length - Number(get.headers['content-length']))).to.be.lessThan(100);
      expect(fixture.reached.at(-1)?.method).to.equal('HEAD');
    });

    it('never names the software', async () => {
      for (const path of ['/api/v1/products', '/api/v1/nothing', '/health', '/api/v1/health']) {
        expect((await send('GET', path, {})).headers, path).not.to.have.any.keys('x-powered-by', 'server');
      }
    });
  });

  it('is refused by a service that is reached past the gateway', async () => {
    const token = await signToken(key);
    const past = await fetch(`${fixture.services['read-api'].url}/orders`, {
      headers: { authorization: `Bearer ${token}`, 'x-user-id': userId, 'x-user-roles': 'admin' },
    });
    expect([past.status, ((await past.json()) as { code: string }).code]).to.deep.equal([401, 'not-through-gateway']);
  });
});
