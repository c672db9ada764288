import type { Command, Decider } from '../core/decider.js';
import { DomainError } from '../core/domain-error.js';
import { largestLineQuantity } from '../core/ids.js';
import type { CartEvent } from './cart-events.js';

export const mostCartItems = 500;

export interface CartItem {
  readonly product_id: string;
  readonly variant_id: string;
  readonly quantity: number;
}

/** Whose cart: `user:<id>` or `guest:<id>`, taken from who is logged in, never from a request's body. */
interface Cart {
  readonly cart_id: string;
  readonly owner: string;
}

export type AddItem = Command<'AddItem', Cart & CartItem>;
export type ChangeQuantity = Command<
  'ChangeQuantity',
  Cart & { readonly variant_id: string; readonly quantity: number }
>;
export type RemoveItem = Command<'RemoveItem', Cart & { readonly variant_id: string }>;
/** Takes over the items of another cart, such as a guest's at the log-in; quantities of the same variant add up. */
export type MergeCart = Command<
  'MergeCart',
  Cart & { readonly from_cart_id: string; readonly items: readonly CartItem[] }
>;
export type CheckOutCart = Command<'CheckOutCart', Cart & { readonly order_id: string }>;

export type CartCommand = AddItem | ChangeQuantity | RemoveItem | MergeCart | CheckOutCart;

export interface CartState {
  /** Fixed by the first event; null before. */
  readonly owner: string | null;
  /** In the order in which they came. */
  readonly items: readonly CartItem[];
  readonly merged_from: readonly string[];
  /** The order it became; null while it is open. */
  readonly order_id: string | null;
}

/** What the cart holds, a copy in the order in which it came. */
export function cartItems(state: CartState): { product_id: string; variant_id: string; quantity: number }[] {
  return state.items.map(({ product_id, variant_id, quantity }) => ({ product_id, variant_id, quantity }));
}

/** A stranger hears the same as about a cart that is not there. */
function checkOwner(state: CartState, owner: string): void {
  if (state.owner !== null && state.owner !== owner) throw cartNotFound();
}

function checkOpen(state: CartState): void {
  if (state.order_id !== null) throw new DomainError('cart-checked-out', 'This cart has become an order.');
}

const cartNotFound = () => new DomainError('cart-not-found', 'There is no such cart.');

function checkQuantity(quantity: number, total: number = quantity): void {
  if (!Number.isInteger(quantity) || quantity < 1) {
    throw new DomainError('quantity-not-positive', 'A quantity is a whole number, at least 1.');
  }
  if (total > largestLineQuantity) {
    throw new DomainError('quantity-too-large', `A cart holds at most ${largestLineQuantity} of one variant.`, {
      largest: largestLineQuantity,
    });
  }
}

function checkRoom(count: number): void {
  if (count <= mostCartItems) return;
  throw new DomainError('cart-full', `A cart holds at most ${mostCartItems} different items.`, { most: mostCartItems });
}

const find = (items: readonly CartItem[], variantId: string) => items.find((item) => item.variant_id === variantId);

/** Items with one more in it: the quantity of a variant that is there grows. */
function plus(items: readonly CartItem[], added: CartItem): readonly CartItem[] {
  const { product_id, variant_id, quantity } = added;
  if (find(items, variant_id) === undefined) return [...items, { product_id, variant_id, quantity }];
  return items.map((item) => (item.variant_id === variant_id ? { ...item, quantity: item.quantity + quantity } : item));
}

function addItem({ data }: AddItem, state: CartState): CartEvent[] {
  const { cart_id, owner, product_id, variant_id, quantity } = data;
  const there = find(state.items, variant_id);
  checkQuantity(quantity, (there?.quantity ?? 0) + quantity);
  if (there === undefined) {
    checkRoom(state.items.length + 1);
    return [{ type: 'cart.item_added', data: { cart_id, owner, product_id, variant_id, quantity } }];
  }
  return quantityChanged(data, there, there.quantity + quantity);
}

