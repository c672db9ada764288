import { expect } from 'chai';
import { type PaymentEvent, refundKey } from '../payment/payment-events.js';
import { acknowledge, refunded as refundedBy } from './dispatch.js';
import { nextSteps } from './next-steps.js';
import { at, deriveId, input, variantId } from './process-fixture.js';
import { evolveProcess } from './process-state.js';
import { recallPayment } from './recall.js';
import { standingOf, wakeAt } from './standing.js';
import {
  bothReserved,
  cancelled,
  created,
  declined,
  ended,
  facts,
  failed,
  initiated,
  knowing,
  order_id,
  payment_id,
  paymentFailed,
  shop,
  started,
  stepsOf,
  stepTaken,
  story,
  success,
  two,
  types,
  withOutcome,
} from './story-fixture.js';

const { total } = created.data;

describe('a cancelled order', () => {
  it('ends without reserving when it was cancelled before', () => {
    const { world, process } = shop({ mug: 9, cup: 9 });
    world.cancel(process.id);
    process.catchUp();
    expect(story(world, process)).to.deep.equal([['fulfilment start'], ['fulfilment end']]);
    expect(types(world)).to.deep.equal(['order.created', 'order.cancelled', 'fulfilment.started', 'fulfilment.ended']);
    expect(process.state.ended).to.equal('cancelled');
  });

  it('gives back what is reserved by then', () => {
    const { world, process } = shop({ mug: 9, cup: 9 });
    process.step();
    world.cancel(process.id);
    process.catchUp();
    process.step();
    const groups = story(world, process);
    expect(groups.slice(0, 2)).to.deep.equal([['fulfilment start'], ['fulfilment release']]);
    expect(groups[2]).to.be.an('array').that.is.not.empty;
    expect(groups.at(-1)).to.deep.equal(['fulfilment end']);
    for (const variant of ['mug', 'cup']) expect(world.state('inventory', variantId(variant)).available).to.equal(9);
  });

  it('before its payment began is never charged', () => {
    const state = knowing(created, ...bothReserved, started('reserved', at(600)), cancelled);
    expect(stepsOf(state)).to.deep.equal(['fulfilment release']);
  });

  it('while the provider is asked: what it took is recorded and given back before anything else', () => {
    const { world, process, until } = shop({ mug: 9, cup: 9 });
    until('provider charge');
    process.step();
    world.cancel(process.id);
    process.catchUp();
    expect(story(world, process)).to.deep.equal([
      ['payment record_success'],
      ['fulfilment refund'],
      ['payment request_refund'],
      ['provider refund'],
      ['payment record_refund'],
      ['fulfilment release'],
      ['inventory release cup 1', 'inventory release mug 1'],
      ['fulfilment end'],
    ]);
    expect([world.captures.size, world.refunds.size]).to.deep.equal([1, 1]);
  });

  it('with a charge that was not answered asks again, until the deadline', () => {
    const open = knowing(created, ...bothReserved, started('reserved', at(600)), initiated, cancelled);
    expect(stepsOf(open, 30)).to.deep.equal(['provider charge']);
    expect(stepsOf(open, 600)).to.deep.equal(['payment record_failure']);
    const refused = withOutcome(open, { kind: 'declined', reason: 'no funds', retryable: true });
    expect(stepsOf(refused, 30)).to.deep.equal(['payment record_failure']);
    expect(stepsOf(evolveProcess(open, declined), 30)).to.deep.equal(['fulfilment release']);
  });

  it('that the log heard of between payment and order.paid is refunded', () => {
    const { world, process, until } = shop({ mug: 9, cup: 9 });
    until('order pay');
    world.cancel(process.id);
    expect(story(world, process).flat()).to.deep.equal([
      'order pay',
      'fulfilment refund',
      'payment request_refund',
      'provider refund',
      'payment record_refund',
      'fulfilment release',
      'inventory release cup 1',
      'inventory release mug 1',
      'fulfilment end',
    ]);
    expect(process.state.ended).to.equal('cancelled');
  });

  it('between the choice to fail it and order.failed ends as cancelled', () => {
    const { world, process, until } = shop({ mug: 9, cup: 9 }, two, 'stolen');
    until('order fail');
    world.cancel(process.id);
    expect(story(world, process).flat()).to.deep.equal(['order fail', 'fulfilment end']);
    expect(process.state.ended).to.equal('cancelled');
  });
});

