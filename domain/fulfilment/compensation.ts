import type { ReleaseReason } from '../inventory/inventory-events.js';
import { type Dispatch, type OwnStep, onOrder, onOwn, onStock, type ProcessInput, stockRef } from './dispatch.js';
import { closePayment, isPaymentInDoubt, isRetryAwaited, refundSteps, settlePayment } from './payment-steps.js';
import type { OrderFacts, ProcessState } from './process-state.js';
import { expireWhileSilent } from './reservation-steps.js';

/** How often a lapsed reservation is taken anew before the order is given up. */
const mostReservations = 3;

/** Whether the order cannot succeed any more. Once a compensation step is recorded, that is final. */
export function mustCompensate(state: ProcessState): boolean {
  const { orderStatus, started, payment, stock, steps } = state;
  if (orderStatus === 'confirmed') return false;
  if (steps.length > 0 || orderStatus === 'cancelled' || orderStatus === 'failed') return true;
  if (started?.outcome === 'refused' || payment.late) return true;
  if (payment.status === 'declined' && payment.retryable !== true) return true;
  for (const { status, attempt } of stock.values()) {
    if (status === 'refused' || status === 'released' || status === 'restocked') return true;
    if (status === 'lapsed' && attempt >= mostReservations) return true;
  }
  return false;
}

/**
 * Undoes in reverse order: confirmed stock, money, held stock; then the order fails. Each kind is recorded first. A
 * payment in doubt is settled before: whether there is money to give back must be known, and that no more will come.
 */
export function compensate(state: ProcessState, order: OrderFacts, input: ProcessInput): readonly Dispatch[] {
  if (isPaymentInDoubt(state)) {
    return [...expireWhileSilent(state, input), ...settlePayment(state, order, input, true)];
  }
  if (isRetryAwaited(state) && state.orderStatus !== 'failed') return closePayment(state, order, input);
  const metadata = { now: input.now };
  const variants = [...state.stock.values()];
  const confirmed = variants.filter(({ status }) => status === 'confirmed');
  if (confirmed.length > 0) {
    return (
      record(state, order, 'undo_confirmation', input) ??
      confirmed.map((variant) => {
        const data = { ...stockRef(order, variant, input), reason: 'confirmation_undone' as const };
        return onStock(variant, 'restock', { type: 'RestockReservation', data, metadata });
      })
    );
  }
  const owesMoney = refundSteps(state, order, input);
  if (owesMoney.length > 0) return record(state, order, 'refund', input) ?? owesMoney;

  const held = variants.filter(({ status }) => status === 'reserved');
  if (held.length > 0) {
    const reason = releaseReason(state);
    return (
      record(state, order, 'release', input) ??
      held.map((variant) => {
        const data = { ...stockRef(order, variant, input), reason };
        return onStock(variant, 'release', { type: 'ReleaseReservation', data, metadata });
      })
    );
  }
  const { order_id } = order;
  if (state.orderStatus === 'failed' || state.orderStatus === 'cancelled') {
    return [onOwn('end', { type: 'EndFulfilment', data: { order_id, outcome: state.orderStatus }, metadata })];
  }
  return [onOrder(order, 'fail', { type: 'FailOrder', data: { order_id, ...failure(state) }, metadata })];
}

/** The step that records a kind of compensation, unless it is recorded. */
function record(
  state: ProcessState,
  order: OrderFacts,
  step: 'release' | 'undo_confirmation' | 'refund',
  { now, deriveId }: ProcessInput,
): readonly OwnStep[] | undefined {
  if (state.steps.includes(step)) return undefined;
  const { order_id } = order;
  const because = state.because ?? deriveId('order', order_id);
  return [onOwn(step, { type: 'TakeStep', data: { order_id, step, attempt: 1, because }, metadata: { now } })];
}

function failure(state: ProcessState): { stage: 'reserving' | 'payment' | 'confirming'; reason: string } {
  if (state.orderStatus === 'paid') return { stage: 'confirming', reason: 'reservation_lapsed' };
  if (state.payment.status === 'declined') return { stage: 'payment', reason: state.payment.reason || 'declined' };
  if (state.payment.status === 'captured') return { stage: 'payment', reason: state.payment.reason || 'paid_too_late' };
  return { stage: 'reserving', reason: 'insufficient_stock' };
}

function releaseReason(state: ProcessState): Exclude<ReleaseReason, 'expired'> {
  if (state.orderStatus === 'cancelled') return 'cancelled';
  return state.payment.status === 'none' || state.orderStatus === 'paid' ? 'stock_refused' : 'payment_failed';
}
