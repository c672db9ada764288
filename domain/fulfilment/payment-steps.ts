import { transactionId } from '../payment/payment-events.js';
import { type Dispatch, onPayment, type ProcessInput, paymentRef } from './dispatch.js';
import type { OrderFacts, ProcessState } from './process-state.js';

/** What the provider says may be longer than what events hold. */
const longestReason = 200;

/** The provider takes the same charge once, however often it is asked with its key. */
export function chargeKey({ order_id }: OrderFacts, attempt: number): string {
  return `${order_id}:${attempt}`;
}

/** Whether the provider may hold, or is known to hold, money that the log has not heard of. */
export function isPaymentInDoubt({ payment }: ProcessState): boolean {
  return payment.status === 'open' || (payment.status === 'declined' && payment.outcome?.kind === 'captured');
}

/** What is left to do until the log says what became of a payment in doubt: ask the provider, record its answer. */
export function settlePayment(state: ProcessState, order: OrderFacts, input: ProcessInput): readonly Dispatch[] {
  const { now, policy } = input;
  const { outcome, deadline, attempt } = state.payment;
  const metadata = { now };
  const ref = paymentRef(order, input);
  if (outcome?.kind === 'captured') {
    const { provider_transaction_id, payment_method } = outcome;
    const transaction_id = transactionId(order.order_number, attempt);
    const how = { transaction_id, payment_method, provider: policy.provider, provider_transaction_id };
    const data = { ...ref, attempt, amount: order.total, ...how };
    return [onPayment('record_success', attempt, { type: 'RecordPaymentSuccess', data, metadata })];
  }
  const overdue = deadline !== undefined && Date.parse(now) >= Date.parse(deadline);
  if (outcome !== undefined || overdue) {
    const { reason, retryable } = outcome ?? { reason: 'payment_timeout', retryable: false };
    const data = { ...ref, attempt, reason: reason.slice(0, longestReason), retryable };
    return [onPayment('record_failure', attempt, { type: 'RecordPaymentFailure', data, metadata })];
  }
  const { total: amount, currency, payment_method } = order;
  const charge = { ...ref, provider_key: chargeKey(order, attempt), amount, currency, payment_method };
  return [{ target: 'provider', step: 'charge', id: ref.payment_id, attempt, charge }];
}

/** What is left to do so that captured money goes back, once; nothing where there is none. */
export function refundSteps(state: ProcessState, order: OrderFacts, input: ProcessInput): readonly Dispatch[] {
  const { payment, refund } = state;
  if (payment.status !== 'captured' || refund.status === 'refunded' || refund.status === 'failed') return [];
  const metadata = { now: input.now };
  const ref = paymentRef(order, input);
  const refund_id = input.deriveId('refund', order.order_id, 1);
  const provider_key = `${order.order_id}:refund:1`;
  const amount = order.total;
  if (refund.status === 'none') {
    const data = { ...ref, refund_id, amount, reason: 'order_failed', provider_key };
    return [onPayment('request_refund', 1, { type: 'RequestRefund', data, metadata })];
  }
  if (refund.outcome?.kind === 'refunded') {
    const data = { ...ref, refund_id, provider_refund_id: refund.outcome.provider_refund_id };
    return [onPayment('record_refund', 1, { type: 'RecordRefund', data, metadata })];
  }
  if (refund.outcome?.kind === 'refused') {
    const data = { ...ref, refund_id, reason: refund.outcome.reason.slice(0, longestReason) };
    return [onPayment('record_refund_failure', 1, { type: 'RecordRefundFailure', data, metadata })];
  }
  const provider_transaction_id = payment.providerTransactionId ?? '';
  const asked = { provider_key, order_id: order.order_id, provider_transaction_id, amount };
  return [{ target: 'provider', step: 'refund', id: refund_id, attempt: 1, refund: asked }];
}
