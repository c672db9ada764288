import { expect } from 'chai';
import fc from 'fast-check';
import { fold } from '../core/decider.js';
import { runLawfully } from '../core/decider-laws.js';
import { given } from '../core/specification.js';
import { eventCatalog } from '../event-catalog.js';
import { mostPaymentAttempts, type PaymentCommand, paymentDecider } from './payment.js';
import {
  fail,
  failure,
  giveUp,
  initiate,
  initiated,
  refund,
  refunded,
  refundFailed,
  refuseRefund,
  request,
  requested,
  retry,
  succeed,
  success,
} from './payment-fixture.js';

describe('a payment that was not begun', () => {
  it('begins', () => {
    given(paymentDecider).when(initiate()).then(initiated());
  });

  it('is above zero', () => {
    given(paymentDecider).when(initiate(1, 0)).thenRefused('amount-not-positive');
    given(paymentDecider).when(initiate(1, -1)).thenRefused('amount-not-positive');
  });

  for (const command of [retry(), succeed(), fail(), request(1, 1), refund(1), refuseRefund(1)]) {
    it(`refuses ${command.type}`, () => {
      given(paymentDecider).when(command).thenRefused('payment-not-found');
    });
  }
});

describe('an open payment', () => {
  it('is not begun twice', () => {
    given(paymentDecider, initiated()).when(initiate()).thenNothing();
    given(paymentDecider, initiated()).when(initiate(2)).thenRefused('payment-attempt-open');
    given(paymentDecider, initiated()).when(retry()).thenRefused('payment-attempt-open');
  });

  it('succeeds or fails', () => {
    given(paymentDecider, initiated()).when(succeed()).then(success());
    given(paymentDecider, initiated()).when(fail()).then(failure());
    given(paymentDecider, initiated()).when(fail(1, 'payment_timeout')).then(failure(1, 'payment_timeout'));
  });

  it('does not take another amount for its own', () => {
    given(paymentDecider, initiated())
      .when(succeed('pi_1', 1, 4998))
      .thenRefused('amount-mismatch');
  });

  it('has nothing to give back', () => {
    given(paymentDecider, initiated()).when(request(1, 100)).thenRefused('payment-not-captured');
    given(paymentDecider, initiated()).when(refund(1)).thenRefused('payment-not-found');
  });
});

describe('a payment that failed', () => {
  const declined = [initiated(), failure()];

  it('fails once', () => {
    given(paymentDecider, ...declined)
      .when(fail(1, 'payment_timeout'))
      .thenNothing();
  });

  it('is tried again as another attempt; the same one is over', () => {
    given(paymentDecider, ...declined)
      .when(initiate(2))
      .then(initiated(2));
    given(paymentDecider, ...declined)
      .when(initiate(1))
      .thenNothing();
    given(paymentDecider, ...declined, initiated(2), failure(2))
      .when(initiate(1))
      .thenNothing();
  });

  it('is paid by its customer another way, under the next attempt, until the one deadline', () => {
    given(paymentDecider, ...declined)
      .when(retry())
      .then(initiated(2));
    given(paymentDecider, ...declined, initiated(2), failure(2))
      .when(retry('2026-03-01T09:39:59.999Z'))
      .then(initiated(3));
    given(paymentDecider, ...declined)
      .when(retry('2026-03-01T09:40:00.000Z'))
      .thenRefused('payment-window-closed');
  });

  it('is not tried out for ever', () => {
    const tries = Array.from({ length: mostPaymentAttempts }, (_, n) => [initiated(n + 1), failure(n + 1)]).flat();
    given(paymentDecider, ...tries)
      .when(retry())
      .thenRefused('payment-attempts-exhausted');
  });

  it('becomes final once, and then no attempt follows', () => {
    const closed = [...declined, failure(1, 'card_declined', false)];
    given(paymentDecider, ...declined)
      .when(giveUp())
      .then(failure(1, 'card_declined', false));
    given(paymentDecider, ...closed)
      .when(giveUp())
      .thenNothing();
    given(paymentDecider, ...closed)
      .when(fail())
      .thenNothing();
    given(paymentDecider, ...closed)
      .when(retry())
      .thenRefused('payment-not-awaited');
    // A retry that came first counts: the word on the attempt before says nothing any more.
    given(paymentDecider, ...declined, initiated(2))
      .when(giveUp())
      .thenNothing();
  });

  it('may fail again at the next attempt, but not by late news of the one before', () => {
    given(paymentDecider, ...declined, initiated(2))
      .when(fail(1))
      .thenNothing();
    given(paymentDecider, ...declined, initiated(2))
      .when(fail(2))
      .then(failure(2));
  });

  it('was taken all the same when the provider says so later: money is never lost', () => {
    given(paymentDecider, ...declined)
      .when(succeed())
      .then(success());
    given(paymentDecider, ...declined)
      .when(request(1, 4999))
      .thenRefused('payment-not-captured');
    expect(fold(paymentDecider, [...declined, success(), failure()]).status).to.equal('captured');
  });
});

