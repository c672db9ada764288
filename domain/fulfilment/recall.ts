import type { InventoryState } from '../inventory/inventory.js';
import { addMs, type ProcessInput, reservationId } from './dispatch.js';
import { type ProcessState, type StockStatus, withStock } from './process-state.js';

type Found = 'open' | 'confirmed' | 'released' | 'restocked' | undefined;

function statusOf(found: Found, state: ProcessState): StockStatus {
  switch (found) {
    case 'open':
      return 'reserved';
    case 'confirmed':
    case 'restocked':
      return found;
    case 'released':
      return 'lapsed';
    case undefined:
      if (state.started === undefined) return 'none';
      // Stock remembers reservations that ended for a while only: the answer to the next command tells.
      return state.started.outcome === 'refused' ? 'refused' : 'reserved';
  }
}

const askAgainMs = 60_000;

/**
 * The answer to a charge may have been lost with the process that crashed: an open payment is asked of the provider
 * again before its deadline counts.
 *
 * @param now ISO 8601, UTC
 */
export function recallPayment(state: ProcessState, now: string): ProcessState {
  const { status, deadline } = state.payment;
  if (status !== 'open') return state;
  const until = addMs(now, askAgainMs);
  if (deadline !== undefined && Date.parse(deadline) >= Date.parse(until)) return state;
  return { ...state, payment: { ...state.payment, deadline: until } };
}

/**
 * Finds out from a variant's stream where its reservation stands: the answers to the commands of a process that crashed
 * are gone, the stock is not.
 */
export function recallStock(
  state: ProcessState,
  variantId: string,
  inventory: InventoryState,
  input: Pick<ProcessInput, 'deriveId'>,
): ProcessState {
  const orderId = state.order?.order_id;
  if (orderId === undefined) return state;
  const idOf = (attempt: number) => reservationId(orderId, variantId, attempt, input);
  const find = (attempt: number): Found => {
    const id = idOf(attempt);
    if (inventory.open.get(id) !== undefined) return 'open';
    return (inventory.closed.get(id) ?? inventory.closedBefore.get(id))?.ended;
  };
  let attempt = 1;
  while (find(attempt + 1) !== undefined) attempt += 1;
  const open = inventory.open.get(idOf(attempt));
  const expiresAt = open === undefined ? undefined : new Date(open.expiresAt).toISOString();
  return withStock(state, variantId, { attempt, expiresAt, status: statusOf(find(attempt), state) });
}