function quantityChanged({ cart_id, owner }: Cart, there: CartItem, new_quantity: number): CartEvent[] {
  if (there.quantity === new_quantity) return [];
  const { product_id, variant_id, quantity: old_quantity } = there;
  const data = { cart_id, owner, product_id, variant_id, old_quantity, new_quantity };
  return [{ type: 'cart.quantity_changed', data }];
}

function changeQuantity({ data }: ChangeQuantity, state: CartState): CartEvent[] {
  checkQuantity(data.quantity);
  const there = find(state.items, data.variant_id);
  if (there === undefined) throw new DomainError('item-not-in-cart', 'The cart does not hold this variant.');
  return quantityChanged(data, there, data.quantity);
}

function removeItem({ data }: RemoveItem, state: CartState): CartEvent[] {
  const there = find(state.items, data.variant_id);
  if (there === undefined) return [];
  return [{ type: 'cart.item_removed', data: { cart_id: data.cart_id, owner: data.owner, ...there } }];
}

function merge({ data }: MergeCart, state: CartState): CartEvent[] {
  const { cart_id, owner, from_cart_id } = data;
  if (data.items.length === 0 || from_cart_id === cart_id || state.merged_from.includes(from_cart_id)) return [];
  const after = data.items.reduce((items, item) => {
    const there = find(items, item.variant_id);
    checkQuantity(item.quantity, (there?.quantity ?? 0) + item.quantity);
    return plus(items, item);
  }, state.items);
  checkRoom(after.length);
  const items = cartItems({ ...state, items: data.items.reduce(plus, []) });
  return [{ type: 'cart.merged', data: { cart_id, owner, from_cart_id, items } }];
}

function checkOut({ data }: CheckOutCart, state: CartState): CartEvent[] {
  const { cart_id, owner, order_id } = data;
  if (state.order_id === order_id) return [];
  checkOpen(state);
  if (state.items.length === 0) throw new DomainError('cart-empty', 'The cart is empty.');
  return [{ type: 'cart.checked_out', data: { cart_id, owner, order_id, items: cartItems(state) } }];
}

/** What somebody means to buy, until it becomes an order. */
export const cartDecider: Decider<CartState, CartCommand, CartEvent> = {
  initialState: { owner: null, items: [], merged_from: [], order_id: null },

  decide(command, state) {
    checkOwner(state, command.data.owner);
    if (command.type === 'CheckOutCart') {
      if (state.owner === null) throw cartNotFound();
      return checkOut(command, state);
    }
    checkOpen(state);
    switch (command.type) {
      case 'AddItem':
        return addItem(command, state);
      case 'MergeCart':
        return merge(command, state);
      case 'ChangeQuantity':
        if (state.owner === null) throw cartNotFound();
        return changeQuantity(command, state);
      case 'RemoveItem':
        if (state.owner === null) throw cartNotFound();
        return removeItem(command, state);
    }
  },

  evolve(state, event) {
    const owner = state.owner ?? event.data.owner;
    switch (event.type) {
      case 'cart.item_added':
        return { ...state, owner, items: plus(state.items, event.data) };
      case 'cart.quantity_changed': {
        const { variant_id, new_quantity } = event.data;
        const items = state.items.map((item) =>
          item.variant_id === variant_id ? { ...item, quantity: new_quantity } : item,
        );
        return { ...state, owner, items };
      }
      case 'cart.item_removed': {
        const { variant_id } = event.data;
        return { ...state, owner, items: state.items.filter((item) => item.variant_id !== variant_id) };
      }
      case 'cart.merged': {
        const { items, from_cart_id } = event.data;
        return {
          ...state,
          owner,
          items: items.reduce(plus, state.items),
          merged_from: [...state.merged_from, from_cart_id],
        };
      }
      case 'cart.checked_out':
        return { ...state, owner, order_id: event.data.order_id };
      default:
        event satisfies never;
        return state;
    }
  },
};
