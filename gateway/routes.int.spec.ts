import { expect } from 'chai';
import { type Fixture, newTestKey, signToken, startFixture, type TestKey } from './gateway-fixture.js';
import { compileRoutes, type Route, routePrefix, routes } from './routes.js';

const everyRole = ['customer', 'seller', 'admin', 'auditor', 'support', 'importer'];
const someId = '018f3c1a-0000-7000-8000-0000000000aa';

describe('the route table', () => {
  let fixture: Fixture;
  let key: TestKey;

  before(async () => {
    key = await newTestKey();
    fixture = await startFixture({ keys: [key] });
  });
  after(() => fixture.close());

  const pathOf = (row: Route) => row.path.replace(/:\w+/g, someId);
  const call = (row: Route, token?: string) =>
    fetch(`${fixture.gateway.url}${routePrefix}${pathOf(row)}`, {
      method: row.method,
      ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
    });
  const codeOf = async (response: Response) => {
    const { code } = (await response.json()) as { code?: string };
    return `${response.status} ${code}`;
  };

  for (const row of routes.filter(({ service }) => service !== 'gateway')) {
    describe(`${row.method} ${row.path}`, () => {
      it(`leads to ${row.service}, without the prefix`, async () => {
        const token = await signToken(key, { roles: everyRole });
        const response = await call(row, token);
        expect(response.status).to.equal(200);
        if (row.path === '/auth/jwks.json') {
          expect(await response.json()).to.deep.equal({ keys: [key.jwk] });
          return;
        }
        expect(await response.json()).to.include({ service: row.service, method: row.method, url: pathOf(row) });
      });

      it(`takes ${row.auth === 'required' ? 'no callers' : 'callers'} without a token`, async () => {
        const response = await call(row);
        if (row.auth !== 'required') expect(response.status).to.equal(200);
        else {
          expect(response.headers.get('www-authenticate')).to.equal('Bearer realm="shopledger"');
          expect(await codeOf(response)).to.equal('401 unauthenticated');
        }
      });

      it(`${row.auth === 'none' ? 'does not look at tokens' : 'refuses a token that is no good'}`, async () => {
        const response = await call(row, `${await signToken(key, { roles: everyRole })}x`);
        if (row.auth === 'none') expect(response.status).to.equal(200);
        else expect(await codeOf(response)).to.equal('401 token-invalid');
      });

      for (const role of everyRole) {
        const allowed = row.roles === undefined || row.roles.includes(role);
        it(`${allowed ? 'takes' : 'refuses'} a caller with the role ${role}`, async () => {
          const response = await call(row, await signToken(key, { roles: [role] }));
          if (allowed) expect(response.status).to.equal(200);
          else expect(await codeOf(response)).to.equal('403 forbidden');
        });
      }
    });
  }

  it('passes nothing on that it refused', async () => {
    const before = fixture.reached.length;
    await call({ method: 'POST', path: '/orders', service: 'command-api', auth: 'none', timeoutMs: 1 });
    await call(
      { method: 'POST', path: '/products', service: 'command-api', auth: 'none', timeoutMs: 1 },
      await signToken(key),
    );
    expect(fixture.reached).to.have.length(before);
  });

  it('has no route that changes something and takes everybody, but for the three that must', () => {
    const open = routes.filter(({ method, auth }) => method !== 'GET' && auth !== 'required').map(({ path }) => path);
    expect(open).to.deep.equal(['/auth/register', '/auth/login', '/payments/webhooks/stripe']);
  });

  it('answers 404 for a path it does not have, whatever the token', async () => {
    const paths = [
      '',
      '/',
      '/api',
      '/api/v1',
      '/api/v1/',
      '/api/v1/nothing',
      '/api/v1/orders/',
      '/API/v1/orders',
      '/api/v1/Orders',
    ];
    for (const path of [...paths, '/orders', '/api/v2/orders', '/api/v1/orders/1/2', '/api/v1/orders/__proto__/x']) {
      const response = await fetch(`${fixture.gateway.url}${path}`);
      expect(await codeOf(response), path).to.equal('404 not-found');
    }
  });

  it('answers 405 with what is allowed for another method', async () => {
    const cases = [
      ['PUT', '/orders', 'POST, GET, HEAD'],
      ['DELETE', `/orders/${someId}`, 'GET, HEAD'],
      ['GET', '/auth/login', 'POST'],
      ['GET', `/cart/items/${someId}`, 'PATCH, DELETE'],
      ['OPTIONS', '/products', 'GET, HEAD, POST'],
    ] as const;
    for (const [method, path, allowed] of cases) {
      const response = await fetch(`${fixture.gateway.url}${routePrefix}${path}`, { method });
      expect(response.headers.get('allow')).to.equal(allowed);
      expect(await codeOf(response)).to.equal('405 method-not-allowed');
    }
  });
});

describe('a compiled route table', () => {
  const row = (path: string, method: Route['method'] = 'GET'): Route => ({
    method,
    path,
    service: 'read-api',
    auth: 'none',
    timeoutMs: 1,
  });

  it('prefers the literal, and comes back where it leads nowhere', () => {
    const routeOf = compileRoutes([row('/a/:id'), row('/a/b'), row('/a/b/c'), row('/a/:id/d')]);
    expect(routeOf('GET', '/api/v1/a/b').path).to.equal('/a/b');
    expect(routeOf('GET', '/api/v1/a/x').path).to.equal('/a/:id');
    expect(routeOf('GET', '/api/v1/a/b/c').path).to.equal('/a/b/c');
    expect(routeOf('HEAD', '/api/v1/a/b/d').path).to.equal('/a/:id/d');
  });

  it('refuses a table with a row twice', () => {
    expect(() => compileRoutes([row('/a/:id'), row('/a/:other')])).to.throw('twice');
  });
});