describe('a payment', () => {
  const open = knowing(created, ...bothReserved, started('reserved', at(600)), initiated);

  it('that gets no answer is asked of the provider until its deadline, then it has failed', () => {
    expect(stepsOf(open, 599.999)).to.deep.equal(['provider charge']);
    const [step] = nextSteps(open, input(600));
    expect(step?.target === 'payment' && step.command.data).to.deep.equal({
      payment_id,
      order_id,
      attempt: 1,
      reason: 'payment_timeout',
      retryable: false,
    });
  });

  it('that was taken counts, however late the answer is', () => {
    const outcome = { kind: 'captured', provider_transaction_id: 'pi_1', payment_method: 'card' } as const;
    expect(stepsOf(withOutcome(open, outcome), 6000)).to.deep.equal(['payment record_success']);
  });

  it('may be declined without a reason, or with a long one: the order still fails', () => {
    for (const reason of ['', 'x'.repeat(1000)]) {
      const { world, process, until } = shop({ mug: 9, cup: 9 }, two, 'declined');
      until('provider charge');
      process.state = withOutcome(process.state, { kind: 'declined', reason, retryable: false });
      story(world, process);
      expect(process.state.ended).to.equal('failed');
    }
  });

  it('that somebody else has recorded is not recorded again and again', () => {
    const outcome = { kind: 'captured', provider_transaction_id: 'pi_1', payment_method: 'card' } as const;
    const state = withOutcome(open, outcome);
    const [step] = nextSteps(state, input());
    if (step?.target !== 'payment') throw new Error('no payment step');
    expect(stepsOf(acknowledge(state, step, [], []))).to.deep.equal(['order pay']);
    const timedOut = nextSteps(open, input(600))[0];
    if (timedOut?.target !== 'payment') throw new Error('no payment step');
    expect(stepsOf(acknowledge(open, timedOut, [], []))).to.deep.equal(['fulfilment release']);
  });

  it('of a process that crashed is asked of the provider once more, though its deadline has passed', () => {
    const recalled = recallPayment(open, at(5000));
    expect(stepsOf(recalled, 5000)).to.deep.equal(['provider charge']);
    expect(stepsOf(recalled, 5060)).to.deep.equal(['payment record_failure']);
    expect(recallPayment(open, at(10))).to.equal(open);
    const settled = evolveProcess(open, declined);
    expect(recallPayment(settled, at(5000))).to.equal(settled);
  });

  it('is not asked of a provider that may have forgotten its key: that could charge twice', () => {
    const hour = 3600;
    const begun = evolveProcess(knowing(created, ...bothReserved, started('reserved', at(600))), initiated, 'e', at(0));
    const recalledAfter = (hours: number) => stepsOf(recallPayment(begun, at(hours * hour)), hours * hour);
    expect(recalledAfter(22)).to.deep.equal(['provider charge']);
    expect(recalledAfter(23)).to.deep.equal(['payment record_failure']);
    // Its age is that of the attempt, not of the order.
    const again = { ...initiated, data: { ...initiated.data, attempt: 2 } } as PaymentEvent;
    const retried = evolveProcess(evolveProcess(begun, paymentFailed(1, true), 'e', at(10)), again, 'e', at(2 * hour));
    expect(stepsOf(recallPayment(retried, at(24 * hour)), 24 * hour)).to.deep.equal(['provider charge']);
    expect(stepsOf(recallPayment(retried, at(25 * hour)), 25 * hour)).to.deep.equal(['payment record_failure']);
  });

  it('that succeeds after its failure was recorded is given back: the first outcome counts, in whatever order they are heard', () => {
    const before = [created, ...bothReserved, started('reserved', at(600)), initiated];
    expect(stepsOf(knowing(...before, declined, success))).to.deep.equal(['fulfilment refund']);
    expect(stepsOf(knowing(...before, success, declined))).to.deep.equal(['fulfilment refund']);
    expect(stepsOf(knowing(...before, declined, success, success))).to.deep.equal(['fulfilment refund']);
    expect(stepsOf(knowing(...before, success))).to.deep.equal(['order pay']);
  });

  it('that succeeds after something was undone is given back', () => {
    const state = knowing(
      created,
      ...bothReserved,
      started('reserved', at(600)),
      initiated,
      declined,
      stepTaken('release'),
    );
    expect(stepsOf(evolveProcess(state, success))).to.deep.equal(['fulfilment refund']);
  });

  it('that the provider holds though a failure was recorded is not forgotten', () => {
    const outcome = { kind: 'captured', provider_transaction_id: 'pi_1', payment_method: 'card' } as const;
    expect(stepsOf(withOutcome(evolveProcess(open, declined), outcome))).to.deep.equal(['payment record_success']);
  });
});

