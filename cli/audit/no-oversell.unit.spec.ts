import { expect } from 'chai';
import type { AnyEvent } from '../../projections/spec-histories.js';
import { recorded, storyOf } from './audit-fixture.js';
import { type FlowEvent, isFlow } from './flow.js';
import { noOversell } from './no-oversell.js';

function checked(events: readonly AnyEvent[]) {
  const check = noOversell();
  recorded(events).forEach((stored, index) => {
    const event = events[index];
    check.take(stored, event !== undefined && isFlow(event) ? (event as FlowEvent) : undefined);
  });
  return check;
}

describe('I1, no oversell', () => {
  const story = storyOf('a');
  const level = (events: readonly AnyEvent[]) =>
    checked(events)
      .levels()
      .get(story.items[0]?.variant_id ?? '');

  it('holds at every prefix of orders that were confirmed, declined and undone', () => {
    const events = [story.confirmedOrder, storyOf('b').declinedOrder, storyOf('c').undoneOrder].flat();
    const { violations, counts } = checked(events).finding();
    expect(violations).to.equal(0);
    expect(counts).to.deep.equal({ prefixes: 19, variants: 6 });
  });

  it('follows what is available, reserved and sold', () => {
    expect(level(story.held)).to.deep.equal({ available: 8, reserved: 2, sold: 0 });
    expect(level(story.confirmedOrder)).to.deep.equal({ available: 8, reserved: 0, sold: 2 });
    expect(level(story.undoneOrder)).to.deep.equal({ available: 10, reserved: 0, sold: 0 });
  });

  it('is violated where more is reserved than came in, and names the prefix', () => {
    const [, second, ...rest] = story.held;
    const { violations, first } = checked([second as AnyEvent, ...rest]).finding();
    expect(violations).to.be.greaterThan(0);
    expect(first?.where).to.match(/^inventory-\S+ revision 0, position 300 \(inventory\.reserved, warehouse /);
    expect(first).to.include({ expected: 'no more than 0 units reserved', seen: '2 reserved' });
  });

  it('is violated where an event tells another amount than is left', () => {
    const wrong = [...story.held.slice(0, -1), story.stockReserved(1, 9)];
    const { violations, first } = checked(wrong).finding();
    expect(violations).to.equal(1);
    expect(first).to.include({ expected: 'available 8', seen: 'available 9' });
  });
});
