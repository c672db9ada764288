import { z } from 'zod';
import { loadConfig, logLevel, port } from '../runtime/config.js';
import { connectDocumentStore } from '../runtime/document-store/connect.js';
import { openEventLog } from '../runtime/event-store/event-log.js';
import { listen } from '../runtime/http/listen.js';
import { runService } from '../runtime/lifecycle.js';
import { createLogger } from '../runtime/logger.js';
import { allProjections } from './all-projections.js';
import { buildProjectionsApp } from './app.js';
import { startProjections } from './projector.js';

const schema = z.object({
  EVENTSTORE_URL: z.string().default('esdb://127.0.0.1:4010?tls=false'),
  MONGODB_URL: z.string().default('mongodb://127.0.0.1:4011'),
  MONGODB_DATABASE: z.string().default('shopledger'),
  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(4003),
  LOG_LEVEL: logLevel,
  LAG_LIMIT_SECONDS: z.coerce.number().int().min(1).default(60),
  PARKED_KEYS_LIMIT: z.coerce.number().int().min(0).default(1_000),
  PARKED_EVENTS_LIMIT: z.coerce.number().int().min(0).default(100_000),
});

const log = createLogger('projections', logLevel.catch('info').parse(process.env['LOG_LEVEL']));

await runService('projections', log, async () => {
  const config = loadConfig(schema);
  const store = await connectDocumentStore({
    url: config.MONGODB_URL,
    database: config.MONGODB_DATABASE,
    appName: 'projections',
  });
  const eventLog = openEventLog(config.EVENTSTORE_URL, log);
  const limits = { keys: config.PARKED_KEYS_LIMIT, events: config.PARKED_EVENTS_LIMIT };
  const running = await startProjections({ eventLog, db: store.db, log, projections: allProjections, limits });
  const app = buildProjectionsApp({
    eventLog,
    running,
    ping: store.ping,
    log,
    lagLimitSeconds: config.LAG_LIMIT_SECONDS,
  });
  const listening = await listen(app, config.PORT, config.HOST);
  return {
    ready: { port: listening.port },
    async close() {
      await listening.close();
      await running.close();
      await eventLog.close();
      await store.close();
    },
  };
});
