import { chargeKey } from '../payment/payment-events.js';
import { compensate, mustCompensate } from './compensation.js';
import {
  addMs,
  type Dispatch,
  onOrder,
  onOwn,
  onPayment,
  onStock,
  type ProcessInput,
  paymentRef,
  stockRef,
} from './dispatch.js';
import {
  closePayment,
  isOverdue,
  isPaymentInDoubt,
  isRetryAwaited,
  refundSteps,
  settlePayment,
  strayMoney,
} from './payment-steps.js';
import type { OrderFacts, ProcessState, VariantProgress } from './process-state.js';
import { expireOverdue, expireWhileSilent, extendForPayment } from './reservation-steps.js';

/**
 * What to do next, as far as is known: every dispatch in the answer can be carried out at the same time. None when the
 * process waits or has ended. Reserve, then pay, then confirm; on failure everything is undone in reverse order.
 */
export function nextSteps(state: ProcessState, input: ProcessInput): readonly Dispatch[] {
  const { order } = state;
  if (order === undefined) return [];
  return [...strayMoney(state, order, input), ...orderSteps(state, order, input)];
}

function orderSteps(state: ProcessState, order: OrderFacts, input: ProcessInput): readonly Dispatch[] {
  if (state.ended !== undefined) return lateMoney(state, order, input);
  if (state.started === undefined) return reserve(state, order, input);
  if (mustCompensate(state)) return compensate(state, order, input);
  const { now } = input;
  switch (state.orderStatus) {
    case 'confirmed': {
      const data = { order_id: order.order_id, outcome: 'confirmed' as const };
      return [onOwn('end', { type: 'EndFulfilment', data, metadata: { now } })];
    }
    case 'paid':
      return confirm(state, order, input);
    default:
      return pay(state, order, input);
  }
}

/** A lapsed reservation is taken anew under the next attempt's id. */
function retaken(variant: VariantProgress): VariantProgress {
  return variant.status === 'lapsed' ? { ...variant, attempt: variant.attempt + 1 } : variant;
}

function reserveVariant(order: OrderFacts, variant: VariantProgress, input: ProcessInput): Dispatch {
  const { now, policy } = input;
  const data = {
    ...stockRef(order, variant, input),
    quantity: variant.quantity,
    expires_at: addMs(now, policy.reservationMs),
    low_stock_threshold: policy.lowStockThreshold,
  };
  return onStock(variant, 'reserve', { type: 'ReserveStock', data, metadata: { now } });
}

function reserve(state: ProcessState, order: OrderFacts, input: ProcessInput): readonly Dispatch[] {
  const { now, policy } = input;
  const variants = [...state.stock.values()];
  const open = variants.filter(({ status }) => status === 'none' || status === 'lapsed');
  if (open.length > 0 && state.orderStatus === 'pending') {
    return open.map((variant) => reserveVariant(order, retaken(variant), input));
  }
  const outcome = variants.every(({ status }) => status === 'reserved') ? 'reserved' : 'refused';
  const paymentFollows = outcome === 'reserved' && order.total > 0;
  const deadline = paymentFollows ? addMs(now, policy.paymentMs) : null;
  const data = { order_id: order.order_id, outcome, deadline } as const;
  return [onOwn('start', { type: 'StartFulfilment', data, metadata: { now } })];
}

function pay(state: ProcessState, order: OrderFacts, input: ProcessInput): readonly Dispatch[] {
  const { now, policy } = input;
  const { payment } = state;
  const metadata = { now };
  const ref = paymentRef(order, input);
  if (order.total === 0 || payment.status === 'captured') {
    const data = { ...ref, amount: order.total };
    return [onOrder(order, 'pay', { type: 'MarkOrderPaid', data, metadata })];
  }
  if (payment.status === 'none') {
    const lapsed = [...state.stock.values()].filter(({ status }) => status === 'lapsed');
    if (lapsed.length > 0) return lapsed.map((variant) => reserveVariant(order, retaken(variant), input));
    const deadline = state.started?.deadline ?? addMs(now, policy.paymentMs);
    const extensions = extendForPayment(state, order, addMs(deadline, policy.graceMs), input);
    if (extensions.length > 0) return extensions;
    const attempt = 1;
    const { total: amount, ...keys } = order;
    const provider_key = chargeKey(order.order_id, attempt);
    const data = { ...keys, ...ref, attempt, amount, provider: policy.provider, provider_key, deadline };
    return [onPayment('initiate', attempt, { type: 'InitiatePayment', data, metadata })];
  }
  if (isPaymentInDoubt(state)) {
    return [...expireWhileSilent(state, input), ...settlePayment(state, order, input)];
  }
  if (isRetryAwaited(state) && !isOverdue(state, now)) return expireOverdue(state, input);
  return closePayment(state, order, input);
}

function confirm(state: ProcessState, order: OrderFacts, input: ProcessInput): readonly Dispatch[] {
  const metadata = { now: input.now };
  const steps: Dispatch[] = [];
  for (const variant of state.stock.values()) {
    // One that this process has heard nothing of was reserved by another one: the answer will tell.
    if (variant.status === 'reserved' || variant.status === 'none') {
      const data = stockRef(order, variant, input);
      steps.push(onStock(variant, 'confirm', { type: 'ConfirmReservation', data, metadata }));
    } else if (variant.status === 'lapsed') {
      steps.push(reserveVariant(order, retaken(variant), input));
    }
  }
  if (steps.length > 0) return steps;
  return [onOrder(order, 'confirm', { type: 'ConfirmOrder', data: { order_id: order.order_id }, metadata })];
}

/** Money that comes in after an order has ended without it is given back, exactly once. */
function lateMoney(state: ProcessState, order: OrderFacts, input: ProcessInput): readonly Dispatch[] {
  if (state.ended === 'confirmed') return [];
  return refundSteps(state, order, input);
}
