import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { loadConfig, logLevel, port } from '../../runtime/config.js';
import { runService } from '../../runtime/lifecycle.js';
import { createLogger } from '../../runtime/logger.js';
import { startPaymentProvider } from './start-payment-provider.js';

const environment = z.object({
  PAYMENT_SECRET_KEY: z.string().min(16, 'must have at least 16 characters'),
  PAYMENT_WEBHOOK_URL: z.url({ protocol: /^https?$/ }).optional(),
  PAYMENT_WEBHOOK_SECRET: z.string().min(16, 'must have at least 16 characters').optional(),
  /** As providers do it: the answer to the call itself comes first. */
  PAYMENT_WEBHOOK_DELAY_MS: z.coerce.number().int().min(0).max(60_000).default(1_000),
  LOG_LEVEL: logLevel,
});

/** Runs the provider as a process: `--data <folder> [--port 0] [--host 127.0.0.1]`, secrets from the environment. */
export async function runPaymentProvider(argv: string[]): Promise<void> {
  const level = logLevel.safeParse(process.env['LOG_LEVEL']);
  const log = createLogger('payment-provider', level.success ? level.data : 'info');
  await runService('payment-provider', log, async () => {
    const { values } = parseArgs({
      args: argv,
      options: { port: { type: 'string', default: '0' }, data: { type: 'string' }, host: { type: 'string' } },
    });
    if (values.data === undefined) throw new Error('--data <folder> is needed.');
    const listenOn = port.safeParse(values.port);
    if (!listenOn.success) throw new Error('--port must be a number from 0 to 65535.');
    const config = loadConfig(environment);
    const { PAYMENT_WEBHOOK_URL: url, PAYMENT_WEBHOOK_SECRET: secret } = config;
    if ((url === undefined) !== (secret === undefined)) {
      throw new Error('PAYMENT_WEBHOOK_URL and PAYMENT_WEBHOOK_SECRET are needed together.');
    }
    const provider = await startPaymentProvider({
      dataDir: values.data,
      port: listenOn.data,
      ...(values.host === undefined ? {} : { host: values.host }),
      secretKey: config.PAYMENT_SECRET_KEY,
      ...(url === undefined || secret === undefined ? {} : { webhook: { url, secret } }),
      webhookLimits: { firstWaitMs: config.PAYMENT_WEBHOOK_DELAY_MS },
      log,
    });
    return { ready: { port: provider.port, url: provider.url }, close: () => provider.close() };
  });
}

const started = process.argv[1];
if (started !== undefined && realpathSync(started) === fileURLToPath(import.meta.url)) {
  await runPaymentProvider(process.argv.slice(2));
}
