import { expect } from 'chai';
import fc from 'fast-check';
import { fold } from '../core/decider.js';
import { runLawfully } from '../core/decider-laws.js';
import { largestLineQuantity } from '../core/ids.js';
import { given } from '../core/specification.js';
import { eventCatalog } from '../event-catalog.js';
import { type CartCommand, type CartItem, cartDecider, cartItems, mostCartItems } from './cart.js';
import type { CartEvent } from './cart-events.js';

const metadata = { now: '2026-03-01T09:30:00.000Z' };
const id = (n: number) => `018f3c1a-0000-7000-8000-${String(n).padStart(12, '0')}`;
const cart_id = id(9001);
const owner = `user:${id(1)}`;
const stranger = `guest:${id(2)}`;
const mine = { cart_id, owner };
const item = (n: number, quantity: number): CartItem => ({ product_id: id(5000 + n), variant_id: id(n), quantity });

const add = (n: number, quantity: number, by = owner): CartCommand => ({
  type: 'AddItem',
  data: { cart_id, owner: by, ...item(n, quantity) },
  metadata,
});
const change = (n: number, quantity: number, by = owner): CartCommand => ({
  type: 'ChangeQuantity',
  data: { cart_id, owner: by, variant_id: id(n), quantity },
  metadata,
});
const remove = (n: number, by = owner): CartCommand => ({
  type: 'RemoveItem',
  data: { cart_id, owner: by, variant_id: id(n) },
  metadata,
});
const merge = (from: number, items: readonly CartItem[], by = owner): CartCommand => ({
  type: 'MergeCart',
  data: { cart_id, owner: by, from_cart_id: id(from), items },
  metadata,
});
const checkOut = (order: number, by = owner): CartCommand => ({
  type: 'CheckOutCart',
  data: { cart_id, owner: by, order_id: id(order) },
  metadata,
});

const added = (n: number, quantity: number): CartEvent => ({
  type: 'cart.item_added',
  data: { ...mine, ...item(n, quantity) },
});
const changed = (n: number, old_quantity: number, new_quantity: number): CartEvent => ({
  type: 'cart.quantity_changed',
  data: { ...mine, product_id: id(5000 + n), variant_id: id(n), old_quantity, new_quantity },
});
const removed = (n: number, quantity: number): CartEvent => ({
  type: 'cart.item_removed',
  data: { ...mine, ...item(n, quantity) },
});
const merged = (from: number, ...items: CartItem[]): CartEvent => ({
  type: 'cart.merged',
  data: { ...mine, from_cart_id: id(from), items },
});
const checkedOut = (order: number, ...items: CartItem[]): CartEvent => ({
  type: 'cart.checked_out',
  data: { ...mine, order_id: id(order), items },
});
const full = Array.from({ length: mostCartItems }, (_, n) => added(n + 1, 1));

describe('a cart that does not exist', () => {
  it('comes to be with its first item', () => {
    given(cartDecider).when(add(1, 2)).then(added(1, 2));
  });

  it('comes to be by a merge', () => {
    given(cartDecider)
      .when(merge(77, [item(1, 2)]))
      .then(merged(77, item(1, 2)));
  });

  it('is not found by any other command', () => {
    given(cartDecider).when(change(1, 2)).thenRefused('cart-not-found');
    given(cartDecider).when(remove(1)).thenRefused('cart-not-found');
    given(cartDecider).when(checkOut(1)).thenRefused('cart-not-found');
  });
});

