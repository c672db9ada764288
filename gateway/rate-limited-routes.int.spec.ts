import { expect } from 'chai';
import { generousLimits } from '../test/support/generous-limits.js';
import { type Fault, type Fixture, newTestKey, signToken, startFixture, type TestKey } from './gateway-fixture.js';
import { createRateLimiter } from './rate-limit.js';
import type { LimitTable } from './rate-limit-table.js';

const only = (points: number) => [{ points, seconds: 3_600 }];
const password = 'correct horse';

describe('a gateway whose callers have used up what they may ask', function () {
  this.timeout(10_000);
  let key: TestKey;
  let fixture: Fixture;

  const start = async (changes: Partial<LimitTable>, trustedProxies = 0) => {
    fixture = await startFixture({
      keys: [key],
      gateway: {
        limiter: createRateLimiter({ redis: undefined, table: { ...generousLimits, ...changes } }),
        trustedProxies,
      },
      mount(app) {
        app.post('/auth/login', (req, res) => void res.status(req.body.password === password ? 200 : 401).json({}));
      },
    });
  };
  const ask = (path: string, token?: string, headers: Record<string, string> = {}) =>
    fetch(`${fixture.gateway.url}/api/v1${path}`, {
      headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
    });
  const statuses = async (times: number, ...args: Parameters<typeof ask>) => {
    const found = [];
    for (let i = 0; i < times; i += 1) {
      const response = await ask(...args);
      await response.body?.cancel();
      found.push(response.status);
    }
    return found;
  };

  before(async () => {
    key = await newTestKey();
  });
  afterEach(() => fixture.close());

  it('answers 429 with a code and when to come back, and passes nothing on', async () => {
    await start({ default: only(2) });
    const token = await signToken(key);
    const first = await ask('/orders', token);
    expect(first.headers.get('ratelimit-limit')).to.equal('2');
    expect(first.headers.get('ratelimit-remaining')).to.equal('1');
    expect(Number(first.headers.get('ratelimit-reset'))).to.be.within(3_590, 3_600);
    expect(first.headers.get('ratelimit-policy')).to.equal('2;w=3600');
    await ask('/orders', token);
    const refused = await ask('/orders', token);
    const { code, statusCode, requestId } = (await refused.json()) as Fault;
    expect([refused.status, code, statusCode]).to.deep.equal([429, 'rate-limited', 429]);
    expect(requestId).to.equal(refused.headers.get('x-request-id'));
    expect(Number(refused.headers.get('retry-after'))).to.be.within(3_590, 3_600);
    expect(refused.headers.get('ratelimit-remaining')).to.equal('0');
    expect(fixture.reached).to.have.length(2);
  });

  it('counts users apart from each other and from strangers', async () => {
    await start({ default: only(1), products: only(1) });
    const [ada, bob] = [await signToken(key), await signToken(key, { sub: '018f3c1a-0000-7000-8000-00000000000b' })];
    expect(await statuses(2, '/orders', ada)).to.deep.equal([200, 429]);
    expect(await statuses(2, '/orders', bob)).to.deep.equal([200, 429]);
    expect(await statuses(2, '/products')).to.deep.equal([200, 429]);
    expect(await statuses(2, '/products', bob)).to.deep.equal([200, 429]);
  });

  it('counts an importer by a limit of its own on every route', async () => {
    await start({ default: only(1), products: only(1), importer: only(4) });
    const token = await signToken(key, { roles: ['importer'] });
    expect(await statuses(2, '/products', token)).to.deep.equal([200, 200]);
    expect(await statuses(3, '/orders', token)).to.deep.equal([200, 200, 429]);
  });

  it('counts attempts to pay apart from all else', async () => {
    await start({ default: only(2), payments: only(1) });
    const token = await signToken(key);
    const pay = async () => {
      const url = `${fixture.gateway.url}/api/v1/orders/018f3c1a-0000-7000-8000-00000000000c/payments`;
      const response = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
      await response.body?.cancel();
      return response.status;
    };
    expect([await pay(), await pay()]).to.deep.equal([200, 429]);
    expect(await statuses(3, '/orders', token)).to.deep.equal([200, 200, 429]);
  });

  it('never refuses who asks for its health', async () => {
    await start({ default: only(1) });
    expect(await statuses(3, '/health')).to.deep.equal([200, 200, 200]);
  });

  it('counts what leads nowhere: unknown paths and guessed tokens', async () => {
    await start({ default: only(2) });
    expect(await statuses(3, '/nothing')).to.deep.equal([404, 404, 429]);
    expect(await statuses(1, '/orders', 'a.b.c')).to.deep.equal([429]);
    expect(await statuses(1, '/orders', await signToken(key))).to.deep.equal([200]);
  });

  it('goes by the connection, not by what the client writes', async () => {
    await start({ products: only(1) });
    expect(await statuses(1, '/products', undefined, { 'x-forwarded-for': '1.1.1.1' })).to.deep.equal([200]);
    expect(await statuses(1, '/products', undefined, { 'x-forwarded-for': '2.2.2.2' })).to.deep.equal([429]);
  });

  it('goes by what its own proxy says where it has one, and tells the services', async () => {
    await start({ products: only(1) }, 1);
    expect(await statuses(2, '/products', undefined, { 'x-forwarded-for': '9.9.9.9, 1.1.1.1' })).to.deep.equal([
      200, 429,
    ]);
    expect(await statuses(1, '/products', undefined, { 'x-forwarded-for': '9.9.9.9, 2.2.2.2' })).to.deep.equal([200]);
    expect(fixture.reached.map(({ headers }) => headers['x-forwarded-for'])).to.deep.equal(['1.1.1.1', '2.2.2.2']);
  });

  describe('logging in', () => {
    const logIn = async (email: unknown, secret: string) => {
      const response = await fetch(`${fixture.gateway.url}/api/v1/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email, password: secret }),
      });
      await response.body?.cancel();
      return response.status;
    };

    it('refuses an account after so many wrong passwords, however its address is written', async () => {
      await start({ 'log-in': only(3) });
      expect([
        await logIn('ada@example.org', '1'),
        await logIn('Ada@Example.org', '2'),
        await logIn(' ADA@example.org ', '3'),
      ]).to.deep.equal([401, 401, 401]);
      expect(await logIn('ada@example.org', password)).to.equal(429);
      expect(await logIn('bob@example.org', password)).to.equal(200);
    });

    it('counts an attempt whatever its text begins with', async () => {
      await start({ 'log-in': only(1) });
      const body = `\ufeff${JSON.stringify({ email: 'ada@example.org', password: '1' })}`;
      const tries = [];
      for (let i = 0; i < 3; i += 1) {
        const headers = { 'content-type': 'application/json' };
        const url = `${fixture.gateway.url}/api/v1/auth/login`;
        const response = await fetch(url, { method: 'POST', headers, body });
        await response.body?.cancel();
        tries.push(response.status);
      }
      expect(tries).to.deep.equal([401, 429, 429]);
    });

    it('begins anew after a right password', async () => {
      await start({ 'log-in': only(2) });
      for (let i = 0; i < 4; i += 1) expect(await logIn('ada@example.org', password)).to.equal(200);
      expect([await logIn('ada@example.org', '1'), await logIn('ada@example.org', '2')]).to.deep.equal([401, 401]);
      expect(await logIn('ada@example.org', password)).to.equal(429);
    });

    it('leaves bodies that name no account to the service', async () => {
      await start({ 'log-in': only(1) });
      for (const email of [1, null, { $ne: '' }, undefined]) expect(await logIn(email, password)).to.equal(200);
    });
  });
});
