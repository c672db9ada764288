import type { Command, Decider } from '../core/decider.js';
import { DomainError } from '../core/domain-error.js';
import { largestLineQuantity } from '../core/ids.js';
import type { OrderEvent, OrderItem, OrderKeys } from './order-events.js';

type OrderCreatedData = Extract<OrderEvent, { type: 'order.created' }>['data'];
type FailureStage = Extract<OrderEvent, { type: 'order.failed' }>['data']['stage'];

export type PlaceOrder = Command<'PlaceOrder', OrderCreatedData>;
export type MarkOrderPaid = Command<'MarkOrderPaid', { order_id: string; payment_id: string; amount: number }>;
export type ConfirmOrder = Command<'ConfirmOrder', { order_id: string }>;
export type FailOrder = Command<'FailOrder', { order_id: string; stage: FailureStage; reason: string }>;
export type CancelOrder = Command<'CancelOrder', { order_id: string; by: string; reason: string }>;
export type OrderCommand = PlaceOrder | MarkOrderPaid | ConfirmOrder | FailOrder | CancelOrder;

export type OrderStatus = 'none' | 'pending' | 'paid' | 'confirmed' | 'failed' | 'cancelled';

export interface OrderState {
  readonly status: OrderStatus;
  readonly keys: OrderKeys | undefined;
  readonly total: number;
  readonly items: readonly Pick<OrderItem, 'product_id' | 'variant_id' | 'shop_id' | 'quantity' | 'amount'>[];
  readonly paymentId: string | undefined;
}

/** An order of more lines would not fit the append that creates it. */
export const mostOrderLines = 2_000;

const initialState: OrderState = { status: 'none', keys: undefined, total: 0, items: [], paymentId: undefined };

function keysOf(data: OrderKeys): OrderKeys {
  const { order_number, user_id, shop_ids, country, currency, placed_at, channel } = data;
  return { order_number, user_id, shop_ids, country, currency, placed_at, channel };
}

function evolve(state: OrderState, event: OrderEvent): OrderState {
  switch (event.type) {
    case 'order.created': {
      const items = event.data.items.map(({ product_id, variant_id, shop_id, quantity, amount }) => ({
        product_id,
        variant_id,
        shop_id,
        quantity,
        amount,
      }));
      return { ...state, status: 'pending', keys: keysOf(event.data), total: event.data.total, items };
    }
    case 'order.paid':
      return { ...state, status: 'paid', paymentId: event.data.payment_id };
    case 'order.confirmed':
      return { ...state, status: 'confirmed' };
    case 'order.failed':
      return { ...state, status: 'failed' };
    case 'order.cancelled':
      return { ...state, status: 'cancelled' };
    case 'order.shipped':
    case 'order.delivered':
    case 'order.returned':
    case 'order.refunded':
      return state;
  }
}

/** The sums of an order must be what its lines say: a wrong total is caught before it is a fact. */
function checkSums(order: OrderCreatedData): void {
  if (order.items.length === 0) throw new DomainError('order-empty', 'An order has at least one line.');
  if (order.items.length > mostOrderLines) {
    throw new DomainError('order-too-large', `An order has at most ${mostOrderLines} lines.`, { most: mostOrderLines });
  }
  let sum = 0;
  for (const { line, quantity, price, amount } of order.items) {
    if (quantity < 1) throw new DomainError('quantity-not-positive', 'A quantity is at least 1.', { line });
    if (quantity > largestLineQuantity) {
      throw new DomainError('quantity-too-large', `A quantity is at most ${largestLineQuantity}.`, { line });
    }
    if (amount !== quantity * price) throw new DomainError('amount-mismatch', 'A line does not add up.', { line });
    sum += amount;
  }
  const { item_total, discount, shipping, tax, total } = order;
  const adds = item_total === sum && total === item_total - discount + shipping + tax && Number.isSafeInteger(total);
  if (!adds || total < 0) throw new DomainError('amount-mismatch', 'The order does not add up.');
}

function decide(command: OrderCommand, state: OrderState): readonly OrderEvent[] {
  if (command.type === 'PlaceOrder') {
    if (state.status !== 'none') throw new DomainError('order-already-exists', 'This order has been placed already.');
    checkSums(command.data);
    return [{ type: 'order.created', data: command.data }];
  }
  const { status, keys, total, items } = state;
  const { order_id } = command.data;
  if (keys === undefined) throw new DomainError('order-not-found', 'There is no such order.');
  const ended = () => new DomainError('order-ended', `The order is ${status}.`, { status });
  switch (command.type) {
    case 'MarkOrderPaid': {
      const { payment_id, amount } = command.data;
      if (status === 'paid' || status === 'confirmed') {
        if (state.paymentId === payment_id) return [];
        throw new DomainError('order-already-paid', 'The order has been paid with another payment.');
      }
      if (status !== 'pending') throw ended();
      if (amount !== total) throw new DomainError('amount-mismatch', 'The payment is not the order total.');
      return [{ type: 'order.paid', data: { order_id, payment_id, amount, ...keys } }];
    }
    case 'ConfirmOrder':
      if (status === 'confirmed') return [];
      if (status === 'pending') throw new DomainError('order-not-paid', 'The order has not been paid.');
      if (status !== 'paid') throw ended();
      return [{ type: 'order.confirmed', data: { order_id, total, items: [...items], ...keys } }];
    case 'FailOrder': {
      const { stage, reason } = command.data;
      if (status === 'failed') return [];
      if (status === 'confirmed' || status === 'cancelled') throw ended();
      return [{ type: 'order.failed', data: { order_id, stage, reason, ...keys } }];
    }
    case 'CancelOrder': {
      const { by, reason } = command.data;
      if (status === 'cancelled') return [];
      if (status === 'failed') throw ended();
      if (status !== 'pending') throw new DomainError('order-already-paid', 'A paid order cannot be cancelled.');
      return [{ type: 'order.cancelled', data: { order_id, by, reason, ...keys } }];
    }
  }
}

export const orderDecider: Decider<OrderState, OrderCommand, OrderEvent> = { initialState, decide, evolve };
