import { chargeKey, refundKey, transactionId } from '../payment/payment-events.js';
import { addMs, type Dispatch, onPayment, type ProcessInput, paymentRef } from './dispatch.js';
import type { OrderFacts, ProcessState } from './process-state.js';

/** What the provider says may be longer than what events hold. */
const longestReason = 200;

const longestRefundPauseMs = 24 * 3600_000;

/** Whether the provider may hold, or is known to hold, money that the log has not heard of. */
export function isPaymentInDoubt({ payment }: ProcessState): boolean {
  return payment.status === 'open' || (payment.status === 'declined' && payment.outcome?.kind === 'captured');
}

export function isOverdue({ payment }: ProcessState, now: string): boolean {
  return payment.deadline !== undefined && Date.parse(now) >= Date.parse(payment.deadline);
}

/**
 * What is left to do until the log says what became of a payment in doubt: ask the provider, record its answer.
 *
 * @param isLast the order is given up: no further attempt may follow a decline
 */
export function settlePayment(
  state: ProcessState,
  order: OrderFacts,
  input: ProcessInput,
  isLast = false,
): readonly Dispatch[] {
  const { now, policy } = input;
  const { outcome, attempt, method = order.payment_method } = state.payment;
  const metadata = { now };
  const ref = paymentRef(order, input);
  if (outcome?.kind === 'captured') {
    const { provider_transaction_id, payment_method } = outcome;
    const transaction_id = transactionId(order.order_number, attempt);
    const how = { transaction_id, payment_method, provider: policy.provider, provider_transaction_id };
    const data = { ...ref, attempt, amount: order.total, ...how };
    return [onPayment('record_success', attempt, { type: 'RecordPaymentSuccess', data, metadata })];
  }
  const overdue = isOverdue(state, now);
  if (outcome !== undefined || overdue) {
    const { reason, retryable } = outcome ?? { reason: 'payment_timeout', retryable: false };
    const data = {
      ...ref,
      attempt,
      reason: reason.slice(0, longestReason),
      retryable: retryable && !overdue && !isLast,
    };
    return [onPayment('record_failure', attempt, { type: 'RecordPaymentFailure', data, metadata })];
  }
  const { total: amount, currency } = order;
  const provider_key = chargeKey(order.order_id, attempt);
  const charge = { ...ref, attempt, provider_key, amount, currency, payment_method: method };
  return [{ target: 'provider', step: 'charge', id: ref.payment_id, attempt, charge }];
}

/** Whether the card was declined and the customer may still pay another way. */
export function isRetryAwaited({ payment }: ProcessState): boolean {
  return payment.status === 'declined' && payment.retryable === true;
}

/** Makes a decline final in the payment's own stream: a retry comes either before it, and counts, or is refused. */
export function closePayment(state: ProcessState, order: OrderFacts, input: ProcessInput): readonly Dispatch[] {
  const { attempt, reason = '' } = state.payment;
  const data = { ...paymentRef(order, input), attempt, reason, retryable: false };
  return [onPayment('close', attempt, { type: 'RecordPaymentFailure', data, metadata: { now: input.now } })];
}

/** When a refund that the provider refused is asked for again; ISO 8601, UTC. */
export function refundDueAt({ refund }: ProcessState, { policy }: Pick<ProcessInput, 'policy'>): string | undefined {
  if (refund.status !== 'failed' || refund.failedAt === undefined) return undefined;
  const pauseMs = policy.refundRetryMs * 2 ** Math.min(30, refund.attempt - 1);
  return addMs(refund.failedAt, Math.min(pauseMs, longestRefundPauseMs));
}

/** What is left to do so that captured money goes back, once; nothing where there is none. */
export function refundSteps(state: ProcessState, order: OrderFacts, input: ProcessInput): readonly Dispatch[] {
  const { payment, refund } = state;
  if (payment.status !== 'captured' || refund.status === 'refunded') return [];
  const due = refundDueAt(state, input);
  if (due !== undefined && Date.parse(input.now) < Date.parse(due)) return [];
  const metadata = { now: input.now };
  const ref = paymentRef(order, input);
  const refund_id = input.deriveId('refund', order.order_id, 1);
  const amount = order.total;
  if (refund.status === 'none' || refund.status === 'failed') {
    const attempt = refund.attempt + 1;
    const provider_key = refundKey(order.order_id, attempt);
    const data = { ...ref, refund_id, amount, reason: 'order_failed', provider_key };
    return [onPayment('request_refund', attempt, { type: 'RequestRefund', data, metadata })];
  }
  const { attempt } = refund;
  if (refund.outcome?.kind === 'refunded') {
    const data = { ...ref, refund_id, provider_refund_id: refund.outcome.provider_refund_id };
    return [onPayment('record_refund', attempt, { type: 'RecordRefund', data, metadata })];
  }
  if (refund.outcome?.kind === 'refused') {
    const data = { ...ref, refund_id, reason: refund.outcome.reason.slice(0, longestReason) };
    return [onPayment('record_refund_failure', attempt, { type: 'RecordRefundFailure', data, metadata })];
  }
  const provider_transaction_id = payment.providerTransactionId ?? '';
  const provider_key = refundKey(order.order_id, attempt);
  const asked = { provider_key, order_id: order.order_id, provider_transaction_id, amount };
  return [{ target: 'provider', step: 'refund', id: refund_id, attempt, refund: asked }];
}
