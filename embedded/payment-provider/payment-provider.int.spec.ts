import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { open } from 'lmdb';
import Stripe from 'stripe';
import { silentLogger } from '../../runtime/logger.js';
import { entryPoint } from '../../test/support/entry-point.js';
import { type PaymentProvider, type PaymentProviderOptions, startPaymentProvider } from './start-payment-provider.js';

const secretKey = 'sk_test_0123456789abcdef';

function sdk(port: number, key = secretKey): Stripe {
  return new Stripe(key, { host: '127.0.0.1', port, protocol: 'http', maxNetworkRetries: 0, telemetry: false });
}

async function refused(promise: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  const err = await promise.then(
    () => new Error('nothing was refused'),
    (reason: unknown) => reason,
  );
  if (err instanceof Stripe.errors.StripeError) return err;
  throw err;
}

const order = {
  amount: 2999,
  currency: 'usd',
  payment_method: 'pm_card_visa',
  confirm: true,
  metadata: { order: '7' },
};

describe('payment provider', () => {
  let dataDir: string;
  let provider: PaymentProvider;
  let stripe: Stripe;

  const start = async (options: Partial<PaymentProviderOptions> = {}) => {
    provider = await startPaymentProvider({ dataDir, port: 0, secretKey, log: silentLogger, ...options });
    stripe = sdk(provider.port);
  };
  const restart = async () => {
    await provider.close();
    await start();
  };
  const raw = (path: string, init: RequestInit = {}) =>
    fetch(`${provider.url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${secretKey}`, ...init.headers },
    });
  const ledger = async (query = '') => JSON.parse(await (await raw(`/ledger${query}`)).text());

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'shopledger-payments-'));
    await start();
  });

  afterEach(async () => {
    await provider.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  describe('payment intents', () => {
    it('capture the amount of a good card', async () => {
      const intent = await stripe.paymentIntents.create({ ...order, expand: ['latest_charge'] });
      expect(intent).to.include({ status: 'succeeded', amount: 2999, amount_received: 2999, currency: 'usd' });
      expect(intent.metadata).to.deep.equal({ order: '7' });
      expect(intent.latest_charge).to.include({ object: 'charge', paid: true, payment_intent: intent.id });
      const read = await stripe.paymentIntents.retrieve(intent.id);
      expect(read).to.include({ id: intent.id, status: 'succeeded' });
      const { captures, refunds, totals } = await ledger();
      expect(captures).to.have.length(1);
      expect(captures[0]).to.deep.include({
        payment_intent: intent.id,
        amount: 2999,
        currency: 'usd',
        metadata: { order: '7' },
        captured_at: intent.created,
      });
      expect(refunds).to.deep.equal([]);
      expect(totals).to.deep.equal({ usd: { captured: 2999, refunded: 0, captures: 1, refunds: 0 } });
    });

    for (const [method, code, declineCode] of [
      ['pm_card_chargeDeclined', 'card_declined', 'generic_decline'],
      ['pm_card_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
      ['pm_card_chargeDeclinedExpiredCard', 'expired_card', 'expired_card'],
    ]) {
      it(`are declined for ${method}`, async () => {
        const err = await refused(stripe.paymentIntents.create({ ...order, payment_method: method ?? '' }));
        expect(err).to.be.instanceOf(Stripe.errors.StripeCardError);
        expect(err).to.include({ statusCode: 402, code, decline_code: declineCode });
        const id = err.payment_intent?.id ?? '';
        const intent = await stripe.paymentIntents.retrieve(id);
        expect(intent.status).to.equal('requires_payment_method');
        expect(intent.last_payment_error?.decline_code).to.equal(declineCode);
        expect((await ledger()).captures).to.deep.equal([]);
      });
    }

    it('take the options that shops send', async () => {
      const intent = await stripe.paymentIntents.create({
        ...order,
        automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
        description: 'order 7',
      });
      expect(intent).to.include({ status: 'succeeded', description: 'order 7' });
      const other = await stripe.paymentIntents.create({ ...order, allowed_payment_method_types: ['card'] });
      expect(other.payment_method_types).to.deep.equal(['card']);
    });

    it('can be cancelled until they are captured', async () => {
      const { confirm, ...unconfirmed } = order;
      const intent = await stripe.paymentIntents.create(unconfirmed);
      expect(intent.status).to.equal('requires_confirmation');
      const canceled = await stripe.paymentIntents.cancel(intent.id, { cancellation_reason: 'abandoned' });
      expect(canceled).to.include({ status: 'canceled', cancellation_reason: 'abandoned' });
      expect((await refused(stripe.paymentIntents.cancel(intent.id))).code).to.equal('payment_intent_unexpected_state');
      const paid = await stripe.paymentIntents.create(order);
      expect((await refused(stripe.paymentIntents.cancel(paid.id))).code).to.equal('payment_intent_unexpected_state');
      expect((await stripe.paymentIntents.retrieve(paid.id)).status).to.equal('succeeded');
    });

    const wrong: [string, object, string | undefined, string][] = [
      ['no amount', { amount: undefined }, 'parameter_missing', 'amount'],
      ['amount 0', { amount: 0 }, 'parameter_invalid_integer', 'amount'],
      ['a negative amount', { amount: -5 }, 'parameter_invalid_integer', 'amount'],
      ['a fraction', { amount: 1.5 }, 'parameter_invalid_integer', 'amount'],
      ['an amount of nine digits', { amount: 100_000_000 }, 'amount_too_large', 'amount'],
      ['a currency that is none', { currency: 'zzz' }, undefined, 'currency'],
      ['a parameter that is none', { price: 5 }, 'parameter_unknown', 'price'],
      ['an unknown payment method', { payment_method: 'pm_nobody' }, 'resource_missing', 'payment_method'],
      ['no payment method', { payment_method: undefined }, 'parameter_missing', 'payment_method'],
      ['an unknown expansion', { expand: ['customer'] }, undefined, 'expand[0]'],
    ];
    for (const [what, change, code, param] of wrong) {
      it(`refuse ${what}`, async () => {
        const err = await refused(stripe.paymentIntents.create({ ...order, ...change } as typeof order));
        expect(err).to.be.instanceOf(Stripe.errors.StripeInvalidRequestError);
        expect(err).to.include({ statusCode: 400, param });
        expect(err.code).to.equal(code);
        expect((await ledger()).captures).to.deep.equal([]);
      });
    }
  });

  describe('an idempotency key', () => {
    const once = { idempotencyKey: 'order-7-1' };

    it('gets its first answer again, also after a restart', async () => {
      const first = await stripe.paymentIntents.create(order, once);
      expect(first.lastResponse.headers['idempotent-replayed']).to.equal(undefined);
      const second = await stripe.paymentIntents.create(order, once);
      expect(second.lastResponse.headers['idempotent-replayed']).to.equal('true');
      await restart();
      const third = await stripe.paymentIntents.create(order, once);
      expect(third.lastResponse.headers['idempotent-replayed']).to.equal('true');
      expect([second.id, third.id]).to.deep.equal([first.id, first.id]);
      expect((await ledger()).totals.usd.captures).to.equal(1);
    });

    it('gets a decline again, with the same intent', async () => {
      const bad = { ...order, payment_method: 'pm_card_chargeDeclined' };
      const first = await refused(stripe.paymentIntents.create(bad, once));
      await restart();
      const second = await refused(stripe.paymentIntents.create(bad, once));
      expect(second).to.be.instanceOf(Stripe.errors.StripeCardError);
      expect(second.payment_intent?.id).to.equal(first.payment_intent?.id);
      expect(second.headers?.['idempotent-replayed']).to.equal('true');
    });

    it('is refused with other parameters or for another path', async () => {
      const intent = await stripe.paymentIntents.create(order, once);
      for (const other of [
        stripe.paymentIntents.create({ ...order, amount: 1 }, once),
        stripe.paymentIntents.create({ ...order, metadata: { order: '8' } }, once),
        stripe.refunds.create({ payment_intent: intent.id }, once),
      ]) {
        const err = await refused(other);
        expect(err).to.be.instanceOf(Stripe.errors.StripeIdempotencyError);
        expect(err.statusCode).to.equal(400);
      }
      expect((await ledger()).refunds).to.deep.equal([]);
    });

    it('captures once when 20 requests use it at once', async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => stripe.paymentIntents.create(order, once)));
      expect(new Set(answers.map((intent) => intent.id)).size).to.equal(1);
      const replayed = answers.filter((intent) => intent.lastResponse.headers['idempotent-replayed'] === 'true');
      expect(replayed).to.have.length(19);
      expect((await ledger()).totals.usd).to.include({ captures: 1, captured: 2999 });
    });

    it('is free again after a request that was not valid', async () => {
      await refused(stripe.paymentIntents.create({ ...order, amount: 0 }, once));
      expect((await stripe.paymentIntents.create(order, once)).status).to.equal('succeeded');
    });
  });

  describe('refunds', () => {
    it('give back parts, never more than was captured', async () => {
      const { id } = await stripe.paymentIntents.create(order);
      const first = await stripe.refunds.create({ payment_intent: id, amount: 1000, metadata: { why: 'broken' } });
      expect(first).to.include({ status: 'succeeded', amount: 1000, payment_intent: id });
      expect((await stripe.refunds.retrieve(first.id)).metadata).to.deep.equal({ why: 'broken' });
      const tooMuch = await refused(stripe.refunds.create({ payment_intent: id, amount: 2000 }));
      expect(tooMuch).to.include({ statusCode: 400, code: 'amount_too_large' });
      const rest = await stripe.refunds.create({ payment_intent: id });
      expect(rest.amount).to.equal(1999);
      await restart();
      const again = await refused(stripe.refunds.create({ payment_intent: id, amount: 1 }));
      expect(again.code).to.equal('charge_already_refunded');
      const { refunds, totals } = await ledger();
      expect(refunds.map((refund: { amount: number }) => refund.amount)).to.deep.equal([1000, 1999]);
      expect(totals.usd).to.deep.equal({ captured: 2999, refunded: 2999, captures: 1, refunds: 2 });
    });

    it('asked for at once give back no more than was captured', async () => {
      const { id } = await stripe.paymentIntents.create(order);
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, () => stripe.refunds.create({ payment_intent: id, amount: 1000 })),
      );
      expect(results.filter((result) => result.status === 'fulfilled')).to.have.length(2);
      expect((await ledger()).totals.usd.refunded).to.equal(2000);
    });

    it('need a captured payment that exists', async () => {
      const missing = await refused(stripe.refunds.create({ payment_intent: 'pi_nobody' }));
      expect(missing).to.include({ statusCode: 400, code: 'resource_missing' });
      const { id } = await stripe.paymentIntents.create({ amount: 5, currency: 'eur' });
      expect((await refused(stripe.refunds.create({ payment_intent: id }))).code).to.equal(
        'payment_intent_unexpected_state',
      );
    });

    it('are made once per idempotency key', async () => {
      const { id } = await stripe.paymentIntents.create(order);
      const once = { idempotencyKey: 'refund-7' };
      const first = await stripe.refunds.create({ payment_intent: id, amount: 100 }, once);
      const second = await stripe.refunds.create({ payment_intent: id, amount: 100 }, once);
      expect(second.id).to.equal(first.id);
      expect((await ledger()).totals.usd.refunded).to.equal(100);
    });
  });

  describe('at its edge', () => {
    it('needs the secret key, as bearer or basic', async () => {
      const err = await refused(sdk(provider.port, 'sk_test_somebody_else').paymentIntents.create(order));
      expect(err).to.be.instanceOf(Stripe.errors.StripeAuthenticationError);
      const basic = `Basic ${Buffer.from(`${secretKey}:`).toString('base64')}`;
      expect((await fetch(`${provider.url}/ledger`, { headers: { authorization: basic } })).status).to.equal(200);
      for (const authorization of ['', 'Bearer', 'Bearer x', 'Basic !!!', `Digest ${secretKey}`]) {
        expect((await fetch(`${provider.url}/ledger`, { headers: { authorization } })).status).to.equal(401);
      }
    });

    it('answers Stripe-shaped errors for what is not there', async () => {
      const missing = await refused(stripe.paymentIntents.retrieve('pi_nobody'));
      expect(missing).to.include({ statusCode: 404, code: 'resource_missing' });
      expect((await refused(stripe.refunds.retrieve('re_nobody'))).statusCode).to.equal(404);
      expect((await refused(stripe.customers.create({}))).statusCode).to.equal(404);
      expect((await refused(stripe.paymentIntents.list())).statusCode).to.equal(404);
      expect((await raw('/ledger', { method: 'DELETE' })).status).to.equal(404);
    });

    it('refuses what it cannot read', async () => {
      const post = (body: string) => raw('/v1/refunds', { method: 'POST', body });
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
      expect((await raw('/v1/payment_intents/%ff')).status).to.equal(400);
    });

    it('pages its ledger without missing or repeating', async () => {
      await Promise.all(Array.from({ length: 25 }, () => stripe.paymentIntents.create(order)));
      const seen: number[] = [];
      let page = { next_after: 0, has_more: true, captures: [] as { seq: number }[] };
      while (page.has_more) {
        page = await ledger(`?after=${page.next_after}&limit=10`);
        seen.push(...page.captures.map(({ seq }) => seq));
      }
      expect(seen).to.deep.equal(Array.from({ length: 25 }, (_, index) => index + 1));
      expect((await raw('/ledger?limit=1001')).status).to.equal(400);
      expect((await raw('/ledger?after=x')).status).to.equal(400);
    });
  });

  describe('its data', () => {
    it('are refused to a second provider, and free after the first', async () => {
      const second = await startPaymentProvider({ dataDir, port: 0, secretKey, log: silentLogger }).catch(
        (err: unknown) => err,
      );
      expect(second).to.have.property('code', 'data-in-use');
      await restart();
    });

    it('of another format are refused', async () => {
      await provider.close();
      const db = open({ path: join(dataDir, 'ledger.lmdb'), encoding: 'json' });
      await db.put('format', 99);
      await db.close();
      const err = await start().catch((reason: unknown) => reason);
      expect(err).to.have.property('code', 'ledger-format');
      await rm(dataDir, { recursive: true });
      await start();
    });

    it('hold every acknowledged capture after kill -9', async () => {
      await provider.close();
      const main = entryPoint(import.meta.url, './main');
      const child = spawn(process.execPath, [...main.options, main.file, '--data', dataDir, '--port', '0'], {
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

      await start();
      const { captures, totals } = await ledger('?limit=1000');
      const captured = new Set(captures.map((capture: { payment_intent: string }) => capture.payment_intent));
      for (const [key, id] of acknowledged) {
        expect(captured.has(id), `${key} was acknowledged`).to.equal(true);
        const again = await stripe.paymentIntents.create(order, { idempotencyKey: key });
        expect(again.id).to.equal(id);
      }
      expect(totals.usd.captures).to.equal(captures.length);
    });
  });
});
