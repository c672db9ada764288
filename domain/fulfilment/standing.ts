import { mustCompensate } from './compensation.js';
import type { ProcessInput } from './dispatch.js';
import { isRetryAwaited, refundDueAt } from './payment-steps.js';
import type { ProcessState } from './process-state.js';

/** Where an order stands, as operators see it. */
export type Standing =
  | 'reserving'
  | 'awaiting-payment'
  | 'awaiting-retry'
  | 'confirming'
  | 'compensating'
  | 'owing-refund'
  | 'ended';

/** Whether the provider has refused to give money back that is the customer's. */
export function isRefundOwed({ refunds }: ProcessState): boolean {
  return Object.values(refunds).some(({ status }) => status === 'failed');
}

export function standingOf(state: ProcessState): Standing {
  if (state.ended !== undefined) return isRefundOwed(state) ? 'owing-refund' : 'ended';
  if (state.started === undefined) return 'reserving';
  if (mustCompensate(state)) return 'compensating';
  if (state.orderStatus === 'paid' || state.orderStatus === 'confirmed') return 'confirming';
  return isRetryAwaited(state) ? 'awaiting-retry' : 'awaiting-payment';
}

/**
 * When there will be something to do though nothing is heard: a payment or a reservation is over, a refund is asked for
 * again.
 *
 * @returns ISO 8601, UTC; undefined where only news can move the order on
 */
export function wakeAt(state: ProcessState, input: Pick<ProcessInput, 'policy'>): string | undefined {
  const times = [refundDueAt(state, input)];
  if (state.ended !== undefined) return times[0];
  if (state.payment.status !== 'open' && !isRetryAwaited(state)) return undefined;
  times.push(state.payment.deadline);
  for (const { status, expiresAt } of state.stock.values()) if (status === 'reserved') times.push(expiresAt);
  const known = times.filter((time) => time !== undefined);
  return known.reduce<string | undefined>(
    (first, time) => (first === undefined || Date.parse(time) < Date.parse(first) ? time : first),
    undefined,
  );
}
