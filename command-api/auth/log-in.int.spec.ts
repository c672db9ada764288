import { expect } from 'chai';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { newId } from '../../runtime/ids.js';
import { userAggregate } from '../aggregates.js';
import { type AuthFixture, newEmail, password, startAuthFixture } from './auth-fixture.js';

describe('the auth routes', function () {
  this.timeout(30_000);
  let auth: AuthFixture;

  before(async () => {
    auth = await startAuthFixture();
  });
  after(() => auth.close());

  describe('log-in', () => {
    it('starts a session and issues an access token that the published keys verify', async () => {
      const email = newEmail();
      const { user_id } = (await auth.register({ email, password })).body.data;
      const answer = await auth.login({ email: ` ${email.toUpperCase()}`, password });
      expect(answer.status).to.equal(200);
      expect(answer.headers.get('cache-control')).to.equal('no-store');
      const { access_token, ...rest } = answer.body.data;
      expect(rest).to.deep.equal({ token_type: 'Bearer', expires_in: 900, user_id, roles: ['customer'] });
      const published = await auth.call('GET', '/auth/jwks.json');
      const { payload } = await jwtVerify(String(access_token), createLocalJWKSet(published.body as never), {
        issuer: 'shopledger',
        audience: 'shopledger',
        typ: 'at+jwt',
      });
      expect(payload).to.include({ sub: user_id, email, role: 'customer' });
      const [started] = await auth.eventsOf(`session-${String(payload['sid'])}`);
      expect(started?.type).to.equal('session.started');
      expect(started?.data).to.deep.equal({ session_id: payload['sid'], user_id, method: 'password' });
      expect(answer.headers.get('x-consistency-token')).to.equal(String(started?.position));
    });

    it('says the same for an unknown address, a wrong password and an erased user', async () => {
      const email = newEmail();
      const erased = newEmail();
      await auth.register({ email, password });
      const gone = String((await auth.register({ email: erased, password })).body.data['user_id']);
      await auth.personalData.erase(`user:${gone}`);
      const answers = [
        await auth.login({ email, password: 'wrong horse' }),
        await auth.login({ email: newEmail(), password }),
        await auth.login({ email: erased, password }),
        await auth.login({ email, password: '' }),
      ];
      for (const { status, body } of answers) {
        expect([status, body.code, body.error]).to.deep.equal([401, 'credentials-wrong', answers[0]?.body.error]);
        expect(body).not.to.have.property('data');
      }
    });

    it('sees at once what another process wrote', async () => {
      const email = newEmail();
      const user_id = String((await auth.register({ email, password })).body.data['user_id']);
      expect((await auth.login({ email, password })).status).to.equal(200);
      await auth
        .newCommands()
        .handle(
          userAggregate,
          user_id,
          { type: 'EraseUser', data: { by: 'test', reason: 'asked' }, metadata: { now: new Date().toISOString() } },
          { commandId: newId(), correlationId: newId() },
        );
      expect((await auth.login({ email, password })).status).to.equal(401);
      expect((await auth.call('GET', '/users/profile', undefined, { userId: user_id })).status).to.equal(404);
    });

    it('refuses what it does not take', async () => {
      for (const body of [
        {},
        { email: newEmail() },
        { email: { $ne: null }, password },
        { email: newEmail(), password, otp: 1 },
      ]) {
        expect((await auth.login(body)).status).to.equal(422);
      }
    });
  });

  describe('the profile', () => {
    it('shows the caller their own data', async () => {
      const email = newEmail();
      const user_id = String((await auth.register({ email, password, name: 'Ada' })).body.data['user_id']);
      const answer = await auth.call('GET', '/users/profile', undefined, { userId: user_id });
      expect(answer.status).to.equal(200);
      expect(answer.body.data).to.deep.equal({ user_id, roles: ['customer'], email, name: 'Ada', phone: null });
    });

    it('is for callers who are logged in, and exist', async () => {
      expect((await auth.call('GET', '/users/profile')).status).to.equal(401);
      const answer = await auth.call('GET', '/users/profile', undefined, { userId: newId() });
      expect([answer.status, answer.body.code]).to.deep.equal([404, 'user-not-found']);
    });
  });

  it('publishes its keys as a plain key set', async () => {
    const { status, body } = await auth.call('GET', '/auth/jwks.json');
    expect(status).to.equal(200);
    expect(body).to.deep.equal(auth.signer.jwks);
  });
});
