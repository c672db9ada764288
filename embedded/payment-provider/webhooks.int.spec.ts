import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import Stripe from 'stripe';
import { silentLogger } from '../../runtime/logger.js';
import { type PaymentProvider, startPaymentProvider } from './start-payment-provider.js';
import { startWebhookReceiver, type WebhookReceiver, webhookSecret } from './webhook-receiver.js';
import type { WebhookLimits } from './webhooks.js';

const secretKey = 'sk_test_0123456789abcdef';
const order = {
  amount: 2999,
  currency: 'usd',
  payment_method: 'pm_card_visa',
  confirm: true,
  metadata: { order: '7' },
};

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

describe('payment provider webhooks', () => {
  let dataDir: string;
  let provider: PaymentProvider;
  let stripe: Stripe;
  let receiver: WebhookReceiver;

  const start = async (webhookLimits: Partial<WebhookLimits> = {}, url = receiver.url) => {
    provider = await startPaymentProvider({
      dataDir,
      port: 0,
      secretKey,
      log: silentLogger,
      webhook: { url, secret: webhookSecret },
      webhookLimits: { firstBackoffMs: 5, ...webhookLimits },
    });
    stripe = new Stripe(secretKey, { host: '127.0.0.1', port: provider.port, protocol: 'http', telemetry: false });
  };
  const types = () => receiver.received.map((event) => event.type).toSorted();

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'shopledger-webhooks-'));
    receiver = await startWebhookReceiver();
  });

  afterEach(async () => {
    await provider.close();
    receiver.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('come a while after what they tell, unless the card says when', async () => {
    await start({ firstWaitMs: 1_500 });
    const first = await stripe.paymentIntents.create(order);
    const second = await stripe.paymentIntents.create({ ...order, payment_method: 'pm_card_webhookLate_1s' });
    await until(() => receiver.received.length === 2);
    const told = receiver.received.map(({ data }) => (data.object as { id: string }).id);
    expect(told).to.deep.equal([second.id, first.id]);
  });

  it('tell every outcome, with a signature that the SDK verifies', async () => {
    await start();
    const intent = await stripe.paymentIntents.create(order, { idempotencyKey: 'order-7-1' });
    await until(() => receiver.received.length === 1);
    expect(receiver.received[0]?.type).to.equal('payment_intent.succeeded');
    expect(receiver.received[0]?.data.object).to.deep.include({
      id: intent.id,
      status: 'succeeded',
      metadata: { order: '7' },
    });
    expect(receiver.received[0]?.request?.idempotency_key).to.equal('order-7-1');

    await stripe.paymentIntents.create({ ...order, payment_method: 'pm_card_chargeDeclined' }).catch(() => {});
    await stripe.refunds.create({ payment_intent: intent.id, amount: 1000 });
    const open = await stripe.paymentIntents.create({ amount: 5, currency: 'eur' });
    await stripe.paymentIntents.cancel(open.id);
    await until(() => receiver.received.length === 5);
    expect(types()).to.deep.equal([
      'charge.refunded',
      'payment_intent.canceled',
      'payment_intent.payment_failed',
      'payment_intent.succeeded',
      'refund.created',
    ]);
    const refund = receiver.received.find((event) => event.type === 'refund.created');
    expect(refund?.data.object).to.include({ payment_intent: intent.id, amount: 1000 });
  });

  it('are not told again for a repeated request', async () => {
    await start();
    await stripe.paymentIntents.create(order, { idempotencyKey: 'one' });
    await stripe.paymentIntents.create(order, { idempotencyKey: 'one' });
    await stripe.paymentIntents.create(order, { idempotencyKey: 'two' });
    await until(() => receiver.received.length >= 2);
    expect(new Set(receiver.received.map((event) => event.request?.idempotency_key))).to.deep.equal(
      new Set(['one', 'two']),
    );
  });

  it('are repeated, as the same event, until they are accepted', async () => {
    receiver.statuses = [500, 302, 0];
    await start();
    await stripe.paymentIntents.create(order);
    await until(() => receiver.received.length === 4);
    expect(new Set(receiver.received.map((event) => event.id)).size).to.equal(1);
    await provider.close();
    await start();
    await stripe.paymentIntents.create(order);
    await until(() => receiver.received.length === 5);
    expect(receiver.received[4]?.id).not.to.equal(receiver.received[0]?.id);
  });

  it('are given up after so many attempts', async () => {
    receiver.statuses = Array.from({ length: 3 }, () => 500);
    await start({ maxAttempts: 3 });
    await stripe.paymentIntents.create(order);
    await until(() => receiver.received.length === 3);
    await provider.close();
    await start({ maxAttempts: 3 });
    await stripe.paymentIntents.create(order);
    await until(() => receiver.received.length === 4);
    expect(receiver.received[3]?.id).not.to.equal(receiver.received[0]?.id);
  });

  it('survive a restart while the shop is down', async () => {
    receiver.statuses = Array.from({ length: 1_000 }, () => 503);
    await start();
    const intents = await Promise.all([1, 2, 3].map(() => stripe.paymentIntents.create(order)));
    await until(() => receiver.received.length >= 3);
    await provider.close();
    receiver.statuses = [];
    receiver.received.length = 0;
    await start();
    await until(() => receiver.received.length === 3);
    const told = receiver.received.map((event) => (event.data.object as { id: string }).id).toSorted();
    expect(told).to.deep.equal(intents.map((intent) => intent.id).toSorted());
  });

  it('that the shop never answers do not hold up the end, and are delivered later', async () => {
    const mute = createServer(() => {}).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    await start({ drainMs: 20 }, `http://127.0.0.1:${(mute.address() as AddressInfo).port}/`);
    const asked = once(mute, 'request');
    await stripe.paymentIntents.create(order);
    await asked;
    await provider.close();
    mute.close();
    mute.closeAllConnections();
    await start();
    await until(() => receiver.received.length === 1);
  });

  it('are dropped when too many wait, and payments go on', async () => {
    receiver.statuses = Array.from({ length: 1_000 }, () => 503);
    await start({ maxPending: 2, firstBackoffMs: 600_000, maxBackoffMs: 600_000 });
    for (let n = 0; n < 5; n += 1) await stripe.paymentIntents.create(order);
    await until(() => receiver.received.length === 2);
    await provider.close();
    receiver.statuses = [];
    await start();
    expect(new Set(receiver.received.map((event) => event.id)).size).to.equal(2);
  });
});
