import { type Dispatch, onStock, type ProcessInput, stockRef } from './dispatch.js';
import type { OrderFacts, ProcessState, VariantProgress } from './process-state.js';

function isDue({ status, expiresAt }: VariantProgress, now: string): boolean {
  return status === 'reserved' && expiresAt !== undefined && Date.parse(expiresAt) <= Date.parse(now);
}

/**
 * Asks the stock to release what is overdue. Its own decision looks at the time again, so that a timer that comes early,
 * late or twice changes nothing.
 */
export function expireOverdue(state: ProcessState, input: ProcessInput): readonly Dispatch[] {
  const metadata = { now: input.now };
  return [...state.stock.values()]
    .filter((variant) => isDue(variant, input.now))
    .map((variant) => {
      return onStock(variant, 'expire', { type: 'ExpireReservations', data: variant.item, metadata });
    });
}

/** While a payment is settled, stock is kept as long as there is hope of an answer; a provider that is silent gives none. */
export function expireWhileSilent(state: ProcessState, input: ProcessInput): readonly Dispatch[] {
  const { isSilent, outcome } = state.payment;
  return isSilent === true && outcome === undefined ? expireOverdue(state, input) : [];
}

/** Reservations that would lapse before the payment is over are extended, once, before it begins. */
export function extendForPayment(
  state: ProcessState,
  order: OrderFacts,
  until: string,
  input: ProcessInput,
): readonly Dispatch[] {
  const metadata = { now: input.now };
  return [...state.stock.values()]
    .filter(({ status, expiresAt }) => status === 'reserved' && expiresAt !== undefined && isBefore(expiresAt, until))
    .map((variant) => {
      const data = { ...stockRef(order, variant, input), expires_at: until };
      return onStock(variant, 'extend', { type: 'ExtendReservation', data, metadata });
    });
}

function isBefore(a: string, b: string): boolean {
  return Date.parse(a) < Date.parse(b);
}
