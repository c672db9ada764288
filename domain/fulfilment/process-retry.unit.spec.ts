import { expect } from 'chai';
import type { PaymentEvent } from '../payment/payment-events.js';
import { charged } from './dispatch.js';
import { nextSteps } from './next-steps.js';
import { at, input } from './process-fixture.js';
import { evolveProcess } from './process-state.js';
import { standingOf, wakeAt } from './standing.js';
import {
  bothReserved,
  cancelled,
  created,
  declinedFirst,
  ended,
  initiated,
  knowing,
  paymentFailed,
  shop,
  started,
  stepsOf,
  story,
  success,
  two,
  types,
} from './story-fixture.js';

const waits = knowing(created, ...bothReserved, started('reserved', at(600)), initiated, declinedFirst);
const second: PaymentEvent = {
  type: 'payment.initiated',
  data: { ...initiated.data, attempt: 2, payment_method: 'pm_card_mastercard' } as never,
};

describe('an order whose card was declined', () => {
  it('waits for its customer until the deadline, and holds its stock meanwhile', () => {
    expect(stepsOf(waits, 599)).to.deep.equal([]);
    expect([standingOf(waits), wakeAt(waits, input())]).to.deep.equal(['awaiting-retry', at(600)]);
  });

  it('is closed to further cards at the deadline, and then undone', () => {
    expect(stepsOf(waits, 600)).to.deep.equal(['payment close']);
    const [close] = nextSteps(waits, input(600));
    expect(close?.target === 'payment' && close.command.data).to.include({ reason: 'card_declined', retryable: false });
    expect(stepsOf(evolveProcess(waits, paymentFailed(1, false)), 600)).to.deep.equal(['fulfilment release']);
  });

  it('charges the next card under its own attempt and key', () => {
    const [step] = nextSteps(evolveProcess(waits, second), input(30));
    expect(step?.target === 'provider' && step.step === 'charge' && step.charge).to.include({
      attempt: 2,
      payment_method: 'pm_card_mastercard',
    });
  });

  it('is confirmed with another card that is good, and none of its stock moves', () => {
    const { world, process } = shop({ mug: 9, cup: 9 }, two, 'declined once');
    story(world, process);
    expect(world.retry(process.id)).to.equal(true);
    process.catchUp();
    expect(story(world, process).flat()).to.deep.equal([
      'provider charge',
      'payment record_success',
      'order pay',
      'inventory confirm cup 1',
      'inventory confirm mug 1',
      'order confirm',
      'fulfilment end',
    ]);
    expect(types(world)).to.not.include('inventory.released');
  });

  it('and is cancelled takes no further card', () => {
    expect(stepsOf(evolveProcess(waits, cancelled), 30)).to.deep.equal(['payment close']);
    const { world, process, until } = shop({ mug: 9, cup: 9 }, two, 'declined once');
    story(world, process);
    world.cancel(process.id);
    process.catchUp();
    until('fulfilment release');
    expect(world.retry(process.id)).to.equal(false);
    story(world, process);
    expect(process.state.ended).to.equal('cancelled');
  });

  it('releases what is overdue while it waits, and takes it anew for a card that is good', () => {
    const { world, process } = shop({ mug: 9, cup: 9 }, two, 'declined once', 1000, {
      reservationMs: 60_000,
      graceMs: -3600_000,
    });
    story(world, process);
    expect(wakeAt(process.state, world.input)).to.equal(at(60));
    world.seconds = 60;
    expect(story(world, process)).to.deep.equal([['inventory expire cup 1', 'inventory expire mug 1']]);
    world.retry(process.id);
    process.catchUp();
    expect(story(world, process).flat()).to.include.members(['inventory reserve cup 2', 'inventory reserve mug 2']);
    expect(process.state.ended).to.equal('confirmed');
  });
});

describe('money of an attempt that another one has followed', () => {
  const open = evolveProcess(waits, second);

  it('goes back, whatever becomes of the order, and is not the order’s payment', () => {
    expect(stepsOf(evolveProcess(open, success), 30)).to.deep.equal(['payment request_refund', 'provider charge']);
    const confirmed = evolveProcess(open, ended('confirmed'));
    expect(stepsOf(confirmed)).to.deep.equal([]);
    expect(stepsOf(evolveProcess(confirmed, success))).to.deep.equal(['payment request_refund']);
  });

  it('is recorded first where only the provider’s answer told of it', () => {
    const [ask] = nextSteps(knowing(created, ...bothReserved, started('reserved', at(600)), initiated), input());
    if (ask?.target !== 'provider' || ask.step !== 'charge') throw new Error('no charge');
    const told = charged(open, ask, { kind: 'captured', provider_transaction_id: 'pi_1', payment_method: 'card' });
    expect(stepsOf(told, 30)).to.deep.equal(['payment record_success', 'provider charge']);
    expect(stepsOf(evolveProcess(told, success), 30)).to.deep.equal(['payment request_refund', 'provider charge']);
  });

  it('goes back once while the order keeps what the other attempt paid', () => {
    const { world, process } = shop({ mug: 9, cup: 9 }, two, 'declined and taken');
    story(world, process);
    world.retry(process.id);
    process.catchUp();
    story(world, process);
    expect(process.state.ended).to.equal('confirmed');
    expect(world.webhook(process.id)).to.equal(true);
    process.crash();
    story(world, process);
    expect([world.captures.size, world.refunds.size]).to.deep.equal([2, 1]);
    expect(world.webhook(process.id)).to.equal(false);
    expect(stepsOf(process.state)).to.deep.equal([]);
  });
});
