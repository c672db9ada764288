import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import Stripe from 'stripe';
import { silentLogger } from '../../runtime/logger.js';
import { type PaymentProvider, startPaymentProvider } from './start-payment-provider.js';
import type { WebhookLimits } from './webhooks.js';

const secretKey = 'sk_test_0123456789abcdef';
const secret = 'whsec_0123456789abcdef';
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
  let receiver: Server;
  let url: string;
  let received: Stripe.Event[];
  /** what the receiver answers next; 200 when there is none left */
  let statuses: number[];

  const start = async (webhookLimits: Partial<WebhookLimits> = {}) => {
    provider = await startPaymentProvider({
      dataDir,
      port: 0,
      secretKey,
      log: silentLogger,
      webhook: { url, secret },
      webhookLimits: { firstBackoffMs: 5, ...webhookLimits },
    });
    stripe = new Stripe(secretKey, { host: '127.0.0.1', port: provider.port, protocol: 'http', telemetry: false });
  };
  const types = () => received.map((event) => event.type).toSorted();

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'shopledger-webhooks-'));
    received = [];
    statuses = [];
    receiver = createServer((req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        const signature = String(req.headers['stripe-signature']);
        received.push(stripe.webhooks.constructEvent(Buffer.concat(chunks), signature, secret));
        const text = Buffer.concat(chunks).toString('utf8');
        expect(() => stripe.webhooks.constructEvent(`${text} `, signature, secret)).to.throw();
        expect(() => stripe.webhooks.constructEvent(text, signature, 'whsec_other')).to.throw();
        const status = statuses.shift() ?? 200;
        // 0: hangs up without an answer
        if (status === 0) res.destroy();
        else res.writeHead(status, { location: '/elsewhere' }).end('thanks');
      });
    }).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  });

  afterEach(async () => {
    await provider.close();
    receiver.close();
    receiver.closeAllConnections();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('tell every outcome, with a signature that the SDK verifies', async () => {
    await start();
    const intent = await stripe.paymentIntents.create(order, { idempotencyKey: 'order-7-1' });
    await until(() => received.length === 1);
    expect(received[0]?.type).to.equal('payment_intent.succeeded');
    expect(received[0]?.data.object).to.deep.include({ id: intent.id, status: 'succeeded', metadata: { order: '7' } });
    expect(received[0]?.request?.idempotency_key).to.equal('order-7-1');

    await stripe.paymentIntents.create({ ...order, payment_method: 'pm_card_chargeDeclined' }).catch(() => {});
    await stripe.refunds.create({ payment_intent: intent.id, amount: 1000 });
    const open = await stripe.paymentIntents.create({ amount: 5, currency: 'eur' });
    await stripe.paymentIntents.cancel(open.id);
    await until(() => received.length === 5);
    expect(types()).to.deep.equal([
      'charge.refunded',
      'payment_intent.canceled',
      'payment_intent.payment_failed',
      'payment_intent.succeeded',
      'refund.created',
    ]);
    const refund = received.find((event) => event.type === 'refund.created');
    expect(refund?.data.object).to.include({ payment_intent: intent.id, amount: 1000 });
  });

  it('are not told again for a repeated request', async () => {
    await start();
    await stripe.paymentIntents.create(order, { idempotencyKey: 'one' });
    await stripe.paymentIntents.create(order, { idempotencyKey: 'one' });
    await stripe.paymentIntents.create(order, { idempotencyKey: 'two' });
    await until(() => received.length >= 2);
    expect(new Set(received.map((event) => event.request?.idempotency_key))).to.deep.equal(new Set(['one', 'two']));
  });

  it('are repeated, as the same event, until they are accepted', async () => {
    statuses = [500, 302, 0];
    await start();
    await stripe.paymentIntents.create(order);
    await until(() => received.length === 4);
    expect(new Set(received.map((event) => event.id)).size).to.equal(1);
    await provider.close();
    await start();
    await stripe.paymentIntents.create(order);
    await until(() => received.length === 5);
    expect(received[4]?.id).not.to.equal(received[0]?.id);
  });

  it('are given up after so many attempts', async () => {
    statuses = Array.from({ length: 3 }, () => 500);
    await start({ maxAttempts: 3 });
    await stripe.paymentIntents.create(order);
    await until(() => received.length === 3);
    await provider.close();
    await start({ maxAttempts: 3 });
    await stripe.paymentIntents.create(order);
    await until(() => received.length === 4);
    expect(received[3]?.id).not.to.equal(received[0]?.id);
  });

  it('survive a restart while the shop is down', async () => {
    statuses = Array.from({ length: 1_000 }, () => 503);
    await start();
    const intents = await Promise.all([1, 2, 3].map(() => stripe.paymentIntents.create(order)));
    await until(() => received.length >= 3);
    await provider.close();
    statuses = [];
    received = [];
    await start();
    await until(() => received.length === 3);
    const told = received.map((event) => (event.data.object as { id: string }).id).toSorted();
    expect(told).to.deep.equal(intents.map((intent) => intent.id).toSorted());
  });

  it('that the shop never answers do not hold up the end, and are delivered later', async () => {
    const mute = createServer(() => {}).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const answering = url;
    url = `http://127.0.0.1:${(mute.address() as AddressInfo).port}/`;
    await start({ drainMs: 20 });
    const asked = once(mute, 'request');
    await stripe.paymentIntents.create(order);
    await asked;
    await provider.close();
    mute.close();
    mute.closeAllConnections();
    url = answering;
    await start();
    await until(() => received.length === 1);
  });

  it('are dropped when too many wait, and payments go on', async () => {
    statuses = Array.from({ length: 1_000 }, () => 503);
    await start({ maxPending: 2, firstBackoffMs: 600_000, maxBackoffMs: 600_000 });
    for (let n = 0; n < 5; n += 1) await stripe.paymentIntents.create(order);
    await until(() => received.length === 2);
    await provider.close();
    statuses = [];
    await start();
    expect(new Set(received.map((event) => event.id)).size).to.equal(2);
  });
});
