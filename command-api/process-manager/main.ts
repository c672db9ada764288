import { z } from 'zod';
import { eventCatalog } from '../../domain/event-catalog.js';
import { loadConfig, logLevel, port } from '../../runtime/config.js';
import { buildApp } from '../../runtime/http/app.js';
import { listen } from '../../runtime/http/listen.js';
import { runService } from '../../runtime/lifecycle.js';
import { createLogger } from '../../runtime/logger.js';
import { openWriteSide } from '../write-side.js';
import { startDeadlines } from './deadlines.js';
import { startFulfilmentRunner } from './fulfilment-runner.js';
import { stripeClient, stripeProvider } from './payment-provider.js';

const seconds = z.coerce
  .number()
  .min(0.1)
  .max(30 * 24 * 3600);

const schema = z.object({
  EVENTSTORE_URL: z.string().default('esdb://127.0.0.1:4010?tls=false'),
  REDIS_URL: z.url().default('redis://127.0.0.1:4012'),
  PAYMENT_SECRET_KEY: z.string().min(8),
  /** The provider's API; Stripe's own where it is absent. */
  PAYMENT_URL: z.url().optional(),
  RESERVATION_SECONDS: seconds.default(900),
  PAYMENT_SECONDS: seconds.default(600),
  /** How much longer than its payment a reservation lasts. */
  PAYMENT_GRACE_SECONDS: z.coerce.number().min(0).max(3600).default(30),
  REFUND_RETRY_SECONDS: seconds.default(30),
  /** How often overdue payments, reservations and refunds are looked for. */
  SWEEP_SECONDS: seconds.default(5),
  LOW_STOCK_THRESHOLD: z.coerce.number().int().min(0).default(5),
  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(4002),
  LOG_LEVEL: logLevel,
});

const log = createLogger('process-manager', logLevel.catch('info').parse(process.env['LOG_LEVEL']));

await runService('process-manager', log, async () => {
  const config = loadConfig(schema);
  const writeSide = await openWriteSide(config.EVENTSTORE_URL, 'process-manager', log);
  const runner = await startFulfilmentRunner({
    ...writeSide,
    catalog: eventCatalog,
    provider: stripeProvider(stripeClient({ secretKey: config.PAYMENT_SECRET_KEY, url: config.PAYMENT_URL })),
    policy: {
      reservationMs: config.RESERVATION_SECONDS * 1000,
      paymentMs: config.PAYMENT_SECONDS * 1000,
      graceMs: config.PAYMENT_GRACE_SECONDS * 1000,
      refundRetryMs: config.REFUND_RETRY_SECONDS * 1000,
      lowStockThreshold: config.LOW_STOCK_THRESHOLD,
    },
    clock: () => new Date(),
    log,
    sweepMs: config.SWEEP_SECONDS * 1000,
    deadlines: (due) => startDeadlines({ url: config.REDIS_URL, log, due }),
  });
  const app = buildApp(
    {
      service: 'process-manager',
      log,
      checks: { eventStore: async () => (await writeSide.eventLog.head()) >= 0n },
    },
    (routes) => routes.get('/fulfilments', (_req, res) => void res.json(runner.status())),
  );
  const listening = await listen(app, config.PORT, config.HOST);
  return {
    ready: { port: listening.port },
    async close() {
      await listening.close();
      await runner.close();
      await writeSide.close();
    },
  };
});
