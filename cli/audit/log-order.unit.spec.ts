import { expect } from 'chai';
import { type AnyEvent, idFor } from '../../projections/spec-histories.js';
import type { StoredEvent } from '../../runtime/event-store/event-log.js';
import { recorded, storyOf } from './audit-fixture.js';
import { isFlow } from './flow.js';
import { logOrder } from './log-order.js';

function found(events: readonly AnyEvent[], change?: (stored: StoredEvent) => StoredEvent) {
  const check = logOrder();
  recorded(events, change).forEach((stored, index) => {
    const event = events[index];
    check.take(stored, event !== undefined && isFlow(event) ? event : undefined);
  });
  return check.finding();
}

describe('I19, events in log order', () => {
  const story = storyOf('a');
  const { confirmedOrder, declinedOrder, undoneOrder } = story;
  const without = (events: readonly AnyEvent[], type: string) => events.filter((event) => event.type !== type);
  const causedBy =
    (index: number, cause: string, metadata = {}) =>
    (stored: StoredEvent) =>
      stored.id === idFor('event', index)
        ? { ...stored, metadata: { ...stored.metadata, ...metadata, $causationId: cause } }
        : stored;

  it('holds for every way an order goes', () => {
    for (const events of [confirmedOrder, declinedOrder, undoneOrder]) {
      expect(found(events)).to.deep.include({ violations: 0, first: undefined });
    }
    expect(found(confirmedOrder).counts).to.deep.equal({ causes: 12, steps: 10, 'causes outside the log': 0 });
  });

  it('is violated by a cause that comes after what it caused', () => {
    const { violations, first } = found(confirmedOrder, causedBy(4, idFor('event', 7)));
    expect(violations).to.equal(1);
    expect(first?.where).to.contain('position 500');
    expect(first?.seen).to.match(/^payment\.success at payment-/);
  });

  it('is violated by a cause that the process manager cannot have seen', () => {
    const unknown = idFor('nowhere');
    expect(found(confirmedOrder, causedBy(4, unknown)).counts).to.include({ 'causes outside the log': 1 });
    expect(found(confirmedOrder, causedBy(4, unknown)).violations).to.equal(0);
    const { violations, first } = found(confirmedOrder, causedBy(4, unknown, { source_service: 'process-manager' }));
    expect(violations).to.equal(1);
    expect(first?.expected).to.contain(unknown);
  });

  const needed: readonly [missing: string, at: string, from: readonly AnyEvent[]][] = [
    ['order.created', 'inventory.reserved', confirmedOrder],
    ['inventory.reserved', 'fulfilment.started', confirmedOrder],
    ['fulfilment.started', 'payment.initiated', confirmedOrder],
    ['payment.initiated', 'payment.success', confirmedOrder],
    ['payment.initiated', 'payment.failed', declinedOrder],
    ['payment.success', 'order.paid', confirmedOrder],
    ['order.paid', 'inventory.confirmed', confirmedOrder],
    ['inventory.confirmed', 'order.confirmed', confirmedOrder],
    ['order.confirmed', 'fulfilment.ended', confirmedOrder],
    ['payment.refund_requested', 'payment.refunded', undoneOrder],
  ];
  for (const [missing, at, events] of needed) {
    it(`is violated by ${at} without ${missing} before it`, () => {
      const { violations, first } = found(without(events, missing));
      expect(violations).to.be.greaterThan(0);
      expect(first?.where).to.contain(`(${at})`);
    });
  }

  it('is violated by an order that is paid after its end, and by stock that is taken after all is over', () => {
    const paidLate = [...without(undoneOrder, 'order.paid').slice(0, -1), story.paid()];
    expect(found(paidLate).violations).to.be.greaterThan(0);
    expect(found([...declinedOrder, story.stockReserved(0)]).first?.expected).to.match(/^no fulfilment\.ended before/);
  });
});
