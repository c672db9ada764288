import fc from 'fast-check';
import { DomainError } from '../domain/core/domain-error.js';
import { type InventoryState, inventoryDecider } from '../domain/inventory/inventory.js';
import type { InventoryEvent } from '../domain/inventory/inventory-events.js';
import { commands } from '../domain/inventory/inventory-fixture.js';

// For the specifications of this folder; nothing else imports it.

const n = fc.integer({ min: 1, max: 6 });
const quantity = fc.integer({ min: 1, max: 6 });
const place = fc.integer({ min: 1, max: 3 });
/** What is asked of a variant's stock, each at a second of its own. */
const asked = fc.array(
  fc.oneof(
    fc.tuple(fc.constant('receive' as const), quantity, place),
    fc.tuple(fc.constant('adjust' as const), fc.integer({ min: -6, max: 6 }), place),
    fc.tuple(fc.constant('reserve' as const), n, quantity),
    fc.tuple(fc.constant('reserve' as const), n, quantity),
    fc.tuple(fc.constant('extend' as const), n, quantity),
    fc.tuple(fc.constant('confirm' as const), n, quantity),
    fc.tuple(fc.constant('release' as const), n, quantity),
    fc.tuple(fc.constant('restock' as const), n, quantity),
  ),
  { maxLength: 60 },
);

const commandFor = ([what, a, b]: [string, number, number], now: number) => {
  if (what === 'receive') return commands.receive(a, b, now);
  if (what === 'adjust') return commands.adjust(a, b, now);
  if (what === 'reserve') return commands.reserve(a, b, now + 8, now, 3);
  if (what === 'extend') return commands.extend(a, now + 5 + b, now);
  if (what === 'confirm') return commands.confirm(a, now);
  return what === 'release' ? commands.release(a, now) : commands.restock(a, now);
};

/** Any history of one variant's stock, as the decider allows it: the events, and the state after each. */
export const stockHistories = asked.map((list) => {
  const history: InventoryEvent[] = [];
  const states: InventoryState[] = [];
  let state = inventoryDecider.initialState;
  for (const [second, what] of list.entries()) {
    let decided: readonly InventoryEvent[] = [];
    try {
      decided = inventoryDecider.decide(commandFor(what, second), state);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
    }
    for (const event of decided) {
      state = inventoryDecider.evolve(state, event);
      history.push(event);
      states.push(state);
    }
  }
  return { history, states };
});