describe('money that comes after the end', () => {
  for (const outcome of ['failed', 'cancelled'] as const) {
    it(`of a ${outcome} order is given back, exactly once`, () => {
      const { world, process, until } = shop({ mug: 9, cup: 9 }, two, 'captured');
      until('provider charge');
      process.step('error after');
      if (outcome === 'cancelled') world.cancel(process.id);
      world.seconds = 601;
      process.catchUp();
      story(world, process);
      expect(process.state.ended).to.equal(outcome);
      expect([world.captures.size, world.refunds.size]).to.deep.equal([1, 0]);
      world.webhook(process.id);
      process.crash();
      expect(story(world, process).flat()).to.deep.equal([
        'payment request_refund',
        'provider refund',
        'payment record_refund',
      ]);
      expect(world.webhook(process.id)).to.equal(false);
      process.crash();
      expect(story(world, process)).to.deep.equal([]);
      expect([...world.refunds.values()]).to.deep.equal([{ order_id, amount: total }]);
    });
  }

  it('of a confirmed order stays', () => {
    const state = knowing(
      created,
      ...bothReserved,
      started('reserved', at(600)),
      initiated,
      success,
      ended('confirmed'),
    );
    expect(stepsOf(state)).to.deep.equal([]);
  });
});

describe('a refund that the provider refuses', () => {
  it('is on record, and the order ends all the same, so that its stock is not kept', () => {
    const { world, process, until } = shop({ mug: 9, cup: 9 }, two, 'refund refused');
    until('order pay');
    world.cancel(process.id);
    expect(story(world, process).flat()).to.deep.equal([
      'order pay',
      'fulfilment refund',
      'payment request_refund',
      'provider refund',
      'payment record_refund_failure',
      'fulfilment release',
      'inventory release cup 1',
      'inventory release mug 1',
      'fulfilment end',
    ]);
    expect(world.log.some(({ type }) => type === 'payment.refund_failed')).to.equal(true);
  });

  it('is asked for again under another key, after a pause that doubles', () => {
    const refund = { ...facts, refund_id: deriveId('refund', order_id, 1) };
    const requested: PaymentEvent = {
      type: 'payment.refund_requested',
      data: { ...refund, provider_key: refundKey(order_id, 1, 1), reason: 'order_failed' },
    };
    const refused: PaymentEvent = { type: 'payment.refund_failed', data: { ...refund, reason: 'disputed' } };
    const state = knowing(created, started('refused', null), initiated, success, failed, requested, ended('failed'));
    const [ask] = nextSteps(state, input());
    if (ask?.target !== 'provider' || ask.step !== 'refund') throw new Error('no refund');
    const answered = refundedBy(state, ask, { kind: 'refused', reason: 'disputed' });
    const over = evolveProcess(answered, refused, undefined, at(1000));
    expect([standingOf(over), wakeAt(over, input())]).to.deep.equal(['owing-refund', at(1060)]);
    expect(stepsOf(over, 1059)).to.deep.equal([]);
    const [again] = nextSteps(over, input(1060));
    expect(again?.target === 'payment' && again.command.data).to.include({ provider_key: `${order_id}:refund:2` });
    const asked = evolveProcess(over, {
      ...requested,
      data: { ...requested.data, provider_key: refundKey(order_id, 1, 2) },
    });
    expect(stepsOf(asked, 1060)).to.deep.equal(['provider refund']);
    const refusedAgain = evolveProcess(asked, refused, undefined, at(2000));
    expect(wakeAt(refusedAgain, input())).to.equal(at(2120));
  });
});
