import { expect } from 'chai';
import fc from 'fast-check';
import { fold } from '../core/decider.js';
import { runLawfully } from '../core/decider-laws.js';
import { eventCatalog } from '../event-catalog.js';
import { type ExpiryQueue, withEntry, withoutTop } from './expiry-queue.js';
import { type InventoryCommand, type InventoryState, inventoryDecider } from './inventory.js';
import type { InventoryEvent } from './inventory-events.js';
import { at, commands, item, reservationId } from './inventory-fixture.js';

const { receive, adjust, reserve, extend, confirm, release, restock, expire } = commands;

const n = fc.integer({ min: 1, max: 8 });
const place = fc.integer({ min: 1, max: 3 });
const quantity = fc.integer({ min: 1, max: 6 });
const later = fc.integer({ min: -100, max: 900 });
/** A clock that mostly runs, now and then stands, leaps or jumps back. */
const tick = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 120 }) },
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 600, max: 3600 }) },
  { weight: 1, arbitrary: fc.integer({ min: -3600, max: -1 }) },
);
type Timed = (now: number) => InventoryCommand;
const timed: fc.Arbitrary<Timed> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.tuple(quantity, place).map(
      ([q, w]): Timed =>
        (now) =>
          receive(q, w, now),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.integer({ min: -6, max: 6 }), place).map(
      ([q, w]): Timed =>
        (now) =>
          adjust(q, w, now),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(n, quantity, later, fc.nat(4)).map(
      ([r, q, until, low]): Timed =>
        (now) =>
          reserve(r, q, now + until, now, low),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(n, later).map(
      ([r, until]): Timed =>
        (now) =>
          extend(r, now + until, now),
    ),
  },
  {
    weight: 3,
    arbitrary: n.map(
      (r): Timed =>
        (now) =>
          confirm(r, now),
    ),
  },
  {
    weight: 2,
    arbitrary: n.map(
      (r): Timed =>
        (now) =>
          release(r, now),
    ),
  },
  {
    weight: 2,
    arbitrary: n.map(
      (r): Timed =>
        (now) =>
          restock(r, now),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Timed>((now) => expire(now)) },
);
const histories = fc.array(fc.tuple(timed, tick), { maxLength: 60 }).map((list) => {
  let now = 0;
  return list.map(([command, seconds]) => {
    now += seconds;
    return command(now);
  });
});

/** A command that is true already when it comes again at once; stock that comes in comes in twice. */
const repeatable = ({ type }: InventoryCommand) =>
  !['ReceiveStock', 'AdjustStock', 'ConfirmReservation', 'ReserveStock'].includes(type);

const sumOf = (parts: readonly { quantity: number }[]) => parts.reduce((sum, part) => sum + part.quantity, 0);

/** Counts a stream's stock from its events alone, independently of the decider's own fold, and checks each one. */
function checkStream(events: readonly InventoryEvent[]): void {
  let owned = 0;
  let sold = 0;
  const held = new Map<string, number>();
  const status = new Map<string, string>();
  for (const event of events) {
    const { data } = event;
    const leave = (id: string, from: string, to: string) => {
      expect(status.get(id), `${id} before ${event.type}`).to.equal(from);
      status.set(id, to);
    };
    switch (event.type) {
      case 'inventory.received':
        owned += event.data.quantity;
        break;
      case 'inventory.adjusted':
        owned += event.data.delta;
        break;
      case 'inventory.reserved':
        expect(status.has(event.data.reservation_id), 'an id is reserved once').to.equal(false);
        status.set(event.data.reservation_id, 'reserved');
        held.set(event.data.reservation_id, sumOf(event.data.reservations));
        break;
      case 'inventory.confirmed':
        leave(event.data.reservation_id, 'reserved', 'confirmed');
        expect(sumOf(event.data.reservations)).to.equal(held.get(event.data.reservation_id));
        held.delete(event.data.reservation_id);
        sold += sumOf(event.data.reservations);
        break;
      case 'inventory.released':
        leave(event.data.reservation_id, 'reserved', 'released');
        expect(sumOf(event.data.reservations)).to.equal(held.get(event.data.reservation_id));
        held.delete(event.data.reservation_id);
        break;
      case 'inventory.restocked':
        leave(event.data.reservation_id, 'confirmed', 'restocked');
        sold -= sumOf(event.data.reservations);
        break;
      default:
        break;
    }
    const reserved = [...held.values()].reduce((sum, one) => sum + one, 0);
    expect(reserved + sold, `after ${event.type}`).to.be.at.most(owned);
    expect(data.available, `after ${event.type}`).to.equal(owned - reserved - sold);
  }
}

describe('any sequence of commands to a variant, under any clock', () => {
  it('never oversells, leaves each status once, and tells what is available after every event', () => {
    fc.assert(
      fc.property(histories, (list) => {
        const { events, state } = runLawfully(inventoryDecider, eventCatalog, list, repeatable);
        checkStream(events);
        expect(state.available).to.equal(events.at(-1)?.data.available ?? 0);
        for (const { onHand, reserved } of Object.values(state.warehouses)) {
          expect(reserved).to.be.within(0, Math.max(0, onHand));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('has nothing due that is held once anything was decided', () => {
    fc.assert(
      fc.property(histories, fc.nat(4000), (list, seconds) => {
        const { state } = runLawfully(inventoryDecider, eventCatalog, [...list, expire(seconds)]);
        for (const { expiresAt } of state.open.values()) expect(expiresAt).to.be.above(Date.parse(at(seconds)));
      }),
    );
  });

  it('tells of low stock exactly where a reservation crosses the threshold', () => {
    fc.assert(
      fc.property(histories, (list) => {
        let state: InventoryState = inventoryDecider.initialState;
        for (const command of list) {
          const run = runLawfully({ ...inventoryDecider, initialState: state }, eventCatalog, [command]);
          const low = run.events.filter(({ type }) => type === 'inventory.low').length;
          const made = run.events.find(({ type }) => type === 'inventory.reserved');
          let crossed = false;
          if (made !== undefined && command.type === 'ReserveStock') {
            const { low_stock_threshold: threshold, quantity: taken } = command.data;
            crossed = made.data.available <= threshold && made.data.available + taken > threshold;
          }
          expect(low).to.equal(crossed ? 1 : 0);
          state = run.state;
        }
      }),
    );
  });

  it('says the same again when a reservation or a confirmation is repeated: held stays held, gone stays gone', () => {
    fc.assert(
      fc.property(histories, n, quantity, fc.nat(3000), (list, r, q, now) => {
        const twice = (command: InventoryCommand) => {
          const first = runLawfully(inventoryDecider, eventCatalog, [...list, command]);
          const both = runLawfully(inventoryDecider, eventCatalog, [...list, command, command]);
          const more = both.events.slice(first.events.length).map(({ type }) => type);
          expect(both.state.available).to.equal(first.state.available);
          expect(more.filter((type) => !type.endsWith('.failed'))).to.deep.equal([]);
        };
        twice(reserve(r, q, now + 900, now));
        twice(confirm(r, now));
      }),
    );
  });
});

/** Runs commands one after the other without checking laws: for long histories. */
function live(list: Iterable<InventoryCommand>, from: InventoryState = inventoryDecider.initialState) {
  let state = from;
  const events: InventoryEvent[] = [];
  for (const command of list) {
    for (const event of inventoryDecider.decide(command, state)) {
      state = inventoryDecider.evolve(state, event);
      events.push(event);
    }
  }
  return { state, events };
}
const upTo = (count: number, first = 1) => Array.from({ length: count }, (_, i) => first + i);

describe('a stream that has sold for years', () => {
  it('forgets the oldest reservations that ended, and knows the recent ones for what they are', () => {
    const total = 11_000;
    const all = upTo(total).flatMap((r) => [reserve(r, 1, 900), r % 2 === 0 ? confirm(r) : release(r)]);
    const { state } = live([receive(total), ...all]);
    expect(state.closed.size + state.closedBefore.size).to.be.within(5_000, 10_000);
    expect(state.open.size).to.equal(0);
    for (const r of upTo(5_000, total - 4_999)) {
      const again = live([r % 2 === 0 ? confirm(r) : release(r)], state);
      if (again.events.length > 0) throw new Error(`reservation ${r} was forgotten`);
    }
    const taken = live([reserve(total, 1, 900)], state).events.map(({ type }) => type);
    expect(taken).to.deep.equal(['inventory.reservation.failed']);
    expect(live([restock(total)], state).events.map(({ type }) => type)).to.deep.equal(['inventory.restocked']);
    expect(() => live([restock(2)], state))
      .to.throw()
      .with.property('code', 'reservation-not-found');
  }).timeout(20_000);

  it('holds 5,000 open reservations, and a replay meets the same state', () => {
    const { state, events } = live([receive(5_000), ...upTo(5_000).map((r) => reserve(r, 1, 900 + r))]);
    expect([state.open.size, state.available]).to.deep.equal([5_000, 0]);
    const sold = live(
      upTo(2_500).map((r) => confirm(r)),
      state,
    );
    expect(sold.state.open.size).to.equal(2_500);
    const replayed = fold(inventoryDecider, [...events, ...sold.events]);
    expect([replayed.open.size, replayed.available]).to.deep.equal([2_500, 0]);
    expect(replayed.expiries?.id).to.equal(reservationId(2_501));
    expect(fold(inventoryDecider, events).warehouses).to.deep.equal(state.warehouses);
  }).timeout(20_000);

  it('releases thousands that are due in portions that fit into one append, the longest overdue first', () => {
    let { state } = live([receive(1_000), ...upTo(1_000).map((r) => reserve(r, 1, 1900 - r))]);
    const portions: number[] = [];
    const order: string[] = [];
    for (;;) {
      const { state: next, events } = live([expire(1900)], state);
      if (events.length === 0) break;
      checkPortion(events, state.available);
      portions.push(events.length);
      for (const { data } of events) if ('reservation_id' in data) order.push(data.reservation_id);
      state = next;
    }
    expect(portions).to.deep.equal([400, 400, 200]);
    expect(order).to.deep.equal(upTo(1_000).reverse().map(reservationId));
    expect([state.available, state.open.size]).to.deep.equal([1_000, 0]);
  }).timeout(20_000);

  function checkPortion(events: readonly InventoryEvent[], before: number): void {
    for (const [i, { data }] of events.entries()) expect(data.available).to.equal(before + i + 1);
    expect(events[0]?.data).to.include(item);
  }
});

describe('the queue of expiries', () => {
  it('gives its entries in order, ties by id, and stays as it was for whoever holds an older one', () => {
    const entry = fc.record({ id: fc.string({ maxLength: 3 }), expiresAt: fc.integer({ min: 0, max: 20 }) });
    const drain = (queue: ExpiryQueue) => {
      const out: { id: string; expiresAt: number }[] = [];
      for (let rest = queue; rest !== undefined; rest = withoutTop(rest)) {
        out.push({ id: rest.id, expiresAt: rest.expiresAt });
      }
      return out;
    };
    fc.assert(
      fc.property(fc.array(entry), fc.array(entry), (first, second) => {
        const before = first.reduce<ExpiryQueue>(withEntry, undefined);
        const after = second.reduce<ExpiryQueue>(withEntry, before);
        const sorted = (list: typeof first) =>
          [...list].sort((a, b) => a.expiresAt - b.expiresAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
        expect(drain(after)).to.deep.equal(sorted([...first, ...second]));
        expect(drain(before)).to.deep.equal(sorted(first));
      }),
    );
    expect(withoutTop(undefined)).to.equal(undefined);
  });
});
