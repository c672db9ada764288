import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../../runtime/logger.js';
import { buildProviderApp, type Silence } from './app.js';
import { openLedger } from './ledger.js';
import { startOperations } from './operations.js';
import { startWebhooks, type WebhookLimits, type WebhookTarget } from './webhooks.js';

export interface PaymentProviderOptions {
  dataDir: string;
  /** 0 picks a free one */
  port: number;
  /** 127.0.0.1 unless given */
  host?: string;
  secretKey: string;
  webhook?: WebhookTarget;
  webhookLimits?: Partial<WebhookLimits>;
  log: Logger;
  clock?: () => Date;
  newId?: (prefix: string) => string;
}

export interface PaymentProvider {
  port: number;
  url: string;
  close(): Promise<void>;
}

const drainLimitMs = 5_000;

/**
 * Starts a sandbox payment provider that the official `stripe` SDK talks to. What it answered is on disk.
 *
 * @throws LockedError, LedgerFormatError, and the system's error when the port is taken
 */
export async function startPaymentProvider(options: PaymentProviderOptions): Promise<PaymentProvider> {
  const { log, clock = () => new Date(), newId = randomId, host = '127.0.0.1' } = options;
  const ledger = openLedger(options.dataDir);
  const webhooks =
    options.webhook === undefined
      ? undefined
      : startWebhooks(options.webhook, { ledger, log, clock, newId, limits: options.webhookLimits ?? {} });
  const operations = startOperations({ ledger, webhooks, clock, newId, log });
  const silence: Silence = new Set();
  const app = buildProviderApp({ ledger, operations, secretKey: options.secretKey, clock, newId, log }, silence);
  // Longer than the SDK keeps an idle connection, so that it never writes to one that is being closed.
  const server = createServer({ keepAliveTimeout: 120_000 }, (req, res) => void app(req, res));
  const closeParts = async () => {
    await operations.close();
    await webhooks?.close();
    await ledger.close();
  };
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port, host, resolve);
    });
  } catch (err) {
    await closeParts();
    throw portError(err, options.port);
  }
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${host}:${port}`,
    async close() {
      const limit = setTimeout(() => server.closeAllConnections(), drainLimitMs);
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        operations.hurry();
        for (const unanswered of silence) unanswered.destroy();
      });
      clearTimeout(limit);
      await closeParts();
    },
  };
}

function portError(err: unknown, port: number): unknown {
  const inUse = err instanceof Error && 'code' in err && err.code === 'EADDRINUSE';
  return inUse ? new Error(`Port ${port}, where the payment provider should listen, is already in use.`) : err;
}

/** Hexadecimal: 96 random bits after the prefix, as `pi_5f...`. */
function randomId(prefix: string): string {
  return `${prefix}_${randomBytes(12).toString('hex')}`;
}
