import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import Stripe from 'stripe';
import { entryPoint } from '../../test/support/entry-point.js';
import { eventually } from '../../test/support/eventually.js';
import { declines } from './declines.js';
import { order, type PaymentFixture, refused, sdk, secretKey, startPaymentFixture } from './payment-fixture.js';
import { startWebhookReceiver, type WebhookReceiver, webhookSecret } from './webhook-receiver.js';

const failed = 'payment_intent.payment_failed';
const succeeded = 'payment_intent.succeeded';

describe('a test payment method', () => {
  let receiver: WebhookReceiver;
  let fixture: PaymentFixture;

  beforeEach(async () => {
    receiver = await startWebhookReceiver();
    fixture = await startPaymentFixture({ url: receiver.url, secret: webhookSecret });
  });
  afterEach(async () => {
    await fixture.close();
    receiver.close();
  });

  const pay = (name: string, key: string = name, timeout = 5_000) =>
    fixture.stripe.paymentIntents.create(
      { ...order, payment_method: `pm_card_${name}` },
      { idempotencyKey: key, timeout },
    );
  const charged = (amount: number) => fixture.stripe.paymentIntents.create({ ...order, amount });
  const types = () => receiver.received.map(({ type }) => type);
  const told = (count: number) => eventually(`${count} webhooks`, () => receiver.received.length >= count);
  const captures = async () => (await fixture.ledger()).captures.length;

  describe('that declines', () => {
    it('gives its reason, as its amount does', async () => {
      for (const { name, number, decline } of declines) {
        for (const attempt of [pay(name), charged(99_900_000 + number * 100)]) {
          const err = await refused(attempt);
          expect(err).to.be.instanceOf(Stripe.errors.StripeCardError);
          expect(err).to.include({ statusCode: 402, code: decline.code, decline_code: decline.declineCode });
        }
      }
      expect(await captures()).to.equal(0);
    });

    it('and takes the money all the same later', async () => {
      const err = await refused(pay('declinedThenSuccess_0s'));
      expect(err.decline_code).to.equal('generic_decline');
      await told(2);
      expect(types().toSorted()).to.deep.equal([failed, succeeded]);
      const intent = await fixture.stripe.paymentIntents.retrieve(err.payment_intent?.id ?? '');
      expect(intent).to.include({ status: 'succeeded', last_payment_error: null });
      expect(await captures()).to.equal(1);
    });
  });

  describe('that stays silent', () => {
    it('holds the connection open until its client leaves, also when it is asked again', async () => {
      for (let n = 0; n < 2; n += 1) {
        expect(await refused(pay('neverAnswers', 'one', 50))).to.be.instanceOf(Stripe.errors.StripeConnectionError);
      }
      expect([await captures(), types()]).to.deep.equal([0, []]);
    });

    it('does not hold up the end of the provider', async () => {
      const attempt = refused(pay('neverAnswers', 'one', 60_000));
      await eventually('the intent', async () => (await (await fixture.raw('/')).text()).includes('processing'));
      await fixture.restart();
      expect(await attempt).to.be.instanceOf(Stripe.errors.StripeConnectionError);
    });

    it('and takes the money later tells so by its webhook alone', async () => {
      expect(await refused(pay('silentSuccess_0s', 'one', 50))).to.be.instanceOf(Stripe.errors.StripeConnectionError);
      await told(1);
      expect([types(), await captures()]).to.deep.equal([[succeeded], 1]);
      expect(await refused(pay('silentSuccess_0s', 'one', 50))).to.be.instanceOf(Stripe.errors.StripeConnectionError);
    });

    it('and declines later tells so by its webhook alone', async () => {
      await refused(pay('silentDecline_0s', 'one', 50));
      await told(1);
      expect([types(), await captures()]).to.deep.equal([[failed], 0]);
    });
  });

  describe('that answers `processing`', () => {
    it('is open, and can be cancelled', async () => {
      const { id, status } = await pay('processing');
      expect(status).to.equal('processing');
      expect((await fixture.stripe.paymentIntents.cancel(id)).status).to.equal('canceled');
    });

    it('and succeeds is captured once its time has come', async () => {
      const { id } = await pay('lateSuccess_1s');
      expect(await captures()).to.equal(0);
      await told(1);
      expect(receiver.received[0]?.data.object).to.include({ id });
      expect(receiver.received[0]?.request?.idempotency_key).to.equal('lateSuccess_1s');
      expect((await fixture.stripe.paymentIntents.retrieve(id)).status).to.equal('succeeded');
      expect((await fixture.stripe.refunds.create({ payment_intent: id })).amount).to.equal(order.amount);
    });

    it('and declines can be told from one that succeeds only then', async () => {
      const { id } = await pay('lateDecline_0s');
      await told(1);
      const { status, last_payment_error } = await fixture.stripe.paymentIntents.retrieve(id);
      expect([status, last_payment_error?.decline_code]).to.deep.equal(['requires_payment_method', 'generic_decline']);
    });

    it('takes nothing when it was cancelled before its time', async () => {
      const { id } = await pay('lateSuccess_1s');
      await fixture.stripe.paymentIntents.cancel(id);
      await eventually('the time to pass', async () =>
        (await (await fixture.raw('/')).text()).includes('still to be settled (0)'),
      );
      expect([await captures(), types()]).to.deep.equal([0, ['payment_intent.canceled']]);
    });
  });

  describe('whose answer', () => {
    it('is lost after the capture answers a repeat', async () => {
      expect(await refused(pay('answerLost', 'one'))).to.be.instanceOf(Stripe.errors.StripeConnectionError);
      expect(await captures()).to.equal(1);
      expect((await pay('answerLost', 'one')).status).to.equal('succeeded');
      expect(await captures()).to.equal(1);
    });

    it('is always lost does so after a restart too', async () => {
      await refused(pay('answerAlwaysLost', 'one'));
      await fixture.restart();
      expect(await refused(pay('answerAlwaysLost', 'one'))).to.be.instanceOf(Stripe.errors.StripeConnectionError);
      expect(await captures()).to.equal(1);
    });

    it('comes late is there at once for a repeat, and when the provider ends', async () => {
      const late = pay('answerLate_600s', 'one');
      await told(1);
      const again = await pay('answerLate_600s', 'one');
      expect(again.lastResponse.headers['idempotent-replayed']).to.equal('true');
      await fixture.restart();
      expect((await late).id).to.equal(again.id);
      expect((await pay('answerLate_0s')).status).to.equal('succeeded');
    });

    it('follows the webhook comes after it was accepted', async () => {
      await pay('answerAfterWebhook');
      expect(types()).to.deep.equal([succeeded]);
    });

    it('follows the webhook comes after it was refused too, and without webhooks', async () => {
      receiver.statuses = [503, 503];
      expect((await pay('answerAfterWebhook')).status).to.equal('succeeded');
      expect(receiver.received.length).to.equal(1);
      const bare = await startPaymentFixture();
      const body = { ...order, payment_method: 'pm_card_answerAfterWebhook' };
      expect((await bare.stripe.paymentIntents.create(body)).status).to.equal('succeeded');
      await bare.close();
    });
  });

  describe('whose webhook', () => {
    it('comes twice is the same event', async () => {
      receiver.statuses = [500, 200, 500, 200];
      await pay('webhookTwice');
      await told(4);
      expect(new Set(receiver.received.map(({ id }) => id)).size).to.equal(1);
      await pay('visa');
      await told(5);
      expect(receiver.received[4]?.id).not.to.equal(receiver.received[0]?.id);
    });

    it('comes late is as old as its capture', async () => {
      await pay('webhookLate_1s');
      await pay('visa');
      await told(2);
      const keys = receiver.received.map(({ request }) => request?.idempotency_key);
      expect(keys).to.deep.equal(['visa', 'webhookLate_1s']);
      const [first, late] = receiver.received;
      expect(Number(late?.created)).to.be.at.most(Number(first?.created));
    });

    it('never comes', async () => {
      await pay('webhookNever');
      await pay('visa');
      await told(1);
      expect(receiver.received[0]?.request?.idempotency_key).to.equal('visa');
    });

    it('is contradicted gets an older failure after its success', async () => {
      receiver.statuses = [500, 500, 200];
      await pay('webhookFailedAfterSucceeded');
      await told(4);
      expect(types()).to.deep.equal([succeeded, succeeded, succeeded, failed]);
      const [success, , , failure] = receiver.received;
      expect(Number(failure?.created)).to.be.below(Number(success?.created));
    });

    it('waits for the refund comes after the news of it, also after a restart', async () => {
      const { id } = await pay('webhookAfterRefund');
      await fixture.restart();
      receiver.statuses = [500, 500, 500, 500];
      await fixture.stripe.refunds.create({ payment_intent: id, amount: 1 });
      await eventually('all to be told', () => types().includes(succeeded));
      expect(types().lastIndexOf('charge.refunded')).to.be.below(types().indexOf(succeeded));
      expect((await fixture.raw('/')).status).to.equal(200);
    });
  });

  describe('whose refund', () => {
    it('is refused keeps the money', async () => {
      const { id } = await pay('refundRefused');
      for (const idempotencyKey of ['a', 'b']) {
        const err = await refused(fixture.stripe.refunds.create({ payment_intent: id }, { idempotencyKey }));
        expect(err).to.include({ statusCode: 400, code: 'charge_disputed' });
      }
      expect((await fixture.ledger()).refunds).to.deep.equal([]);
    });

    it('is refused once is made under another key, also after a restart', async () => {
      const { id } = await pay('refundRefusedOnce');
      const refund = (idempotencyKey: string) =>
        fixture.stripe.refunds.create({ payment_intent: id }, { idempotencyKey });
      expect((await refused(refund('a'))).code).to.equal('balance_insufficient');
      await fixture.restart();
      expect((await refused(refund('a'))).code).to.equal('balance_insufficient');
      expect((await refund('b')).status).to.equal('succeeded');
    });

    it('loses its answer is made once', async () => {
      const { id } = await pay('refundAnswerLost');
      const refund = () => fixture.stripe.refunds.create({ payment_intent: id }, { idempotencyKey: 'a' });
      expect(await refused(refund())).to.be.instanceOf(Stripe.errors.StripeConnectionError);
      expect((await refund()).status).to.equal('succeeded');
      expect((await fixture.ledger()).totals.usd).to.include({ refunded: order.amount, refunds: 1 });
    });
  });

  it('does late what it owes, although the provider was killed in between', async () => {
    await fixture.provider.close();
    const main = entryPoint(import.meta.url, './main');
    const child = spawn(process.execPath, [...main.options, main.file, '--data', fixture.dataDir, '--port', '0'], {
      env: {
        ...process.env,
        PAYMENT_SECRET_KEY: secretKey,
        PAYMENT_WEBHOOK_URL: receiver.url,
        PAYMENT_WEBHOOK_SECRET: webhookSecret,
        LOG_LEVEL: 'error',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    const { port } = JSON.parse(String(line).slice('ready payment-provider '.length)) as { port: number };
    const client = sdk(port);
    const create = (name: string) =>
      client.paymentIntents.create({ ...order, payment_method: `pm_card_${name}` }, { idempotencyKey: name });
    const late = await create('lateSuccess_2s');
    await create('webhookLate_2s');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(types()).to.deep.equal([]);
    await fixture.start();
    await told(2);
    expect(new Set(receiver.received.map(({ request }) => request?.idempotency_key))).to.deep.equal(
      new Set(['lateSuccess_2s', 'webhookLate_2s']),
    );
    expect((await fixture.stripe.paymentIntents.retrieve(late.id)).status).to.equal('succeeded');
    expect(await captures()).to.equal(2);
  });
});
