import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { eventCatalog } from '../../domain/event-catalog.js';
import { startDocumentStore } from '../../embedded/document-store-server/document-store.js';
import { startEventStore } from '../../embedded/event-store-server/server.js';
import { openEventLog, type StoredEvent } from '../../runtime/event-store/event-log.js';
import { buildApp, type Envelope } from '../../runtime/http/app.js';
import { internalTokenSigner } from '../../runtime/http/internal-token.js';
import { listen } from '../../runtime/http/listen.js';
import { silentLogger } from '../../runtime/logger.js';
import { openPersonalData, type PersonalData } from '../../runtime/personal-data/personal-data.js';
import { type CommandHandler, createCommandHandler } from '../handle-command.js';
import { authRoutes } from './auth-routes.js';
import type { RegisterDeps } from './register-user.js';
import { createTokenSigner, type TokenSigner } from './token-signer.js';

// For tests alone: the auth routes over HTTP, on stores of their own.

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Envelope & { data: Record<string, unknown> };
}

export interface AuthFixture {
  readonly hmacSecret: string;
  readonly commands: CommandHandler;
  readonly personalData: PersonalData;
  readonly signer: TokenSigner;
  /** A command handler that remembers nothing, as another process has it. */
  newCommands(): CommandHandler;
  deps(): RegisterDeps;
  /** Calls a route as the gateway does: for nobody, or for a customer. A body that is text is sent as it stands. */
  call(method: string, path: string, body?: unknown, options?: { key?: string; userId?: string }): Promise<Answer>;
  register(body: unknown, key?: string): Promise<Answer>;
  login(body: unknown): Promise<Answer>;
  eventsOf(stream: string): Promise<StoredEvent[]>;
  close(): Promise<void>;
}

export const password = 'correct horse battery';

export const newEmail = (): string => `${randomUUID()}@example.org`;

export async function startAuthFixture(): Promise<AuthFixture> {
  const closing: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const one of closing.splice(0).reverse()) await one();
  };
  try {
    return { ...(await start(closing)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(closing: (() => Promise<unknown>)[]): Promise<Omit<AuthFixture, 'close'>> {
  const internalSecret = randomBytes(32).toString('hex');
  const hmacSecret = randomBytes(32).toString('hex');
  const masterKey = randomBytes(32).toString('hex');
  const sign = internalTokenSigner(internalSecret);

  const folder = await mkdtemp(join(tmpdir(), 'auth-'));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  const events = await startEventStore({ dataDir: join(folder, 'events'), port: 0, log: silentLogger });
  closing.push(() => events.close());
  const documents = await startDocumentStore({ dataDir: join(folder, 'documents'), port: 0, log: silentLogger });
  closing.push(() => documents.close());
  const log = openEventLog(events.connectionString, silentLogger);
  closing.push(() => log.close());
  const client = new MongoClient(documents.connectionString);
  closing.push(() => client.close());
  const personalData = openPersonalData({ db: client.db('auth'), masterKey, log: silentLogger });
  const newCommands = () =>
    createCommandHandler({ eventLog: log, catalog: eventCatalog, service: 'command-api', log: silentLogger });
  const commands = newCommands();
  const deps = () => ({ commands, personalData, hmacSecret, clock: () => new Date() });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = await createTokenSigner(String(privateKey.export({ type: 'pkcs8', format: 'pem' })));
  const router = authRoutes({ ...deps(), signer, log: silentLogger });
  const options = { service: 'command-api', log: silentLogger, internalSecret, checks: {} };
  const server = await listen(
    buildApp(options, (app) => void app.use(router)),
    0,
  );
  closing.push(() => server.close());

  const call: AuthFixture['call'] = async (method, path, body, { key, userId } = {}) => {
    const caller = userId === undefined ? ('anonymous' as const) : { userId, roles: ['customer'] };
    const answer = await fetch(`${server.url}${path}`, {
      method,
      headers: {
        'x-internal-token': await sign(caller),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Answer['body'] };
  };

  return {
    hmacSecret,
    commands,
    personalData,
    signer,
    newCommands,
    deps,
    call,
    register: (body, key) => call('POST', '/auth/register', body, key === undefined ? {} : { key }),
    login: (body) => call('POST', '/auth/login', body),
    async eventsOf(stream) {
      const stored: StoredEvent[] = [];
      for await (const event of log.readStream(stream)) stored.push(event);
      return stored;
    },
  };
}
