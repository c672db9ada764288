import { createHmac, createPublicKey } from 'node:crypto';
import { expect } from 'chai';
import { type Fixture, newTestKey, sendRaw, signToken, startFixture, type TestKey, userId } from './gateway-fixture.js';

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const seconds = () => Math.floor(Date.now() / 1000);

describe('access tokens at the gateway', () => {
  let fixture: Fixture;
  let key: TestKey;

  before(async () => {
    key = await newTestKey();
    fixture = await startFixture({ keys: [key], gateway: { tokenKeys: { cooldownMs: 60_000 } } });
  });
  after(() => fixture.close());

  const ask = async (authorization: string | undefined, path = '/api/v1/orders', at = fixture) => {
    const response = await fetch(`${at.gateway.url}${path}`, {
      headers: authorization === undefined ? {} : { authorization },
    });
    const body = (await response.json()) as { code?: string; caller?: unknown };
    return {
      status: response.status,
      code: body.code,
      caller: body.caller,
      challenge: response.headers.get('www-authenticate'),
    };
  };
  const refused = async (token: string, code = 'token-invalid') => {
    const before = fixture.reached.length;
    const answer = await ask(`Bearer ${token}`);
    expect([answer.status, answer.code]).to.deep.equal([401, code]);
    expect(answer.challenge).to.equal('Bearer realm="shopledger", error="invalid_token"');
    expect(fixture.reached).to.have.length(before);
  };

  it('pass the caller on when they are good, each time', async () => {
    const token = await signToken(key, { roles: ['customer', 'seller'] });
    for (const authorization of [`Bearer ${token}`, `bearer ${token}`, `BEARER  ${token}`]) {
      const { status, caller } = await ask(authorization);
      expect(status).to.equal(200);
      expect(caller).to.deep.equal({
        userId,
        roles: ['customer', 'seller'],
        sessionId: '018f3c1a-0000-7000-8000-000000000002',
      });
    }
  });

  it('are refused where the header is no bearer token', async () => {
    const token = await signToken(key);
    for (const authorization of [
      'Bearer',
      'Bearer ',
      `Basic ${token}`,
      token,
      `Bearer ${token} x`,
      `Bearer,${token}`,
    ]) {
      const { status, code } = await ask(authorization);
      expect([status, code], authorization.slice(0, 12)).to.deep.equal([401, 'token-invalid']);
      expect((await ask(authorization, '/api/v1/products')).status).to.equal(401);
    }
  });

  it('count in no other place than the Authorization header', async () => {
    const token = await signToken(key);
    for (const query of [`access_token=${token}`, `token=${token}`, `authorization=Bearer%20${token}`]) {
      expect(await ask(undefined, `/api/v1/orders?${query}`)).to.include({ status: 401, code: 'unauthenticated' });
      expect((await ask(undefined, `/api/v1/products?${query}`)).caller).to.equal('anonymous');
    }
    const response = await fetch(`${fixture.gateway.url}/api/v1/orders`, {
      headers: { cookie: `access_token=${token}`, 'x-access-token': token, 'proxy-authorization': `Bearer ${token}` },
    });
    expect(response.status).to.equal(401);
  });

  describe('with the algorithm changed', () => {
    const claims = () => ({
      iss: 'shopledger',
      aud: 'shopledger',
      sub: userId,
      roles: ['admin'],
      iat: seconds(),
      exp: seconds() + 900,
    });

    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null, undefined, ['none'], 'none\u0000']) {
      it(`are refused: ${JSON.stringify(alg)}`, async () => {
        const unsigned = `${encode({ alg, kid: key.kid, typ: 'at+jwt' })}.${encode(claims())}`;
        const genuine = (await signToken(key)).split('.')[2];
        for (const token of [`${unsigned}.`, unsigned, `${unsigned}.AA`, `${unsigned}.${genuine}`])
          await refused(token);
      });
    }

    for (const alg of ['HS256', 'HS384', 'HS512']) {
      it(`are refused: ${alg} keyed with the public key`, async () => {
        const publicKey = createPublicKey({ key: key.jwk as never, format: 'jwk' });
        const secrets = [
          publicKey.export({ type: 'spki', format: 'pem' }),
          String(publicKey.export({ type: 'spki', format: 'pem' })).trim(),
          publicKey.export({ type: 'spki', format: 'der' }),
          JSON.stringify(key.jwk),
          '',
        ];
        for (const secret of secrets) {
          const signed = `${encode({ alg, kid: key.kid, typ: 'at+jwt' })}.${encode(claims())}`;
          const mac = createHmac(alg.replace('HS', 'sha'), secret).update(signed).digest('base64url');
          await refused(`${signed}.${mac}`);
        }
      });
    }

    it('are refused: another algorithm than the key is for', async () => {
      const other = await newTestKey('EdDSA', key.kid);
      await refused(await signToken(other));
      const [header, payload, signature] = (await signToken(key)).split('.');
      expect(header).not.to.equal(undefined);
      await refused(`${encode({ alg: 'EdDSA', kid: key.kid, typ: 'at+jwt' })}.${payload}.${signature}`);
    });
  });

  describe('with claims changed', () => {
    const bad: readonly (readonly [string, object, string?])[] = [
      ['another issuer', { iss: 'shopledger.evil' }],
      ['no issuer', { iss: undefined }],
      ['another audience', { aud: 'somebody-else' }],
      ['no audience', { aud: undefined }],
      ['expired', { iat: seconds() - 1_000, exp: seconds() - 60 }, 'token-expired'],
      ['no expiry', { exp: undefined }],
      ['an expiry that is text', { exp: '9999999999' }],
      ['issued in the far future', { iat: seconds() + 3_600, exp: seconds() + 7_200 }],
      ['not valid yet', { nbf: seconds() + 3_600 }],
      ['no time of issue', { iat: undefined }],
      ['no subject', { sub: undefined }],
      ['a subject that is no user id', { sub: 'admin' }],
      ['roles that are no list', { roles: 'admin' }],
      ['no roles', { roles: undefined }],
      ['roles that would end a header', { roles: ['customer\r\nX-Internal-Token: x'] }],
      ['roles with a comma', { roles: ['customer,admin'] }],
    ];
    for (const [what, claims, code] of bad) {
      it(`are refused: ${what}`, async () => refused(await signToken(key, claims), code));
    }

    it('are refused: the payload under the old signature', async () => {
      const [header, payload, signature] = (await signToken(key)).split('.');
      const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString());
      await refused(`${header}.${encode({ ...claims, roles: ['admin'] })}.${signature}`);
    });
  });

  describe('with the header changed', () => {
    it('are refused: another type of token', async () => {
      for (const typ of ['JWT', 'rt+jwt', 'internal+jwt', undefined, 'application/json']) {
        await refused(await signToken(key, {}, { typ }));
      }
    });

    it('are refused: a key id that is no key of ours', async () => {
      const kids = [
        '../../../../dev/null',
        '/dev/null',
        'file:///etc/passwd',
        'https://evil.example/jwks.json',
        '__proto__',
      ];
      for (const kid of [
        ...kids,
        'constructor',
        'toString',
        '',
        "' OR 1=1",
        'x'.repeat(200),
        1,
        null,
        undefined,
        [key.kid],
      ]) {
        await refused(await signToken(key, {}, { kid }));
      }
    });

    it('are refused: a key, or where to get one, brought along', async () => {
      const own = await newTestKey();
      const brought = [
        { jwk: own.jwk },
        { jku: 'http://127.0.0.1:1/jwks.json' },
        { x5u: 'http://127.0.0.1:1/cert.pem' },
        { x5c: ['MIIB'] },
      ];
      for (const header of brought) {
        await refused(await signToken(own, { roles: ['admin'] }, header));
        await refused(await signToken(own, { roles: ['admin'] }, { ...header, kid: key.kid }));
        await refused(await signToken(key, {}, header));
      }
    });

    it('are refused: extensions, known or not', async () => {
      const [header, payload, signature] = (await signToken(key)).split('.');
      const plain = JSON.parse(Buffer.from(header ?? '', 'base64url').toString());
      for (const more of [{ crit: ['exp'] }, { b64: false, crit: ['b64'] }, { zip: 'DEF' }, { cty: 'JWT' }]) {
        await refused(`${encode({ ...plain, ...more })}.${payload}.${signature}`);
      }
    });
  });

  it('are refused in any other form', async () => {
    const token = await signToken(key);
    const [header, payload, signature] = token.split('.');
    const forms = [
      `${header}.${payload}`,
      `${token}.${signature}`,
      `${token}.`,
      `.${token}`,
      `${header}..${signature}`,
      `${header}.${payload}.`,
      '..',
      'x',
      `${header}=.${payload}.${signature}`,
      `${encode('text')}.${payload}.${signature}`,
      `${encode(null)}.${payload}.${signature}`,
      `${encode([])}.${payload}.${signature}`,
      `${Buffer.from('{').toString('base64url')}.${payload}.${signature}`,
    ];
    for (const form of forms) await refused(form);
  });

  it('are refused over 8 kB, and a megabyte does not get that far', async () => {
    await refused(await signToken(key, { email: 'x', note: 'x'.repeat(7_000) }));
    const port = fixture.gateway.port;
    const answer = await sendRaw(
      port,
      `GET /api/v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${'a'.repeat(1_000_000)}\r\n\r\n`,
    ).catch((error: NodeJS.ErrnoException) => String(error.code));
    expect(answer).to.match(/^HTTP\/1\.1 431|ECONNRESET|EPIPE/);
  });

  it('are refused when the session key changes hands: a token of a stranger who knows the key id', async () => {
    await refused(await signToken(await newTestKey('ES256', key.kid), { roles: ['admin'] }));
  });
});
