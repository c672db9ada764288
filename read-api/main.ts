import { z } from 'zod';
import { loadConfig, logLevel, port, secret } from '../runtime/config.js';
import { connectDocumentStore } from '../runtime/document-store/connect.js';
import { listen } from '../runtime/http/listen.js';
import { runService } from '../runtime/lifecycle.js';
import { createLogger } from '../runtime/logger.js';
import { openPersonalData } from '../runtime/personal-data/personal-data.js';
import { buildReadApp } from './app.js';

const schema = z.object({
  MONGODB_URL: z.string().default('mongodb://127.0.0.1:4011'),
  MONGODB_DATABASE: z.string().default('shopledger'),
  INTERNAL_SECRET: secret,
  MASTER_KEY: secret,
  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(4004),
  LOG_LEVEL: logLevel,
});

const log = createLogger('read-api', logLevel.catch('info').parse(process.env['LOG_LEVEL']));

await runService('read-api', log, async () => {
  const config = loadConfig(schema);
  const store = await connectDocumentStore({
    url: config.MONGODB_URL,
    database: config.MONGODB_DATABASE,
    appName: 'read-api',
    // The gateway gives a read five seconds; a store that hangs must be told from one that is slow before that.
    selectionTimeoutMs: 2_000,
    operationTimeoutMs: 3_000,
  });
  const personalData = openPersonalData({ db: store.db, masterKey: config.MASTER_KEY, log });
  const app = buildReadApp({
    db: store.db,
    ping: store.ping,
    internalSecret: config.INTERNAL_SECRET,
    openPersonal: (personal) => personalData.open(personal),
    log,
  });
  const listening = await listen(app, config.PORT, config.HOST);
  return {
    ready: { port: listening.port },
    async close() {
      await listening.close();
      await store.close();
    },
  };
});
