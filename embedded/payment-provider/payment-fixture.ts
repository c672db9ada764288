import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import { silentLogger } from '../../runtime/logger.js';
import { type PaymentProvider, startPaymentProvider } from './start-payment-provider.js';
import type { WebhookTarget } from './webhooks.js';

// For tests alone: a provider on a temporary directory with the official client before it.

export const secretKey = 'sk_test_0123456789abcdef';

export const order = {
  amount: 2999,
  currency: 'usd',
  payment_method: 'pm_card_visa',
  confirm: true,
  metadata: { order: '7' },
};

export function sdk(port: number, key = secretKey): Stripe {
  return new Stripe(key, { host: '127.0.0.1', port, protocol: 'http', maxNetworkRetries: 0, telemetry: false });
}

/** What the provider refused a call with; a call that succeeds is a failure. */
export async function refused(promise: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  const err = await promise.then(
    () => new Error('nothing was refused'),
    (reason: unknown) => reason,
  );
  if (err instanceof Stripe.errors.StripeError) return err;
  throw err;
}

export type PaymentFixture = Awaited<ReturnType<typeof startPaymentFixture>>;

export async function startPaymentFixture(webhook?: WebhookTarget) {
  const dataDir = await mkdtemp(join(tmpdir(), 'shopledger-payments-'));
  const launch = () =>
    startPaymentProvider({
      dataDir,
      port: 0,
      secretKey,
      log: silentLogger,
      webhookLimits: { firstBackoffMs: 5 },
      ...(webhook === undefined ? {} : { webhook }),
    });
  let provider: PaymentProvider = await launch();
  let stripe = sdk(provider.port);
  const fixture = {
    dataDir,
    get provider() {
      return provider;
    },
    get stripe() {
      return stripe;
    },
    /** On the same data, with a new client; the one before must be closed. */
    async start() {
      provider = await launch();
      stripe = sdk(provider.port);
    },
    async restart() {
      await provider.close();
      await fixture.start();
    },
    raw: (path: string, init: RequestInit = {}) =>
      fetch(`${provider.url}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${secretKey}`, ...init.headers },
      }),
    ledger: async (query = '') => JSON.parse(await (await fixture.raw(`/ledger${query}`)).text()),
    async close() {
      await provider.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  return fixture;
}
