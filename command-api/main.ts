import { z } from 'zod';
import { loadConfig, logLevel, port, secret } from '../runtime/config.js';
import { connectDocumentStore } from '../runtime/document-store/connect.js';
import { listen } from '../runtime/http/listen.js';
import { runService } from '../runtime/lifecycle.js';
import { createLogger } from '../runtime/logger.js';
import { openPersonalData } from '../runtime/personal-data/personal-data.js';
import { buildCommandApp } from './app.js';
import { loadTokenSigner } from './auth/token-signer.js';
import { openWriteSide } from './write-side.js';

const schema = z.object({
  EVENTSTORE_URL: z.string().default('esdb://127.0.0.1:4010?tls=false'),
  MONGODB_URL: z.string().default('mongodb://127.0.0.1:4011'),
  MONGODB_DATABASE: z.string().default('shopledger'),
  INTERNAL_SECRET: secret,
  HMAC_SECRET: secret,
  MASTER_KEY: secret,
  JWT_PRIVATE_KEY_FILE: z.string().min(1),
  PAYMENT_WEBHOOK_SECRET: z.string().min(8),
  WEBHOOK_GRACE_SECONDS: z.coerce.number().min(0).max(3600).default(30),
  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(4001),
  LOG_LEVEL: logLevel,
});

const log = createLogger('command-api', logLevel.catch('info').parse(process.env['LOG_LEVEL']));

await runService('command-api', log, async () => {
  const config = loadConfig(schema);
  const signer = await loadTokenSigner(config.JWT_PRIVATE_KEY_FILE);
  const store = await connectDocumentStore({
    url: config.MONGODB_URL,
    database: config.MONGODB_DATABASE,
    appName: 'command-api',
  });
  const writeSide = await openWriteSide(config.EVENTSTORE_URL, 'command-api', log);
  const app = buildCommandApp({
    ...writeSide,
    personalData: openPersonalData({ db: store.db, masterKey: config.MASTER_KEY, log }),
    hmacSecret: config.HMAC_SECRET,
    internalSecret: config.INTERNAL_SECRET,
    webhookSecret: config.PAYMENT_WEBHOOK_SECRET,
    webhookGraceMs: config.WEBHOOK_GRACE_SECONDS * 1000,
    signer,
    ping: store.ping,
    clock: () => new Date(),
    log,
  });
  const listening = await listen(app, config.PORT, config.HOST);
  return {
    ready: { port: listening.port },
    async close() {
      await listening.close();
      await writeSide.close();
      await store.close();
    },
  };
});
