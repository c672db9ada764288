import { expect } from 'chai';
import type { AnyEvent } from '../../projections/spec-histories.js';
import { recorded, storyOf } from './audit-fixture.js';
import { isFlow } from './flow.js';
import { orderBook } from './order-book.js';
import { reservationsLeftOnce } from './reservations-left-once.js';

function found(events: readonly AnyEvent[]) {
  const book = orderBook();
  const check = reservationsLeftOnce();
  recorded(events).forEach((stored, index) => {
    const event = events[index];
    const flow = event !== undefined && isFlow(event) ? event : undefined;
    book.take(stored, flow);
    check.take(stored, flow);
  });
  return check.finding(book.orders);
}

describe('I2, reservations are left once', () => {
  const story = storyOf('a');

  it('holds for orders that were confirmed, declined and undone, and counts what became of them', () => {
    const events = [story.confirmedOrder, storyOf('b').declinedOrder, storyOf('c').undoneOrder, storyOf('d').held];
    const { violations, counts } = found(events.flat());
    expect(violations).to.equal(0);
    expect(counts).to.deep.equal({ reservations: 8, confirmed: 3, released: 3, restocked: 1, open: 2, orders: 3 });
  });

  it('is violated by a reservation that is left twice', () => {
    const { violations, first } = found([...story.confirmedOrder, story.releasedStock(0)]);
    expect(violations).to.equal(1);
    expect(first?.where).to.contain('inventory.released');
    expect(first).to.include({ expected: 'a reservation that is open', seen: 'confirmed' });
  });

  it('is violated by one that was never taken', () => {
    expect(found([...story.held.slice(0, 3), story.releasedStock(0)]).first?.seen).to.equal('none');
  });

  it('is violated by one that is taken twice', () => {
    expect(found([...story.held, story.stockReserved(0)]).first?.seen).to.match(/^reserved before at inventory-/);
  });

  it('is violated by restocking what was not confirmed', () => {
    expect(found([...story.held, story.restocked(0)]).first?.seen).to.equal('open');
  });

  it('is violated by one that leaves with another quantity', () => {
    const released = story.releasedStock(0);
    const data = structuredClone(released.data) as { reservations: { quantity: number }[] };
    for (const part of data.reservations) part.quantity = 1;
    const wrong = [...story.held, { ...released, data } as unknown as AnyEvent];
    expect(found(wrong).first?.expected).to.match(/^2 in /);
    expect(found(wrong).first?.seen).to.match(/^1 in /);
  });

  it('is violated by one still held when its order has ended', () => {
    const events = story.declinedOrder.filter(({ type }) => type !== 'inventory.released');
    const { violations, first } = found(events);
    expect(violations).to.equal(2);
    expect(first?.seen).to.contain('still held, though order');
  });

  it('is violated by a confirmed order that sold less than it holds, and a failed one that sold', () => {
    const [less] = [story.confirmedOrder.filter((event) => event.type !== 'inventory.confirmed')];
    expect(found([...less, story.releasedStock(0), story.releasedStock(1)]).first).to.include({
      expected: `2 units of ${story.items[0]?.variant_id} sold`,
      seen: '0 units sold',
    });
    const kept = story.undoneOrder.filter(({ type }) => type !== 'inventory.restocked');
    expect(found(kept).first).to.include({
      expected: `0 units of ${story.items[0]?.variant_id} sold`,
      seen: '2 units sold',
    });
  });

  it('is violated by a confirmed order that sold as much as it holds, but of other goods', () => {
    const quantities = new Map([
      [story.items[0]?.variant_id, 3],
      [story.items[1]?.variant_id, 1],
    ]);
    const swapped = story.confirmedOrder.map((event) => {
      if (!('reservations' in event.data)) return event;
      const data = structuredClone(event.data) as { variant_id: string; reservations: { quantity: number }[] };
      for (const part of data.reservations) part.quantity = quantities.get(data.variant_id) ?? 0;
      return { ...event, data } as unknown as AnyEvent;
    });
    const { violations, first } = found(swapped);
    expect(violations).to.equal(1);
    expect(first).to.include({
      expected: `2 units of ${story.items[0]?.variant_id} sold`,
      seen: '3 units sold',
    });
  });

  it('is violated by one for an order that the log does not know', () => {
    const events = story.held.filter(({ type }) => type !== 'order.created');
    expect(found(events).first?.seen).to.equal('no such order');
  });
});
