import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { open } from 'lmdb';
import Stripe from 'stripe';
import { silentLogger } from '../../runtime/logger.js';
import { entryPoint } from '../../test/support/entry-point.js';
import { order, type PaymentFixture, refused, sdk, secretKey, startPaymentFixture } from './payment-fixture.js';
import { startPaymentProvider } from './start-payment-provider.js';

describe('payment provider', () => {
  let fixture: PaymentFixture;

  beforeEach(async () => {
    fixture = await startPaymentFixture();
  });
  afterEach(() => fixture.close());

  describe('at its edge', () => {
    it('needs the secret key, as bearer or basic', async () => {
      const err = await refused(sdk(fixture.provider.port, 'sk_test_somebody_else').paymentIntents.create(order));
      expect(err).to.be.instanceOf(Stripe.errors.StripeAuthenticationError);
      const basic = `Basic ${Buffer.from(`${secretKey}:`).toString('base64')}`;
      expect((await fetch(`${fixture.provider.url}/ledger`, { headers: { authorization: basic } })).status).to.equal(
        200,
      );
      for (const authorization of ['', 'Bearer', 'Bearer x', 'Basic !!!', `Digest ${secretKey}`]) {
        expect((await fetch(`${fixture.provider.url}/ledger`, { headers: { authorization } })).status).to.equal(401);
      }
    });

    it('answers Stripe-shaped errors for what is not there', async () => {
      const missing = await refused(fixture.stripe.paymentIntents.retrieve('pi_nobody'));
      expect(missing).to.include({ statusCode: 404, code: 'resource_missing' });
      expect((await refused(fixture.stripe.refunds.retrieve('re_nobody'))).statusCode).to.equal(404);
      expect((await refused(fixture.stripe.customers.create({}))).statusCode).to.equal(404);
      expect((await refused(fixture.stripe.paymentIntents.list())).statusCode).to.equal(404);
      expect((await fixture.raw('/ledger', { method: 'DELETE' })).status).to.equal(404);
    });

    it('refuses what it cannot read', async () => {
      const post = (body: string) => fixture.raw('/v1/refunds', { method: 'POST', body });
      for (const [body, status] of [
        ['payment_intent[=1', 400],
        ['{"payment_intent":"x"}', 400],
        ['', 400],
        [`payment_intent=${'x'.repeat(70_000)}`, 413],
      ] as const) {
        const answer = await post(body);
        expect(answer.status).to.equal(status);
        expect(await answer.json()).to.have.nested.property('error.type', 'invalid_request_error');
      }
      expect((await post('payment_intent=pi_nobody')).status).to.equal(400);
      expect((await fixture.raw('/v1/payment_intents/%ff')).status).to.equal(400);
    });

    it('pages its ledger without missing or repeating', async () => {
      await Promise.all(Array.from({ length: 25 }, () => fixture.stripe.paymentIntents.create(order)));
      const seen: number[] = [];
      let page = { next_after: 0, has_more: true, captures: [] as { seq: number }[] };
      while (page.has_more) {
        page = await fixture.ledger(`?after=${page.next_after}&limit=10`);
        seen.push(...page.captures.map(({ seq }) => seq));
      }
      expect(seen).to.deep.equal(Array.from({ length: 25 }, (_, index) => index + 1));
      expect((await fixture.raw('/ledger?limit=1001')).status).to.equal(400);
      expect((await fixture.raw('/ledger?after=x')).status).to.equal(400);
    });
  });

  describe('its data', () => {
    it('are refused to a second provider, and free after the first', async () => {
      const second = await startPaymentProvider({
        dataDir: fixture.dataDir,
        port: 0,
        secretKey,
        log: silentLogger,
      }).catch((err: unknown) => err);
      expect(second).to.have.property('code', 'data-in-use');
      await fixture.restart();
    });

    it('of another format are refused', async () => {
      await fixture.provider.close();
      const db = open({ path: join(fixture.dataDir, 'ledger.lmdb'), encoding: 'json' });
      await db.put('format', 99);
      await db.close();
      const err = await fixture.start().catch((reason: unknown) => reason);
      expect(err).to.have.property('code', 'ledger-format');
      await rm(fixture.dataDir, { recursive: true });
      await fixture.start();
    });

    it('hold every acknowledged capture after kill -9', async () => {
      await fixture.provider.close();
      const main = entryPoint(import.meta.url, './main');
      const child = spawn(process.execPath, [...main.options, main.file, '--data', fixture.dataDir, '--port', '0'], {
        env: { ...process.env, PAYMENT_SECRET_KEY: secretKey, LOG_LEVEL: 'error' },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [line] = await once(createInterface({ input: child.stdout }), 'line');
      expect(line).to.match(/^ready payment-provider \{/);
      const { port } = JSON.parse(String(line).slice('ready payment-provider '.length)) as { port: number };
      const client = sdk(port);
      const acknowledged = new Map<string, string>();
      const pay = async (worker: number) => {
        for (let round = 0; ; round += 1) {
          const key = `order-${worker}-${round}`;
          const intent = await client.paymentIntents.create(order, { idempotencyKey: key });
          acknowledged.set(key, intent.id);
          if (acknowledged.size === 100) child.kill('SIGKILL');
        }
      };
      await Promise.allSettled(Array.from({ length: 8 }, (_, worker) => pay(worker)));
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      expect(child.signalCode).to.equal('SIGKILL');
      expect(acknowledged.size).to.be.at.least(100);

      await fixture.start();
      const { captures, totals } = await fixture.ledger('?limit=1000');
      const captured = new Set(captures.map((capture: { payment_intent: string }) => capture.payment_intent));
      for (const [key, id] of acknowledged) {
        expect(captured.has(id), `${key} was acknowledged`).to.equal(true);
        const again = await fixture.stripe.paymentIntents.create(order, { idempotencyKey: key });
        expect(again.id).to.equal(id);
      }
      expect(totals.usd.captures).to.equal(captures.length);
    });
  });
});
