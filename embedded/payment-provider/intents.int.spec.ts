import { expect } from 'chai';
import Stripe from 'stripe';
import { order, type PaymentFixture, refused, startPaymentFixture } from './payment-fixture.js';

describe('payment provider', () => {
  let fixture: PaymentFixture;

  beforeEach(async () => {
    fixture = await startPaymentFixture();
  });
  afterEach(() => fixture.close());

  describe('payment intents', () => {
    it('capture the amount of a good card', async () => {
      const intent = await fixture.stripe.paymentIntents.create({ ...order, expand: ['latest_charge'] });
      expect(intent).to.include({ status: 'succeeded', amount: 2999, amount_received: 2999, currency: 'usd' });
      expect(intent.metadata).to.deep.equal({ order: '7' });
      expect(intent.latest_charge).to.include({ object: 'charge', paid: true, payment_intent: intent.id });
      const read = await fixture.stripe.paymentIntents.retrieve(intent.id);
      expect(read).to.include({ id: intent.id, status: 'succeeded' });
      const { captures, refunds, totals } = await fixture.ledger();
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
        const err = await refused(fixture.stripe.paymentIntents.create({ ...order, payment_method: method ?? '' }));
        expect(err).to.be.instanceOf(Stripe.errors.StripeCardError);
        expect(err).to.include({ statusCode: 402, code, decline_code: declineCode });
        const id = err.payment_intent?.id ?? '';
        const intent = await fixture.stripe.paymentIntents.retrieve(id);
        expect(intent.status).to.equal('requires_payment_method');
        expect(intent.last_payment_error?.decline_code).to.equal(declineCode);
        expect((await fixture.ledger()).captures).to.deep.equal([]);
      });
    }

    it('take the options that shops send', async () => {
      const intent = await fixture.stripe.paymentIntents.create({
        ...order,
        automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
        description: 'order 7',
      });
      expect(intent).to.include({ status: 'succeeded', description: 'order 7' });
      const other = await fixture.stripe.paymentIntents.create({ ...order, allowed_payment_method_types: ['card'] });
      expect(other.payment_method_types).to.deep.equal(['card']);
    });

    it('can be cancelled until they are captured', async () => {
      const { confirm, ...unconfirmed } = order;
      const intent = await fixture.stripe.paymentIntents.create(unconfirmed);
      expect(intent.status).to.equal('requires_confirmation');
      const canceled = await fixture.stripe.paymentIntents.cancel(intent.id, { cancellation_reason: 'abandoned' });
      expect(canceled).to.include({ status: 'canceled', cancellation_reason: 'abandoned' });
      expect((await refused(fixture.stripe.paymentIntents.cancel(intent.id))).code).to.equal(
        'payment_intent_unexpected_state',
      );
      const paid = await fixture.stripe.paymentIntents.create(order);
      expect((await refused(fixture.stripe.paymentIntents.cancel(paid.id))).code).to.equal(
        'payment_intent_unexpected_state',
      );
      expect((await fixture.stripe.paymentIntents.retrieve(paid.id)).status).to.equal('succeeded');
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
        const err = await refused(fixture.stripe.paymentIntents.create({ ...order, ...change } as typeof order));
        expect(err).to.be.instanceOf(Stripe.errors.StripeInvalidRequestError);
        expect(err).to.include({ statusCode: 400, param });
        expect(err.code).to.equal(code);
        expect((await fixture.ledger()).captures).to.deep.equal([]);
      });
    }
  });

  describe('an idempotency key', () => {
    const once = { idempotencyKey: 'order-7-1' };

    it('gets its first answer again, also after a restart', async () => {
      const first = await fixture.stripe.paymentIntents.create(order, once);
      expect(first.lastResponse.headers['idempotent-replayed']).to.equal(undefined);
      const second = await fixture.stripe.paymentIntents.create(order, once);
      expect(second.lastResponse.headers['idempotent-replayed']).to.equal('true');
      await fixture.restart();
      const third = await fixture.stripe.paymentIntents.create(order, once);
      expect(third.lastResponse.headers['idempotent-replayed']).to.equal('true');
      expect([second.id, third.id]).to.deep.equal([first.id, first.id]);
      expect((await fixture.ledger()).totals.usd.captures).to.equal(1);
    });

    it('gets a decline again, with the same intent', async () => {
      const bad = { ...order, payment_method: 'pm_card_chargeDeclined' };
      const first = await refused(fixture.stripe.paymentIntents.create(bad, once));
      await fixture.restart();
      const second = await refused(fixture.stripe.paymentIntents.create(bad, once));
      expect(second).to.be.instanceOf(Stripe.errors.StripeCardError);
      expect(second.payment_intent?.id).to.equal(first.payment_intent?.id);
      expect(second.headers?.['idempotent-replayed']).to.equal('true');
    });

    it('is refused with other parameters or for another path', async () => {
      const intent = await fixture.stripe.paymentIntents.create(order, once);
      for (const other of [
        fixture.stripe.paymentIntents.create({ ...order, amount: 1 }, once),
        fixture.stripe.paymentIntents.create({ ...order, metadata: { order: '8' } }, once),
        fixture.stripe.refunds.create({ payment_intent: intent.id }, once),
      ]) {
        const err = await refused(other);
        expect(err).to.be.instanceOf(Stripe.errors.StripeIdempotencyError);
        expect(err.statusCode).to.equal(400);
      }
      expect((await fixture.ledger()).refunds).to.deep.equal([]);
    });

    it('captures once when 20 requests use it at once', async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => fixture.stripe.paymentIntents.create(order, once)),
      );
      expect(new Set(answers.map((intent) => intent.id)).size).to.equal(1);
      const replayed = answers.filter((intent) => intent.lastResponse.headers['idempotent-replayed'] === 'true');
      expect(replayed).to.have.length(19);
      expect((await fixture.ledger()).totals.usd).to.include({ captures: 1, captured: 2999 });
    });

    it('is free again after a request that was not valid', async () => {
      await refused(fixture.stripe.paymentIntents.create({ ...order, amount: 0 }, once));
      expect((await fixture.stripe.paymentIntents.create(order, once)).status).to.equal('succeeded');
    });
  });

  describe('refunds', () => {
    it('give back parts, never more than was captured', async () => {
      const { id } = await fixture.stripe.paymentIntents.create(order);
      const first = await fixture.stripe.refunds.create({
        payment_intent: id,
        amount: 1000,
        metadata: { why: 'broken' },
      });
      expect(first).to.include({ status: 'succeeded', amount: 1000, payment_intent: id });
      expect((await fixture.stripe.refunds.retrieve(first.id)).metadata).to.deep.equal({ why: 'broken' });
      const tooMuch = await refused(fixture.stripe.refunds.create({ payment_intent: id, amount: 2000 }));
      expect(tooMuch).to.include({ statusCode: 400, code: 'amount_too_large' });
      const rest = await fixture.stripe.refunds.create({ payment_intent: id });
      expect(rest.amount).to.equal(1999);
      await fixture.restart();
      const again = await refused(fixture.stripe.refunds.create({ payment_intent: id, amount: 1 }));
      expect(again.code).to.equal('charge_already_refunded');
      const { refunds, totals } = await fixture.ledger();
      expect(refunds.map((refund: { amount: number }) => refund.amount)).to.deep.equal([1000, 1999]);
      expect(totals.usd).to.deep.equal({ captured: 2999, refunded: 2999, captures: 1, refunds: 2 });
    });

    it('asked for at once give back no more than was captured', async () => {
      const { id } = await fixture.stripe.paymentIntents.create(order);
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, () => fixture.stripe.refunds.create({ payment_intent: id, amount: 1000 })),
      );
      expect(results.filter((result) => result.status === 'fulfilled')).to.have.length(2);
      expect((await fixture.ledger()).totals.usd.refunded).to.equal(2000);
    });

    it('need a captured payment that exists', async () => {
      const missing = await refused(fixture.stripe.refunds.create({ payment_intent: 'pi_nobody' }));
      expect(missing).to.include({ statusCode: 400, code: 'resource_missing' });
      const { id } = await fixture.stripe.paymentIntents.create({ amount: 5, currency: 'eur' });
      expect((await refused(fixture.stripe.refunds.create({ payment_intent: id }))).code).to.equal(
        'payment_intent_unexpected_state',
      );
    });

    it('are made once per idempotency key', async () => {
      const { id } = await fixture.stripe.paymentIntents.create(order);
      const once = { idempotencyKey: 'refund-7' };
      const first = await fixture.stripe.refunds.create({ payment_intent: id, amount: 100 }, once);
      const second = await fixture.stripe.refunds.create({ payment_intent: id, amount: 100 }, once);
      expect(second.id).to.equal(first.id);
      expect((await fixture.ledger()).totals.usd.refunded).to.equal(100);
    });
  });
});