describe('an open cart', () => {
  it('takes another item', () => {
    given(cartDecider, added(1, 2)).when(add(2, 1)).then(added(2, 1));
  });

  it('adds the quantities of the same variant up', () => {
    given(cartDecider, added(1, 2))
      .when(add(1, 3))
      .then(changed(1, 2, 5));
  });

  it('changes a quantity', () => {
    given(cartDecider, added(1, 2))
      .when(change(1, 7))
      .then(changed(1, 2, 7));
    given(cartDecider, added(1, 2), changed(1, 2, 7))
      .when(change(1, 7))
      .thenNothing();
  });

  it('changes no quantity of what it does not hold', () => {
    given(cartDecider, added(1, 2)).when(change(2, 7)).thenRefused('item-not-in-cart');
  });

  it('removes an item with what was there of it', () => {
    given(cartDecider, added(1, 2), changed(1, 2, 7))
      .when(remove(1))
      .then(removed(1, 7));
  });

  it('has nothing to do for an item that is not there', () => {
    given(cartDecider, added(1, 2), removed(1, 2)).when(remove(1)).thenNothing();
  });

  for (const quantity of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    it(`refuses the quantity ${quantity}`, () => {
      given(cartDecider, added(1, 2)).when(add(2, quantity)).thenRefused('quantity-not-positive');
      given(cartDecider, added(1, 2)).when(change(1, quantity)).thenRefused('quantity-not-positive');
      given(cartDecider, added(1, 2))
        .when(merge(77, [item(1, quantity)]))
        .thenRefused('quantity-not-positive');
    });
  }

  it('holds a large quantity of one variant, but not a larger', () => {
    given(cartDecider).when(add(1, largestLineQuantity)).thenTypes('cart.item_added');
    given(cartDecider)
      .when(add(1, largestLineQuantity + 1))
      .thenRefused('quantity-too-large');
    given(cartDecider, added(1, largestLineQuantity)).when(add(1, 1)).thenRefused('quantity-too-large');
    given(cartDecider, added(1, 1)).when(change(1, largestLineQuantity)).thenTypes('cart.quantity_changed');
    given(cartDecider, added(1, 1))
      .when(change(1, largestLineQuantity + 1))
      .thenRefused('quantity-too-large');
    given(cartDecider, added(1, 1))
      .when(merge(77, [item(1, largestLineQuantity)]))
      .thenRefused('quantity-too-large');
    given(cartDecider)
      .when(merge(77, [item(1, largestLineQuantity), item(1, 1)]))
      .thenRefused('quantity-too-large');
  });

  it('holds 500 different items, but not one more', () => {
    given(cartDecider, ...full.slice(1))
      .when(add(1, 1))
      .thenTypes('cart.item_added');
    given(cartDecider, ...full)
      .when(add(501, 1))
      .thenRefused('cart-full');
    given(cartDecider, ...full)
      .when(add(500, 1))
      .then(changed(500, 1, 2));
    given(cartDecider, ...full)
      .when(merge(77, [item(501, 1)]))
      .thenRefused('cart-full');
    given(cartDecider, ...full)
      .when(merge(77, [item(500, 1)]))
      .thenTypes('cart.merged');
    given(cartDecider, ...full, removed(1, 1))
      .when(add(501, 1))
      .thenTypes('cart.item_added');
  });

  it('takes over the items of another cart', () => {
    given(cartDecider, added(1, 2))
      .when(merge(77, [item(1, 3), item(2, 1)]))
      .then(merged(77, item(1, 3), item(2, 1)));
    expect(cartItems(fold(cartDecider, [added(1, 2), merged(77, item(1, 3), item(2, 1))]))).to.deep.equal([
      item(1, 5),
      item(2, 1),
    ]);
  });

  it('tells a variant that the other cart names twice once, with the sum', () => {
    given(cartDecider)
      .when(merge(77, [item(1, 2), item(1, 3)]))
      .then(merged(77, item(1, 5)));
  });

  it('merges a cart only once, itself never, and an empty one without a word', () => {
    given(cartDecider, merged(77, item(1, 1)))
      .when(merge(77, [item(1, 1)]))
      .thenNothing();
    given(cartDecider, merged(77, item(1, 1)))
      .when(merge(78, [item(1, 1)]))
      .thenTypes('cart.merged');
    given(cartDecider, added(1, 1))
      .when(merge(9001, [item(1, 1)]))
      .thenNothing();
    given(cartDecider, added(1, 1)).when(merge(77, [])).thenNothing();
  });

  it('is checked out with all that it holds', () => {
    given(cartDecider, added(1, 2), added(2, 1), changed(1, 2, 3))
      .when(checkOut(42))
      .then(checkedOut(42, item(1, 3), item(2, 1)));
  });

  it('is not checked out empty', () => {
    given(cartDecider, added(1, 2), removed(1, 2)).when(checkOut(42)).thenRefused('cart-empty');
  });
});

describe('a cart of somebody else', () => {
  const commands = [add(1, 1, stranger), change(1, 5, stranger), remove(1, stranger), checkOut(42, stranger)];
  for (const command of [...commands, merge(77, [item(1, 1)], stranger)]) {
    it(`is not found by ${command.type}, open or checked out`, () => {
      given(cartDecider, added(1, 2)).when(command).thenRefused('cart-not-found');
      given(cartDecider, added(1, 2), checkedOut(42, item(1, 2)))
        .when(command)
        .thenRefused('cart-not-found');
    });
  }

  it('belongs to who made the first event, emptied or not', () => {
    given(cartDecider, added(1, 2), removed(1, 2))
      .when(add(1, 1, stranger))
      .thenRefused('cart-not-found');
    const foreign: CartEvent = { type: 'cart.item_added', data: { cart_id, owner: stranger, ...item(2, 1) } };
    expect(fold(cartDecider, [added(1, 2), foreign]).owner).to.equal(owner);
  });
});

