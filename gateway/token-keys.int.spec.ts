import { expect } from 'chai';
import { type Fixture, newTestKey, signToken, startFixture, type TestKey } from './gateway-fixture.js';

describe('the keys of access tokens', () => {
  const start = async (keys: TestKey[], gateway = {}) => startFixture({ keys, gateway });
  const statusOf = async (fixture: Fixture, token: string) => {
    const response = await fetch(`${fixture.gateway.url}/api/v1/orders`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await response.body?.cancel();
    return response.status;
  };

  it('may be of both kinds', async () => {
    const keys = [await newTestKey('ES256'), await newTestKey('EdDSA')];
    const fixture = await start(keys);
    try {
      for (const key of keys) expect(await statusOf(fixture, await signToken(key))).to.equal(200);
    } finally {
      await fixture.close();
    }
  });

  it('count only where their algorithm is the one that is configured', async () => {
    const keys = [await newTestKey('ES256'), await newTestKey('EdDSA')] as const;
    const fixture = await start([...keys], { algorithms: ['ES256'] });
    try {
      expect(await statusOf(fixture, await signToken(keys[0]))).to.equal(200);
      expect(await statusOf(fixture, await signToken(keys[1]))).to.equal(401);
    } finally {
      await fixture.close();
    }
  });

  it('are fetched once for many, and again for a key id that is new, but not for each', async () => {
    const [first, second] = [await newTestKey(), await newTestKey()];
    const fixture = await start([first], { tokenKeys: { cooldownMs: 0 } });
    try {
      const tokens = await Promise.all(Array.from({ length: 20 }, (_, at) => signToken(first, { note: at })));
      expect(await Promise.all(tokens.map((token) => statusOf(fixture, token)))).to.deep.equal(tokens.map(() => 200));
      expect(fixture.keySetFetches()).to.equal(1);
      fixture.published.push(second);
      expect(await statusOf(fixture, await signToken(second))).to.equal(200);
      expect(fixture.keySetFetches()).to.equal(2);
    } finally {
      await fixture.close();
    }
    const quiet = await start([first], { tokenKeys: { cooldownMs: 60_000 } });
    try {
      for (let at = 0; at < 20; at += 1)
        expect(await statusOf(quiet, await signToken(await newTestKey()))).to.equal(401);
      expect(quiet.keySetFetches()).to.equal(1);
    } finally {
      await quiet.close();
    }
  });

  it('end with their withdrawal, for tokens too that were found good before', async () => {
    const [kept, withdrawn] = [await newTestKey(), await newTestKey()];
    const fixture = await start([kept, withdrawn], { tokenKeys: { cooldownMs: 0 } });
    try {
      const token = await signToken(withdrawn);
      expect(await statusOf(fixture, token)).to.equal(200);
      fixture.published.pop();
      expect(await statusOf(fixture, await signToken(await newTestKey()))).to.equal(401);
      expect(await statusOf(fixture, token)).to.equal(401);
      expect(await statusOf(fixture, await signToken(kept))).to.equal(200);
    } finally {
      await fixture.close();
    }
  });

  it('may come after the gateway: until then a token cannot be checked, and open routes work', async () => {
    const key = await newTestKey();
    const published = await start([key]);
    const target = { 'command-api': 'http://127.0.0.1:1', 'read-api': published.services['read-api'].url };
    const fixture = await start([key], { upstreams: target, internalSecret: published.internalSecret });
    try {
      const token = await signToken(key);
      const response = await fetch(`${fixture.gateway.url}/api/v1/orders`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(response.headers.get('retry-after')).to.equal('1');
      expect([response.status, ((await response.json()) as { code: string }).code]).to.deep.equal([503, 'unavailable']);
      expect((await fetch(`${fixture.gateway.url}/api/v1/products`)).status).to.equal(200);
    } finally {
      await fixture.close();
      await published.close();
    }
  });

  it('are found as soon as they are there', async () => {
    const key = await newTestKey();
    const fixture = await start([], { tokenKeys: { cooldownMs: 0, retryMs: 0 } });
    try {
      const token = await signToken(key);
      expect(await statusOf(fixture, token)).to.equal(401);
      fixture.published.push(key);
      expect(await statusOf(fixture, token)).to.equal(200);
    } finally {
      await fixture.close();
    }
  });

  it('do not make a token live longer than it says', async () => {
    const key = await newTestKey();
    let now = Date.now();
    const fixture = await start([key], { clock: () => new Date(now) });
    try {
      const token = await signToken(key);
      expect(await statusOf(fixture, token)).to.equal(200);
      now += 899_000;
      expect(await statusOf(fixture, token)).to.equal(200);
      now += 10_000;
      expect(await statusOf(fixture, token)).to.equal(401);
      expect(await statusOf(fixture, token)).to.equal(401);
    } finally {
      await fixture.close();
    }
  });
});
