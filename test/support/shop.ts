import { generateKeyPairSync } from 'node:crypto';
import type { Db } from 'mongodb';
import { type AuditOptions, type AuditReport, audit } from '../../cli/audit/audit.js';
import { readProviderLedger } from '../../cli/audit/provider-ledger.js';
import { storedReadModels } from '../../cli/audit/read-models.js';
import { buildCommandApp } from '../../command-api/app.js';
import { registerUser } from '../../command-api/auth/register-user.js';
import { createTokenSigner } from '../../command-api/auth/token-signer.js';
import {
  type FulfilmentRunner,
  type RunnerOptions,
  startFulfilmentRunner,
} from '../../command-api/process-manager/fulfilment-runner.js';
import { stripeClient, stripeProvider } from '../../command-api/process-manager/payment-provider.js';
import { openWriteSide, type WriteSide } from '../../command-api/write-side.js';
import { eventCatalog } from '../../domain/event-catalog.js';
import type { Role } from '../../domain/user/user-events.js';
import { startPaymentProvider } from '../../embedded/payment-provider/start-payment-provider.js';
import { buildGateway } from '../../gateway/app.js';
import { createRateLimiter } from '../../gateway/rate-limit.js';
import { allProjections } from '../../projections/all-projections.js';
import { startProjections } from '../../projections/projector.js';
import { buildReadApp } from '../../read-api/app.js';
import { connectDocumentStore } from '../../runtime/document-store/connect.js';
import type { StoredEvent } from '../../runtime/event-store/event-log.js';
import { listen } from '../../runtime/http/listen.js';
import { newId } from '../../runtime/ids.js';
import { type Logger, silentLogger } from '../../runtime/logger.js';
import { openPersonalData } from '../../runtime/personal-data/personal-data.js';
import { generousLimits } from './generous-limits.js';
import { startTestDocuments, startTestLog, temporaryFolder } from './stores.js';

const secrets = {
  internal: '11'.repeat(32),
  hmac: '22'.repeat(32),
  master: '33'.repeat(32),
  payment: 'sk_test_shopledger_tests',
  webhook: 'whsec_shopledger_tests',
};

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any;
}

export interface CallOptions {
  readonly token?: string | undefined;
  readonly headers?: Record<string, string>;
  /** Sent as it is. */
  readonly raw?: string;
}

/** The whole shop in one process: real servers, real HTTP, the gateway in front. */
export interface TestShop {
  readonly gatewayUrl: string;
  readonly commandUrl: string;
  readonly eventStoreUrl: string;
  readonly documentStore: { readonly url: string; readonly db: Db };
  readonly providerUrl: string;
  readonly providerKey: string;
  readonly webhookSecret: string;
  readonly writeSide: WriteSide;
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Answer>;
  /** Registers a user and logs in. @returns the access token */
  logIn(roles?: readonly Role[]): Promise<{ token: string; userId: string; email: string; password: string }>;
  /** Every event of the log outside the system's and the side streams. */
  events(): Promise<StoredEvent[]>;
  /** What the log holds of an order's flow, in log order. */
  flowOf(orderId: string): Promise<StoredEvent[]>;
  /** Stops every process manager; `startFulfilment` begins a new one where they stopped. */
  stopFulfilment(): Promise<void>;
  startFulfilment(change?: (options: RunnerOptions) => RunnerOptions): Promise<FulfilmentRunner>;
  /** Ends command-api and opens it anew, with nothing in its caches. */
  restartCommandApi(): Promise<void>;
  /** Holds everything against the invariants, with no grace for what is under way unless told otherwise. */
  audit(options?: AuditOptions): Promise<AuditReport>;
  close(): Promise<void>;
}

