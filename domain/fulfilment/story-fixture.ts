import type { InventoryEvent } from '../inventory/inventory-events.js';
import type { PaymentEvent } from '../payment/payment-events.js';
import { type Dispatch, type ProcessPolicy, reservationId } from './dispatch.js';
import { type Process, place, World } from './model-fixture.js';
import { nextSteps } from './next-steps.js';
import {
  at,
  deriveId,
  input,
  type Line,
  orderCreated,
  orderId,
  stockItem,
  variantId,
  warehouse_id,
} from './process-fixture.js';
import { evolveProcess, initialProcess, type ProcessEvent, type ProcessState } from './process-state.js';
import type { Script } from './provider-fixture.js';

// What the specifications of the process share: the events of one order, and stories told against the model.

export const two: readonly Line[] = [
  { variant: 'mug', quantity: 1 },
  { variant: 'cup', quantity: 2 },
];
export const one: readonly Line[] = [{ variant: 'mug', quantity: 1 }];
export const order_id = orderId('a');
export const payment_id = deriveId('payment', order_id);
export const created = orderCreated('a', two);
const { order_number, user_id, shop_ids, country, currency, placed_at, channel, total } = created.data;
export const keys = { order_number, user_id, shop_ids, country, currency, placed_at, channel };

export const started = (outcome: 'reserved' | 'refused', deadline: string | null): ProcessEvent => ({
  type: 'fulfilment.started',
  data: { order_id, outcome, deadline },
});
export const facts = { payment_id, order_id, amount: total, ...keys };
export const initiated: PaymentEvent = {
  type: 'payment.initiated',
  data: {
    ...facts,
    attempt: 1,
    payment_method: 'pm_card_visa',
    provider: 'stripe',
    provider_key: `${order_id}:1`,
    deadline: at(600),
  },
};
export const success: PaymentEvent = {
  type: 'payment.success',
  data: {
    ...facts,
    attempt: 1,
    transaction_id: 'TXN-2026-00042-1',
    payment_method: 'card',
    provider: 'stripe',
    provider_transaction_id: 'pi_1',
  },
};
/** For good, or so that the customer may pay again. */
export const declined = paymentFailed(1, false);
export const declinedFirst = paymentFailed(1, true);

export function paymentFailed(attempt: number, retryable: boolean): PaymentEvent {
  return { type: 'payment.failed', data: { ...facts, attempt, reason: 'card_declined', retryable } };
}
export const cancelled: ProcessEvent = {
  type: 'order.cancelled',
  data: { order_id, by: 'user', reason: 'no', ...keys },
};
export const paid: ProcessEvent = { type: 'order.paid', data: { order_id, payment_id, amount: total, ...keys } };
export const failed: ProcessEvent = {
  type: 'order.failed',
  data: { order_id, stage: 'payment', reason: 'card_declined', ...keys },
};
export const stepTaken = (step: 'release' | 'undo_confirmation' | 'refund'): ProcessEvent => ({
  type: 'fulfilment.step_taken',
  data: { order_id, step, attempt: 1, because: deriveId('an event') },
});
export const ended = (outcome: 'failed' | 'cancelled' | 'confirmed'): ProcessEvent => ({
  type: 'fulfilment.ended',
  data: { order_id, outcome },
});
export const stock = (
  variant: string,
  type: 'inventory.reserved' | 'inventory.confirmed' | 'inventory.released',
  order = 'a',
  attempt = 1,
): InventoryEvent => {
  const item = stockItem(variant);
  const id = orderId(order);
  const reservations = [{ product_id: item.product_id, variant_id: item.variant_id, quantity: 1, warehouse_id }];
  const ref = { reservation_id: reservationId(id, item.variant_id, attempt, { deriveId }), order_id: id };
  const data = { ...item, ...ref, reservations, available: 3 };
  if (type === 'inventory.reserved') return { type, data: { ...data, expires_at: at(900) } };
  return type === 'inventory.released' ? { type, data: { ...data, reason: 'expired' } } : { type, data };
};
export const bothReserved = [stock('mug', 'inventory.reserved'), stock('cup', 'inventory.reserved')];
export const bothConfirmed = [stock('mug', 'inventory.confirmed'), stock('cup', 'inventory.confirmed')];

export function knowing(...events: readonly ProcessEvent[]): ProcessState {
  return events.reduce<ProcessState>((state, event, i) => evolveProcess(state, event, deriveId('event', i)), {
    ...initialProcess,
  });
}
export const withOutcome = (state: ProcessState, outcome: ProcessState['payment']['outcome']): ProcessState => ({
  ...state,
  payment: { ...state.payment, outcome },
});

export const variantNames = new Map(['mug', 'cup'].map((name) => [variantId(name), name]));
export const name = ({ target, step, id, attempt }: Dispatch) =>
  [target, step, ...(target === 'inventory' ? [variantNames.get(id), attempt] : [])].join(' ');
export const stepsOf = (state: ProcessState, seconds = 0) => nextSteps(state, input(seconds)).map(name).sort();

/** Runs to the end; every inner list is what could be done at the same time. */
export function story(world: World, process: Process): string[][] {
  const groups: string[][] = [];
  for (;;) {
    const steps = nextSteps(process.state, world.input);
    if (steps.length === 0) return groups;
    groups.push(steps.map(name).sort());
    for (const _ of steps) process.step();
  }
}

export function shop(
  stocked: Readonly<Record<string, number>>,
  lines = two,
  script: Script = 'captured',
  price = 1000,
  policy: Partial<ProcessPolicy> = {},
) {
  const world = new World(policy);
  for (const [variant, quantity] of Object.entries(stocked)) world.receive(variant, quantity);
  const process = place(world, { name: 'a', lines, script, price });
  /** Carries on until this is what comes next. */
  const until = (next: string) => {
    for (let n = 0; n < 50; n += 1) {
      if (stepsOf(process.state, world.seconds).includes(next)) return;
      process.step();
    }
    throw new Error(`it never comes to ${next}`);
  };
  return { world, process, until };
}
export const types = (world: World) =>
  world.log.map(({ type }) => type).filter((type) => type !== 'inventory.received');
