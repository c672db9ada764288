import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { createTokenSigner, loadTokenSigner } from './token-signer.js';

const pemOf = (pair: ReturnType<typeof generateKeyPairSync>) =>
  String((pair.privateKey as { export(options: object): unknown }).export({ type: 'pkcs8', format: 'pem' }));
const p256 = () => pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }) as never);
const ed25519 = () => pemOf(generateKeyPairSync('ed25519') as never);
const claims = {
  userId: '018f3c1a-0000-7000-8000-000000000001',
  sessionId: '018f3c1a-0000-7000-8000-000000000002',
  roles: ['seller', 'customer'] as const,
};
const now = new Date('2026-03-01T09:30:00.500Z');

async function faultOf(act: () => Promise<unknown>): Promise<Error> {
  try {
    await act();
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected a fault');
}

for (const [alg, pem] of [
  ['ES256', p256()],
  ['EdDSA', ed25519()],
] as const) {
  describe(`a token signer with an ${alg} key`, () => {
    it('signs tokens that its own key set verifies', async () => {
      const signer = await createTokenSigner(pem);
      const token = await signer.sign({ ...claims, email: 'ada@example.org' }, now);
      const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(signer.jwks), { currentDate: now });
      expect(protectedHeader).to.deep.equal({ alg, kid: signer.kid, typ: 'at+jwt' });
      expect(payload).to.deep.equal({
        iss: 'shopledger',
        aud: 'shopledger',
        sub: claims.userId,
        sid: claims.sessionId,
        roles: ['seller', 'customer'],
        role: 'seller',
        email: 'ada@example.org',
        iat: 1772357400,
        exp: 1772358300,
      });
    });

    it('publishes nothing private', async () => {
      const { jwks, kid } = await createTokenSigner(pem);
      expect(jwks.keys).to.have.length(1);
      expect(jwks.keys[0]).to.include({ kid, alg, use: 'sig' });
      expect(jwks.keys[0]).not.to.have.any.keys('d', 'k', 'p', 'q');
    });

    it('names its key the same after a restart, and another key differently', async () => {
      const again = await createTokenSigner(pem);
      expect(again.kid).to.equal((await createTokenSigner(pem)).kid);
      expect(again.kid).not.to.equal((await createTokenSigner(p256())).kid);
    });
  });
}

describe('a token signer', () => {
  it('refuses keys of other kinds', async () => {
    const rsa = pemOf(generateKeyPairSync('rsa', { modulusLength: 2048 }) as never);
    const p384 = pemOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }) as never);
    for (const wrong of [rsa, p384, 'no key at all', '']) {
      expect((await faultOf(() => createTokenSigner(wrong))).message).to.match(/^the token key/);
    }
  });

  it('is loaded from a file, and a file that is not there is one sentence', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'token-signer-'));
    try {
      const file = join(folder, 'key.pem');
      const pem = p256();
      await writeFile(file, pem);
      expect((await loadTokenSigner(file)).kid).to.equal((await createTokenSigner(pem)).kid);
      expect((await faultOf(() => loadTokenSigner(join(folder, 'none.pem')))).message).to.match(/cannot be read$/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
