import { expect } from 'chai';
import { behaviours, conductOf } from './behaviours.js';

const price = 2999;

describe('test payment methods', () => {
  it('take, decline, or do not exist', () => {
    expect(conductOf('pm_card_visa', price)).to.deep.include({ card: { brand: 'visa', last4: '4242' }, waitMs: 0 });
    for (const name of ['pm_card_chargeDeclined', 'pm_card_visa_chargeDeclined']) {
      expect(conductOf(name, price)).to.include({ now: 'declines' });
      expect(conductOf(name, price)?.decline.declineCode).to.equal('generic_decline');
    }
    expect(conductOf('pm_card_chargeDeclined_do_not_honor', price)?.decline).to.include({
      code: 'card_declined',
      declineCode: 'do_not_honor',
    });
    for (const name of ['pm_card_nobody', 'pm_card_', 'constructor', 'pm_card_constructor', 'xpm_card_visa']) {
      expect(conductOf(name, price), name).to.equal(undefined);
    }
  });

  it('say in their name how long they wait, where they wait', () => {
    expect(conductOf('pm_card_lateSuccess', price)).to.include({ now: 'nothing', later: 'succeeds', waitMs: 5_000 });
    expect(conductOf('pm_card_lateSuccess_3s', price)?.waitMs).to.equal(3_000);
    expect(conductOf('pm_card_webhookLate_0s', price)?.waitMs).to.equal(0);
    for (const name of ['webhookTwice_3s', 'lateSuccess_3', 'lateSuccess_-3s', 'lateSuccess_123456s']) {
      expect(conductOf(`pm_card_${name}`, price), name).to.equal(undefined);
    }
  });
});

describe('test amounts', () => {
  it('do what their payment method does, charged with a good card', () => {
    for (const { name, number, seconds } of behaviours) {
      const amount = 99_900_000 + number * 100;
      const card = conductOf(`pm_card_${name}`, price);
      expect(conductOf('pm_card_visa', amount), name).to.deep.equal(card);
      const waiting = seconds === undefined ? undefined : conductOf(`pm_card_${name}_7s`, price);
      const plain = conductOf('pm_card_visa', price);
      expect(conductOf('pm_card_visa', amount + 7), name).to.deep.equal(waiting ?? plain);
    }
  });

  it('fill in what the payment method leaves open', () => {
    expect(conductOf('pm_card_lateSuccess_2s', 99_906_600)).to.include({ later: 'succeeds', refund: 'refused' });
    expect(conductOf('pm_card_lateSuccess_2s', 99_905_407)).to.include({ later: 'succeeds', waitMs: 2_000 });
  });

  it('are out of the way of other prices', () => {
    for (const amount of [1, 5_100, 99_899_999, 99_900_000, 99_999_999]) {
      expect(conductOf('pm_card_visa', amount)).to.deep.equal(conductOf('pm_card_visa', price));
    }
  });
});

describe('the table of behaviours', () => {
  it('has a name and a number of its own for each, and says how long each waits', () => {
    expect(new Set(behaviours.map(({ name }) => name)).size).to.equal(behaviours.length);
    expect(new Set(behaviours.map(({ number }) => number)).size).to.equal(behaviours.length);
    for (const { number, seconds, does, about } of behaviours) {
      expect(number).to.be.within(1, 98);
      expect(seconds !== undefined).to.equal(
        does.later !== undefined || does.webhook === 'late' || does.answer === 'late',
      );
      if (seconds !== undefined) expect(about).to.include(`${seconds} s`);
    }
  });
});