describe('a payment that was taken', () => {
  const captured = [initiated(), success()];

  it('is taken once', () => {
    given(paymentDecider, ...captured)
      .when(succeed())
      .thenNothing();
    given(paymentDecider, ...captured)
      .when(succeed('pi_2'))
      .thenRefused('payment-already-captured');
    given(paymentDecider, ...captured)
      .when(initiate())
      .thenRefused('payment-already-captured');
    given(paymentDecider, ...captured)
      .when(initiate(2))
      .thenRefused('payment-already-captured');
    given(paymentDecider, ...captured)
      .when(fail())
      .thenRefused('payment-already-captured');
    given(paymentDecider, ...captured)
      .when(retry())
      .thenRefused('payment-already-captured');
  });

  it('is given back in parts, never more than was taken', () => {
    given(paymentDecider, ...captured)
      .when(request(1, 4999))
      .then(requested(1, 4999));
    given(paymentDecider, ...captured)
      .when(request(1, 5000))
      .thenRefused('refund-exceeds-capture');
    given(paymentDecider, ...captured, requested(1, 4000))
      .when(request(2, 1000))
      .thenRefused('refund-exceeds-capture');
    given(paymentDecider, ...captured, requested(1, 4000), refunded(1, 4000))
      .when(request(2, 1000))
      .thenRefused('refund-exceeds-capture');
    given(paymentDecider, ...captured, requested(1, 4000))
      .when(request(2, 999))
      .then(requested(2, 999));
    given(paymentDecider, ...captured)
      .when(request(1, 0))
      .thenRefused('amount-not-positive');
  });

  it('is asked back once under one refund id', () => {
    given(paymentDecider, ...captured, requested(1, 1000))
      .when(request(1, 1000))
      .thenNothing();
    given(paymentDecider, ...captured, requested(1, 1000), refunded(1, 1000))
      .when(request(1, 1000))
      .thenNothing();
  });

  it('goes back once', () => {
    given(paymentDecider, ...captured, requested(1, 1000))
      .when(refund(1))
      .then(refunded(1, 1000));
    given(paymentDecider, ...captured, requested(1, 1000), refunded(1, 1000))
      .when(refund(1))
      .thenNothing();
    given(paymentDecider, ...captured, requested(1, 1000), refunded(1, 1000))
      .when(refuseRefund(1))
      .thenNothing();
    given(paymentDecider, ...captured)
      .when(refund(1))
      .thenRefused('payment-not-found');
  });

  it('may be asked back again when the provider refused, and its amount is free again', () => {
    const refused = [...captured, requested(1, 4999), refundFailed(1, 4999)];
    given(paymentDecider, ...captured, requested(1, 4999))
      .when(refuseRefund(1))
      .then(refundFailed(1, 4999));
    given(paymentDecider, ...refused)
      .when(refuseRefund(1))
      .thenNothing();
    given(paymentDecider, ...refused)
      .when(request(1, 4999))
      .then(requested(1, 4999));
    given(paymentDecider, ...refused)
      .when(request(2, 4999))
      .then(requested(2, 4999));
    given(paymentDecider, ...refused, requested(1, 4999))
      .when(refund(1))
      .then(refunded(1, 4999));
  });

  it('went back all the same when the provider says so after it refused', () => {
    given(paymentDecider, ...captured, requested(1, 1000), refundFailed(1, 1000))
      .when(refund(1))
      .then(refunded(1, 1000));
  });
});

describe('any sequence of commands to a payment', () => {
  const attempt = fc.integer({ min: 1, max: 3 });
  const n = fc.integer({ min: 1, max: 3 });
  const amount = fc.constantFrom(4999, 4999, 2500, 2499, 1, 0);
  const command: fc.Arbitrary<PaymentCommand> = fc.oneof(
    attempt.map((number) => initiate(number)),
    fc.tuple(fc.constantFrom('pi_1', 'pi_2'), attempt, fc.constantFrom(4999, 4999, 5000)).map((how) => succeed(...how)),
    attempt.map((number) => fail(number)),
    attempt.map((number) => giveUp(number)),
    fc.tuple(n, amount).map(([number, money]) => request(number, money)),
    n.map(refund),
    n.map(refuseRefund),
  );

  it('is lawful; takes the money once an attempt; promises back at most what was taken', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (list) => {
        const { events } = runLawfully(paymentDecider, eventCatalog, [initiate(), ...list], () => true);
        let latest = 0;
        const taken = new Set<number>();
        const promised = new Map<string, number>();
        for (const event of events) {
          if (event.type === 'payment.initiated') latest = event.data.attempt;
          // An earlier attempt may still pay after another one has followed; each of them pays once.
          if (event.type === 'payment.success') {
            expect(event.data.attempt).to.be.at.most(latest);
            expect(taken.has(event.data.attempt)).to.equal(false);
            taken.add(event.data.attempt);
          }
          if (event.type === 'payment.refund_requested') promised.set(event.data.refund_id, event.data.amount);
          if (event.type === 'payment.refund_failed') promised.delete(event.data.refund_id);
          const sum = [...promised.values()].reduce((total, money) => total + money, 0);
          expect(sum).to.be.at.most(4999 * taken.size);
        }
      }),
    );
  });

  it('never opens an attempt that has ended', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (list) => {
        const { events } = runLawfully(paymentDecider, eventCatalog, list);
        const attempts = events.flatMap((event) => (event.type === 'payment.initiated' ? [event.data.attempt] : []));
        expect(attempts).to.deep.equal([...new Set(attempts)].sort((a, b) => a - b));
      }),
    );
  });
});