describe('a cart that was checked out', () => {
  const history = [added(1, 2), merged(77, item(2, 1)), checkedOut(42, item(1, 2), item(2, 1))];
  for (const command of [add(3, 1), add(1, 1), change(1, 5), change(1, 2), remove(1), remove(9), merge(78, [])]) {
    it(`refuses ${command.type}`, () => {
      given(cartDecider, ...history)
        .when(command)
        .thenRefused('cart-checked-out');
    });
  }

  it('checked out again for the same order stays as it is, for another one is refused', () => {
    given(cartDecider, ...history)
      .when(checkOut(42))
      .thenNothing();
    given(cartDecider, ...history)
      .when(checkOut(43))
      .thenRefused('cart-checked-out');
  });

  it('still tells what it held', () => {
    expect(cartItems(fold(cartDecider, history))).to.deep.equal([item(1, 2), item(2, 1)]);
  });
});

describe('the items of a cart', () => {
  it('are a copy that does not reach the state', () => {
    const state = fold(cartDecider, [added(1, 2)]);
    for (const copy of cartItems(state)) copy.quantity = 99;
    expect(cartItems(state)).to.deep.equal([item(1, 2)]);
  });
});

describe('any sequence of commands to a cart', () => {
  const n = fc.integer({ min: 1, max: 4 });
  const quantity = fc.oneof(
    { arbitrary: fc.integer({ min: 1, max: 5 }), weight: 5 },
    { arbitrary: fc.constantFrom(0, -1, 0.5, 60_000, largestLineQuantity, 1e9, Number.NaN), weight: 1 },
  );
  const by = fc.oneof({ arbitrary: fc.constant(owner), weight: 9 }, { arbitrary: fc.constant(stranger), weight: 1 });
  const change1: fc.Arbitrary<CartCommand> = fc.oneof(
    fc.tuple(n, quantity, by).map((args) => add(...args)),
    fc.tuple(n, quantity, by).map((args) => change(...args)),
    fc.tuple(n, by).map((args) => remove(...args)),
    fc
      .tuple(fc.constantFrom(77, 78, 9001), fc.array(fc.tuple(n, quantity), { maxLength: 3 }), by)
      .map(([from, items, who]) =>
        merge(
          from,
          items.map((pair) => item(...pair)),
          who,
        ),
      ),
  );
  const anything = fc.oneof(
    { arbitrary: change1, weight: 9 },
    { arbitrary: fc.tuple(fc.constantFrom(42, 43), by).map((args) => checkOut(...args)), weight: 1 },
  );

  it('obeys the laws of a decider, and all but an addition may come twice', () => {
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 30 }), (commands) => {
        runLawfully(cartDecider, eventCatalog, commands, ({ type }) => type !== 'AddItem');
      }),
    );
  });

  it('leaves each variant once, in a quantity that is allowed, and one owner on every event', () => {
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 30 }), (commands) => {
        const { state, events } = runLawfully(cartDecider, eventCatalog, commands);
        const items = cartItems(state);
        expect(new Set(items.map(({ variant_id }) => variant_id)).size).to.equal(items.length);
        for (const { quantity: left } of items) expect(left).to.be.within(1, largestLineQuantity);
        expect(new Set(events.map((event) => event.data.owner)).size).to.be.at.most(1);
      }),
    );
  });

  it('checks out exactly what a plain count of its events comes to', () => {
    fc.assert(
      fc.property(fc.array(change1, { maxLength: 30 }), (commands) => {
        const { events } = runLawfully(cartDecider, eventCatalog, [...commands, add(4, 1), checkOut(42)]);
        const count = new Map<string, number>();
        const grow = (variant: string, by: number) => count.set(variant, (count.get(variant) ?? 0) + by);
        for (const { type, data } of events) {
          if (type === 'cart.item_added') grow(data.variant_id, data.quantity);
          if (type === 'cart.quantity_changed') grow(data.variant_id, data.new_quantity - data.old_quantity);
          if (type === 'cart.item_removed') grow(data.variant_id, -data.quantity);
          if (type === 'cart.merged') for (const part of data.items) grow(part.variant_id, part.quantity);
        }
        const last = events.at(-1);
        if (last?.type !== 'cart.checked_out') {
          expect(events.every((event) => event.data.owner !== owner) || events.length === 0).to.equal(true);
          return;
        }
        const told = new Map(last.data.items.map((part) => [part.variant_id, part.quantity]));
        expect(told).to.deep.equal(new Map([...count].filter(([, left]) => left !== 0)));
      }),
    );
  });
});