export async function startTestShop(log: Logger = silentLogger): Promise<TestShop> {
  const [events, documents, folder] = await Promise.all([startTestLog(), startTestDocuments(), temporaryFolder()]);
  const store = await connectDocumentStore({ url: documents.url, database: 'shop', appName: 'tests' });
  const personalData = openPersonalData({ db: store.db, masterKey: secrets.master, log });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = await createTokenSigner(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  const clock = () => new Date();

  let commandPort = 0;
  const openCommandApi = async () => {
    const side = await openWriteSide(events.url, 'command-api', log);
    const app = buildCommandApp({
      ...side,
      personalData,
      hmacSecret: secrets.hmac,
      internalSecret: secrets.internal,
      webhookSecret: secrets.webhook,
      signer,
      ping: store.ping,
      clock,
      log,
    });
    const listening = await listen(app, commandPort);
    commandPort = listening.port;
    return { side, listening };
  };
  let commandApi = await openCommandApi();
  const provider = await startPaymentProvider({
    dataDir: folder.path,
    port: 0,
    secretKey: secrets.payment,
    webhook: { url: `${commandApi.listening.url}/payments/webhooks/stripe`, secret: secrets.webhook },
    log,
  });

  const running = new Set<() => Promise<void>>();
  const startFulfilment: TestShop['startFulfilment'] = async (change = (options) => options) => {
    const side = await openWriteSide(events.url, 'process-manager', log);
    const runner = await startFulfilmentRunner(
      change({
        ...side,
        catalog: eventCatalog,
        provider: stripeProvider(stripeClient({ secretKey: secrets.payment, url: provider.url })),
        policy: {
          reservationMs: 900_000,
          paymentMs: 600_000,
          graceMs: 30_000,
          refundRetryMs: 30_000,
          lowStockThreshold: 0,
        },
        clock,
        log,
        sweepMs: 250,
      }),
    );
    const stop = async () => {
      running.delete(stop);
      await runner.close();
      await side.close();
    };
    running.add(stop);
    return runner;
  };
  const stopFulfilment = async () => {
    for (const stop of running) await stop();
  };
  await startFulfilment();

  const projections = await startProjections({
    eventLog: events.eventLog,
    db: store.db,
    log,
    projections: allProjections,
  });
  const readApp = buildReadApp({
    db: store.db,
    ping: store.ping,
    internalSecret: secrets.internal,
    openPersonal: (personal) => personalData.open(personal),
    log,
  });
  const readApi = await listen(readApp, 0);
  const gateway = buildGateway({
    upstreams: { 'command-api': commandApi.listening.url, 'read-api': readApi.url },
    internalSecret: secrets.internal,
    issuer: 'shopledger',
    audience: 'shopledger',
    algorithms: ['ES256', 'EdDSA'],
    limiter: createRateLimiter({ redis: undefined, table: generousLimits }),
    trustedProxies: 0,
    log,
  });
  const front = await listen(gateway.app, 0);

  const call: TestShop['call'] = async (method, path, body, options = {}) => {
    const response = await fetch(`${front.url}${path}`, {
      method,
      headers: {
        ...(body === undefined && options.raw === undefined ? {} : { 'content-type': 'application/json' }),
        ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
        ...options.headers,
      },
      ...(options.raw !== undefined ? { body: options.raw } : body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
  };

  const recorded = async (): Promise<StoredEvent[]> => {
    const all: StoredEvent[] = [];
    for await (const event of events.eventLog.readAll()) {
      if (!/^(checkpoint|snapshot)-/.test(event.stream)) all.push(event);
    }
    return all;
  };

  return {
    gatewayUrl: front.url,
    commandUrl: commandApi.listening.url,
    eventStoreUrl: events.url,
    documentStore: { url: documents.url, db: store.db },
    providerUrl: provider.url,
    providerKey: secrets.payment,
    webhookSecret: secrets.webhook,
    get writeSide() {
      return commandApi.side;
    },
    call,
    async logIn(roles = ['customer']) {
      const email = `${newId()}@example.com`;
      const password = 'correct horse battery';
      const commandId = newId();
      const deps = { commands: commandApi.side.commands, personalData, hmacSecret: secrets.hmac, clock };
      const { user_id } = await registerUser(deps, { email, password, roles }, { commandId, correlationId: commandId });
      const { body } = await call('POST', '/api/v1/auth/login', { email, password });
      return { token: body.data.access_token, userId: user_id, email, password };
    },
    events: recorded,
    flowOf: async (orderId) => (await recorded()).filter(({ metadata }) => metadata['$correlationId'] === orderId),
    stopFulfilment,
    startFulfilment,
    async restartCommandApi() {
      await commandApi.listening.close();
      await commandApi.side.close();
      commandApi = await openCommandApi();
    },
    audit: (options) =>
      audit(events.eventLog, storedReadModels(store.db), () => readProviderLedger(provider.url, secrets.payment), {
        graceMs: 0,
        waitMs: 20_000,
        ...options,
      }),
    async close() {
      await front.close();
      await gateway.close();
      await readApi.close();
      await projections.close();
      await stopFulfilment();
      await commandApi.listening.close();
      await provider.close();
      await commandApi.side.close();
      await store.close();
      await events.close();
      await documents.close();
      await folder.remove();
    },
  };
}
