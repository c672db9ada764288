import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { MongoClient } from 'mongodb';
import type { DomainError } from '../../domain/core/domain-error.js';
import { eventCatalog } from '../../domain/event-catalog.js';
import { startDocumentStore } from '../../embedded/document-store-server/document-store.js';
import { startEventStore } from '../../embedded/event-store-server/server.js';
import { type EventLog, openEventLog, type StoredEvent } from '../../runtime/event-store/event-log.js';
import { buildApp, type Envelope } from '../../runtime/http/app.js';
import { internalTokenSigner } from '../../runtime/http/internal-token.js';
import { type Listening, listen } from '../../runtime/http/listen.js';
import { deriveId, newId } from '../../runtime/ids.js';
import { silentLogger } from '../../runtime/logger.js';
import { openPersonalData, type PersonalData } from '../../runtime/personal-data/personal-data.js';
import { type CommandHandler, createCommandHandler } from '../handle-command.js';
import { authRoutes } from './auth-routes.js';
import { emailHmacOf } from './email.js';
import { emailClaimAggregate, registerUser, userAggregate } from './register-user.js';
import { createTokenSigner, type TokenSigner } from './token-signer.js';

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Envelope & { data: Record<string, unknown> };
}

describe('the auth routes', function () {
  this.timeout(30_000);
  const internalSecret = randomBytes(32).toString('hex');
  const hmacSecret = randomBytes(32).toString('hex');
  const masterKey = randomBytes(32).toString('hex');
  const sign = internalTokenSigner(internalSecret);
  const password = 'correct horse battery';
  const closing: (() => Promise<unknown>)[] = [];
  let log: EventLog;
  let commands: CommandHandler;
  let personalData: PersonalData;
  let signer: TokenSigner;
  let server: Listening;

  const newCommands = () =>
    createCommandHandler({ eventLog: log, catalog: eventCatalog, service: 'command-api', log: silentLogger });
  const newEmail = () => `${randomUUID()}@example.org`;
  const deps = () => ({ commands, personalData, hmacSecret, clock: () => new Date() });

  before(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'auth-'));
    closing.push(() => rm(folder, { recursive: true, force: true }));
    const events = await startEventStore({ dataDir: join(folder, 'events'), port: 0, log: silentLogger });
    closing.push(() => events.close());
    const documents = await startDocumentStore({ dataDir: join(folder, 'documents'), port: 0, log: silentLogger });
    closing.push(() => documents.close());
    log = openEventLog(events.connectionString, silentLogger);
    closing.push(() => log.close());
    const client = new MongoClient(documents.connectionString);
    closing.push(() => client.close());
    personalData = openPersonalData({ db: client.db('auth'), masterKey, log: silentLogger });
    commands = newCommands();
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    signer = await createTokenSigner(String(privateKey.export({ type: 'pkcs8', format: 'pem' })));
    const router = authRoutes({ ...deps(), signer, log: silentLogger });
    const options = { service: 'command-api', log: silentLogger, internalSecret, checks: {} };
    server = await listen(
      buildApp(options, (app) => void app.use(router)),
      0,
    );
    closing.push(() => server.close());
  });

  after(async () => {
    for (const close of closing.reverse()) await close();
  });

  const call = async (
    method: string,
    path: string,
    body?: unknown,
    options: { key?: string; userId?: string } = {},
  ): Promise<Answer> => {
    const caller =
      options.userId === undefined ? ('anonymous' as const) : { userId: options.userId, roles: ['customer'] };
    const answer = await fetch(`${server.url}${path}`, {
      method,
      headers: {
        'x-internal-token': await sign(caller),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(options.key === undefined ? {} : { 'idempotency-key': options.key }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Answer['body'] };
  };
  const register = (body: unknown, key?: string) =>
    call('POST', '/auth/register', body, key === undefined ? {} : { key });
  const login = (body: unknown) => call('POST', '/auth/login', body);
  const eventsOf = async (stream: string): Promise<StoredEvent[]> => {
    const events: StoredEvent[] = [];
    for await (const event of log.readStream(stream)) events.push(event);
    return events;
  };

  describe('registration', () => {
    it('makes a customer whose personal data are sealed in the log', async () => {
      const email = newEmail();
      const answer = await register({ email: ` ${email.toUpperCase()} `, password, name: 'Ada', phone: '+44 20 7946' });
      expect(answer.status).to.equal(201);
      expect(answer.body.success).to.equal(true);
      const { user_id, roles } = answer.body.data;
      expect(roles).to.deep.equal(['customer']);
      const claims = await eventsOf(`emailclaim-${emailHmacOf(hmacSecret, email)}`);
      expect(claims.map(({ type, data }) => [type, data])).to.deep.equal([['email.claimed', { user_id }]]);
      const [created, ...more] = await eventsOf(`user-${String(user_id)}`);
      expect(more).to.deep.equal([]);
      expect(created?.type).to.equal('user.created');
      expect(answer.headers.get('x-consistency-token')).to.equal(String(created?.position));
      const text = JSON.stringify([created?.data, created?.metadata]);
      for (const clear of [email, 'Ada', '7946', password, 'argon2']) expect(text).not.to.include(clear);
      const opened = await personalData.open(created?.data['personal'] as never);
      expect(opened).to.include({ email, name: 'Ada', phone: '+44 20 7946' });
      expect(opened)
        .to.have.property('password_hash')
        .that.matches(/^\$argon2id\$/);
    });

    it('refuses an address that is taken, however it is written', async () => {
      const email = newEmail();
      expect((await register({ email, password })).status).to.equal(201);
      const again = await register({ email: `  ${email.toUpperCase()}`, password: 'another password' });
      expect(again.status).to.equal(409);
      expect(again.body.code).to.equal('email-taken');
      expect((await login({ email, password: 'another password' })).status).to.equal(401);
    });

    it('gives an address to one of many who want it at once', async () => {
      const email = newEmail();
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, at) => register({ email, password: `${password}${at}` })),
      );
      expect(answers.filter(({ status }) => status === 201)).to.have.length(1);
      expect(answers.filter(({ body }) => body.code === 'email-taken')).to.have.length(7);
      const winner = answers.findIndex(({ status }) => status === 201);
      expect((await login({ email, password: `${password}${winner}` })).status).to.equal(200);
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
        const answer = await register(body);
        expect([answer.status, answer.body.code], JSON.stringify(body)).to.deep.equal([422, 'validation-failed']);
        expect(JSON.stringify(answer.body)).not.to.include(password);
      }
      expect((await register('{"email":')).body.code).to.equal('malformed-json');
      expect(await eventsOf(`emailclaim-${emailHmacOf(hmacSecret, email)}`)).to.deep.equal([]);
    });

    it('answers a repeat under the same key alike, at once, later and in another process', async () => {
      const email = newEmail();
      const body = { email, password, name: 'Ada' };
      const answers = await Promise.all([register(body, 'k1'), register(body, 'k1'), register(body, 'k1')]);
      answers.push(await register(body, 'k1'));
      const first = answers[0]?.body.data;
      for (const answer of answers) {
        expect(answer.status).to.equal(201);
        expect(answer.body.data).to.deep.equal(first);
      }
      expect(await eventsOf(`user-${String(first?.['user_id'])}`)).to.have.length(1);
      expect(await eventsOf(`emailclaim-${emailHmacOf(hmacSecret, email)}`)).to.have.length(1);
    });

    it('answers a repeat alike in a process that starts later', async () => {
      const commandId = newId();
      const context = { commandId, correlationId: commandId, requestHash: 'ab'.repeat(32) };
      const registration = { email: newEmail(), password, roles: ['customer'] as const };
      const first = await registerUser(deps(), registration, context);
      const later = { ...deps(), commands: newCommands() };
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
      expect((await register({ email, password, name: 'Ada' }, 'k2')).status).to.equal(201);
      for (const other of [{ name: 'Grace' }, { name: undefined }, { password: 'another password' }]) {
        const answer = await register({ email, password, name: 'Ada', ...other }, 'k2');
        expect([answer.status, answer.body.code]).to.deep.equal([422, 'idempotency-key-reused']);
      }
    });

    it('keeps people apart who chose the same key', async () => {
      const [one, other] = await Promise.all([
        register({ email: newEmail(), password }, 'same'),
        register({ email: newEmail(), password }, 'same'),
      ]);
      expect([one?.status, other?.status]).to.deep.equal([201, 201]);
      expect(one?.body.data['user_id']).not.to.equal(other?.body.data['user_id']);
    });

    it('goes on where a registration ended between claim and user, for whoever comes next', async () => {
      const email = newEmail();
      const orphan = newId();
      await commands.handle(
        emailClaimAggregate,
        emailHmacOf(hmacSecret, email),
        { type: 'ClaimEmail', data: { user_id: orphan }, metadata: { now: new Date().toISOString() } },
        { commandId: newId(), correlationId: newId(), creates: true },
      );
      const answer = await register({ email, password }, 'k3');
      expect([answer.status, answer.body.data['user_id']]).to.deep.equal([201, orphan]);
      const repeat = await register({ email, password }, 'k3');
      expect([repeat.status, repeat.body.data]).to.deep.equal([201, answer.body.data]);
      expect((await register({ email, password }, 'k4')).body.code).to.equal('email-taken');
      expect((await register({ email, password })).body.code).to.equal('email-taken');
      expect((await login({ email, password })).body.data['user_id']).to.equal(orphan);
    });

    it('goes on with its own claim when it is repeated after a crash', async () => {
      const email = newEmail();
      const context = { commandId: newId(), correlationId: newId() };
      const hmac = emailHmacOf(hmacSecret, email);
      const user_id = deriveId(context.commandId, 'user');
      await commands.handle(
        emailClaimAggregate,
        hmac,
        { type: 'ClaimEmail', data: { user_id }, metadata: { now: new Date().toISOString() } },
        { ...context, creates: true },
      );
      const done = await registerUser(deps(), { email, password, roles: ['customer'] }, context);
      expect(done.user_id).to.equal(user_id);
      expect(await eventsOf(`emailclaim-${hmac}`)).to.have.length(1);
    });

    it('gives the roles a seeding command asks for', async () => {
      const email = newEmail();
      const commandId = newId();
      const made = await registerUser(
        deps(),
        { email, password, roles: ['admin'] },
        { commandId, correlationId: commandId },
      );
      expect(made.roles).to.deep.equal(['admin']);
      expect((await login({ email, password })).body.data['roles']).to.deep.equal(['admin']);
    });
  });

  describe('log-in', () => {
    it('starts a session and issues an access token that the published keys verify', async () => {
      const email = newEmail();
      const { user_id } = (await register({ email, password })).body.data;
      const answer = await login({ email: ` ${email.toUpperCase()}`, password });
      expect(answer.status).to.equal(200);
      expect(answer.headers.get('cache-control')).to.equal('no-store');
      const { access_token, ...rest } = answer.body.data;
      expect(rest).to.deep.equal({ token_type: 'Bearer', expires_in: 900, user_id, roles: ['customer'] });
      const published = await call('GET', '/auth/jwks.json');
      const { payload } = await jwtVerify(String(access_token), createLocalJWKSet(published.body as never), {
        issuer: 'shopledger',
        audience: 'shopledger',
        typ: 'at+jwt',
      });
      expect(payload).to.include({ sub: user_id, email, role: 'customer' });
      const [started] = await eventsOf(`session-${String(payload['sid'])}`);
      expect(started?.type).to.equal('session.started');
      expect(started?.data).to.deep.equal({ session_id: payload['sid'], user_id, method: 'password' });
      expect(answer.headers.get('x-consistency-token')).to.equal(String(started?.position));
    });

    it('says the same for an unknown address, a wrong password and an erased user', async () => {
      const email = newEmail();
      const erased = newEmail();
      await register({ email, password });
      const gone = String((await register({ email: erased, password })).body.data['user_id']);
      await personalData.erase(`user:${gone}`);
      const answers = [
        await login({ email, password: 'wrong horse' }),
        await login({ email: newEmail(), password }),
        await login({ email: erased, password }),
        await login({ email, password: '' }),
      ];
      for (const { status, body } of answers) {
        expect([status, body.code, body.error]).to.deep.equal([401, 'credentials-wrong', answers[0]?.body.error]);
        expect(body).not.to.have.property('data');
      }
    });

    it('sees at once what another process wrote', async () => {
      const email = newEmail();
      const user_id = String((await register({ email, password })).body.data['user_id']);
      expect((await login({ email, password })).status).to.equal(200);
      await newCommands().handle(
        userAggregate,
        user_id,
        { type: 'EraseUser', data: { by: 'test', reason: 'asked' }, metadata: { now: new Date().toISOString() } },
        { commandId: newId(), correlationId: newId() },
      );
      expect((await login({ email, password })).status).to.equal(401);
      expect((await call('GET', '/users/profile', undefined, { userId: user_id })).status).to.equal(404);
    });

    it('refuses what it does not take', async () => {
      for (const body of [
        {},
        { email: newEmail() },
        { email: { $ne: null }, password },
        { email: newEmail(), password, otp: 1 },
      ]) {
        expect((await login(body)).status).to.equal(422);
      }
    });
  });

  describe('the profile', () => {
    it('shows the caller their own data', async () => {
      const email = newEmail();
      const user_id = String((await register({ email, password, name: 'Ada' })).body.data['user_id']);
      const answer = await call('GET', '/users/profile', undefined, { userId: user_id });
      expect(answer.status).to.equal(200);
      expect(answer.body.data).to.deep.equal({ user_id, roles: ['customer'], email, name: 'Ada', phone: null });
    });

    it('is for callers who are logged in, and exist', async () => {
      expect((await call('GET', '/users/profile')).status).to.equal(401);
      const answer = await call('GET', '/users/profile', undefined, { userId: newId() });
      expect([answer.status, answer.body.code]).to.deep.equal([404, 'user-not-found']);
    });
  });

  it('publishes its keys as a plain key set', async () => {
    const { status, body } = await call('GET', '/auth/jwks.json');
    expect(status).to.equal(200);
    expect(body).to.deep.equal(signer.jwks);
  });
});
