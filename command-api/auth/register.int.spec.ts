import { expect } from 'chai';
import type { DomainError } from '../../domain/core/domain-error.js';
import { deriveId, newId } from '../../runtime/ids.js';
import { type AuthFixture, newEmail, password, startAuthFixture } from './auth-fixture.js';
import { emailHmacOf } from './email.js';
import { emailClaimAggregate, registerUser } from './register-user.js';

describe('registration', function () {
  this.timeout(30_000);
  let auth: AuthFixture;

  before(async () => {
    auth = await startAuthFixture();
  });
  after(() => auth.close());

  it('makes a customer whose personal data are sealed in the log', async () => {
    const email = newEmail();
    const answer = await auth.register({
      email: ` ${email.toUpperCase()} `,
      password,
      name: 'Ada',
      phone: '+44 20 7946',
    });
    expect(answer.status).to.equal(201);
    expect(answer.body.success).to.equal(true);
    const { user_id, roles } = answer.body.data;
    expect(roles).to.deep.equal(['customer']);
    const claims = await auth.eventsOf(`emailclaim-${emailHmacOf(auth.hmacSecret, email)}`);
    expect(claims.map(({ type, data }) => [type, data])).to.deep.equal([['email.claimed', { user_id }]]);
    const [created, ...more] = await auth.eventsOf(`user-${String(user_id)}`);
    expect(more).to.deep.equal([]);
    expect(created?.type).to.equal('user.created');
    expect(answer.headers.get('x-consistency-token')).to.equal(String(created?.position));
    const text = JSON.stringify([created?.data, created?.metadata]);
    for (const clear of [email, 'Ada', '7946', password, 'argon2']) expect(text).not.to.include(clear);
    const opened = await auth.personalData.open(created?.data['personal'] as never);
    expect(opened).to.include({ email, name: 'Ada', phone: '+44 20 7946' });
    expect(opened)
      .to.have.property('password_hash')
      .that.matches(/^\$argon2id\$/);
  });

  it('refuses an address that is taken, however it is written', async () => {
    const email = newEmail();
    expect((await auth.register({ email, password })).status).to.equal(201);
    const again = await auth.register({ email: `  ${email.toUpperCase()}`, password: 'another password' });
    expect(again.status).to.equal(409);
    expect(again.body.code).to.equal('email-taken');
    expect((await auth.login({ email, password: 'another password' })).status).to.equal(401);
  });

  it('gives an address to one of many who want it at once', async () => {
    const email = newEmail();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, at) => auth.register({ email, password: `${password}${at}` })),
    );
    expect(answers.filter(({ status }) => status === 201)).to.have.length(1);
    expect(answers.filter(({ body }) => body.code === 'email-taken')).to.have.length(7);
    const winner = answers.findIndex(({ status }) => status === 201);
    expect((await auth.login({ email, password: `${password}${winner}` })).status).to.equal(200);
  });

  it('refuses what it does not take', async () => {
    const email = newEmail();
    const good = { email, password };
    const wrong: unknown[] = [
      undefined,
      [],
      {},
      { email },
      { password },
      { ...good, roles: ['admin'] },
      { ...good, role: 'admin' },
      { ...good, user_id: newId() },
      `{"email":"${email}","password":"${password}","__proto__":{"roles":["admin"]}}`,
      `{"email":"${email}","password":"${password}","constructor":{}}`,
      { ...good, email: { $gt: '' } },
      { ...good, email: 'nobody' },
      { ...good, password: '1234567' },
      { ...good, password: 'x'.repeat(201) },
      { ...good, password: ['12345678'] },
      { ...good, name: '' },
      { ...good, name: 'x'.repeat(201) },
      { ...good, phone: 'ring me' },
    ];
    for (const body of wrong) {
      const answer = await auth.register(body);
      expect([answer.status, answer.body.code], JSON.stringify(body)).to.deep.equal([422, 'validation-failed']);
      expect(JSON.stringify(answer.body)).not.to.include(password);
    }
    expect((await auth.register('{"email":')).body.code).to.equal('malformed-json');
    expect(await auth.eventsOf(`emailclaim-${emailHmacOf(auth.hmacSecret, email)}`)).to.deep.equal([]);
  });

  it('answers a repeat under the same key alike, at once, later and in another process', async () => {
    const email = newEmail();
    const body = { email, password, name: 'Ada' };
    const answers = await Promise.all([
      auth.register(body, 'k1'),
      auth.register(body, 'k1'),
      auth.register(body, 'k1'),
    ]);
    answers.push(await auth.register(body, 'k1'));
    const first = answers[0]?.body.data;
    for (const answer of answers) {
      expect(answer.status).to.equal(201);
      expect(answer.body.data).to.deep.equal(first);
    }
    expect(await auth.eventsOf(`user-${String(first?.['user_id'])}`)).to.have.length(1);
    expect(await auth.eventsOf(`emailclaim-${emailHmacOf(auth.hmacSecret, email)}`)).to.have.length(1);
  });

  it('answers a repeat alike in a process that starts later', async () => {
    const commandId = newId();
    const context = { commandId, correlationId: commandId, requestHash: 'ab'.repeat(32) };
    const registration = { email: newEmail(), password, roles: ['customer'] as const };
    const first = await registerUser(auth.deps(), registration, context);
    const later = { ...auth.deps(), commands: auth.newCommands() };
    const second = await registerUser(later, registration, context);
    expect(second.accepted.repeated).to.equal(true);
    expect([second.user_id, second.roles]).to.deep.equal([first.user_id, first.roles]);
    const other = await registerUser(later, { ...registration, password: 'another one' }, context).catch(
      (e: unknown) => e,
    );
    expect((other as DomainError).code).to.equal('idempotency-key-reused');
  });

  it('tells another request under the same key from a repeat, the password included', async () => {
    const email = newEmail();
    expect((await auth.register({ email, password, name: 'Ada' }, 'k2')).status).to.equal(201);
    for (const other of [{ name: 'Grace' }, { name: undefined }, { password: 'another password' }]) {
      const answer = await auth.register({ email, password, name: 'Ada', ...other }, 'k2');
      expect([answer.status, answer.body.code]).to.deep.equal([422, 'idempotency-key-reused']);
    }
  });

  it('keeps people apart who chose the same key', async () => {
    const [one, other] = await Promise.all([
      auth.register({ email: newEmail(), password }, 'same'),
      auth.register({ email: newEmail(), password }, 'same'),
    ]);
    expect([one?.status, other?.status]).to.deep.equal([201, 201]);
    expect(one?.body.data['user_id']).not.to.equal(other?.body.data['user_id']);
  });

  it('goes on where a registration ended between claim and user, for whoever comes next', async () => {
    const email = newEmail();
    const orphan = newId();
    await auth.commands.handle(
      emailClaimAggregate,
      emailHmacOf(auth.hmacSecret, email),
      { type: 'ClaimEmail', data: { user_id: orphan }, metadata: { now: new Date().toISOString() } },
      { commandId: newId(), correlationId: newId(), creates: true },
    );
    const answer = await auth.register({ email, password }, 'k3');
    expect([answer.status, answer.body.data['user_id']]).to.deep.equal([201, orphan]);
    const repeat = await auth.register({ email, password }, 'k3');
    expect([repeat.status, repeat.body.data]).to.deep.equal([201, answer.body.data]);
    expect((await auth.register({ email, password }, 'k4')).body.code).to.equal('email-taken');
    expect((await auth.register({ email, password })).body.code).to.equal('email-taken');
    expect((await auth.login({ email, password })).body.data['user_id']).to.equal(orphan);
  });

  it('goes on with its own claim when it is repeated after a crash', async () => {
    const email = newEmail();
    const context = { commandId: newId(), correlationId: newId() };
    const hmac = emailHmacOf(auth.hmacSecret, email);
    const user_id = deriveId(context.commandId, 'user');
    await auth.commands.handle(
      emailClaimAggregate,
      hmac,
      { type: 'ClaimEmail', data: { user_id }, metadata: { now: new Date().toISOString() } },
      { ...context, creates: true },
    );
    const done = await registerUser(auth.deps(), { email, password, roles: ['customer'] }, context);
    expect(done.user_id).to.equal(user_id);
    expect(await auth.eventsOf(`emailclaim-${hmac}`)).to.have.length(1);
  });

  it('gives the roles a seeding command asks for', async () => {
    const email = newEmail();
    const commandId = newId();
    const made = await registerUser(
      auth.deps(),
      { email, password, roles: ['admin'] },
      { commandId, correlationId: commandId },
    );
    expect(made.roles).to.deep.equal(['admin']);
    expect((await auth.login({ email, password })).body.data['roles']).to.deep.equal(['admin']);
  });
});
