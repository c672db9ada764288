import { expect } from 'chai';
import { type AnyEvent, idFor } from '../../projections/spec-histories.js';
import type { StoredEvent } from '../../runtime/event-store/event-log.js';
import { recorded, storyOf } from './audit-fixture.js';
import { oneEffect } from './one-effect.js';

/** @param metadata by the number of the event */
function found(events: readonly AnyEvent[], metadata: (index: number) => StoredEvent['metadata'] = () => ({})) {
  const check = oneEffect();
  let index = 0;
  recorded(events, (stored) => {
    const changed = { ...stored, metadata: { ...stored.metadata, ...metadata(index) } };
    index += 1;
    return changed;
  }).forEach((stored) => {
    check.take(stored, undefined);
  });
  return check.finding();
}

describe('I7, a command has one effect', () => {
  const { confirmedOrder } = storyOf('a');
  const command_id = idFor('the command');

  it('holds where every command stands once, with as many events as it likes', () => {
    expect(found(confirmedOrder)).to.deep.include({ violations: 0 });
    expect(found(confirmedOrder).counts).to.include({ events: 13, commands: 13 });
    const story = storyOf('b');
    const both = [...story.held.slice(0, 3), story.stockReserved(0), story.releasedStock(0)];
    const together = found(both, (index) => (index >= 3 ? { command_id } : {}));
    expect(together).to.deep.include({ violations: 0 });
    expect(together.counts).to.include({ commands: 4 });
  });

  it('is violated by a command id that comes back later in the stream', () => {
    // order.created, order.paid and order.confirmed: the first and the third.
    const marked = [2, confirmedOrder.findIndex(({ type }) => type === 'order.confirmed')];
    const { violations, first } = found(confirmedOrder, (index) => (marked.includes(index) ? { command_id } : {}));
    expect(violations).to.equal(1);
    expect(first?.where).to.match(new RegExp(`^order-\\S+ revision 2, position \\d+, command ${command_id}$`));
    expect(first?.seen).to.equal('order.confirmed after revision 0');
  });

  it('is violated by a command that made two orders', () => {
    const orders = [...confirmedOrder, ...storyOf('b').confirmedOrder];
    const { violations, first } = found(orders, (index) =>
      orders[index]?.type === 'order.created' ? { command_id } : {},
    );
    expect(violations).to.equal(1);
    expect(first?.where).to.match(new RegExp(`^order-\\S+ revision 0, position \\d+, command ${command_id}$`));
    expect(first?.expected).to.equal('one order');
  });

  it('is violated by one id that stands for two requests', () => {
    const hashes = ['a'.repeat(64), 'b'.repeat(64)];
    const { violations, first, counts } = found(confirmedOrder, (index) =>
      index < 2 ? { command_id, request_hash: hashes[index] } : {},
    );
    expect(violations).to.equal(1);
    expect(counts).to.include({ 'keyed requests': 1 });
    expect(first).to.include({ expected: `request ${hashes[0]}`, seen: `request ${hashes[1]}` });
  });
});
