import { chargeKey, refundId, refundKey, transactionId } from '../payment/payment-events.js';
import { addMs, type Dispatch, onPayment, type ProcessInput, paymentRef } from './dispatch.js';
import type { ChargeOutcome, OrderFacts, ProcessState, RefundProgress } from './process-state.js';

/** What the provider says may be longer than what events hold. */
const longestReason = 200;

const longestRefundPauseMs = 24 * 3600_000;

/** A provider keeps a charge's key for a day at the least. Asked again later, it may charge anew. */
const keyLastsMs = 23 * 3600_000;

/** Whether the provider may hold, or is known to hold, money that the log has not heard of. */
export function isPaymentInDoubt({ payment }: ProcessState): boolean {
  return payment.status === 'open' || (payment.status === 'declined' && payment.outcome?.kind === 'captured');
}

export function isOverdue({ payment }: ProcessState, now: string): boolean {
  return payment.deadline !== undefined && Date.parse(now) >= Date.parse(payment.deadline);
}

/** Whether asking again could charge twice. What was taken, and never heard of, a webhook tells: it is then given back. */
function isKeyForgotten({ payment: { since } }: ProcessState, now: string): boolean {
  return since !== undefined && Date.parse(now) - Date.parse(since) >= keyLastsMs;
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
  const { now } = input;
  const { outcome, attempt, method = order.payment_method } = state.payment;
  const metadata = { now };
  const ref = paymentRef(order, input);
  if (outcome?.kind === 'captured') return [recordSuccess(order, input, attempt, outcome)];
  const overdue = isOverdue(state, now) || isKeyForgotten(state, now);
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
function dueAt(refund: RefundProgress | undefined, { policy }: Pick<ProcessInput, 'policy'>): string | undefined {
  if (refund?.status !== 'failed' || refund.failedAt === undefined) return undefined;
  const pauseMs = policy.refundRetryMs * 2 ** Math.min(30, refund.attempt - 1);
  return addMs(refund.failedAt, Math.min(pauseMs, longestRefundPauseMs));
}

/** When the next refused refund is asked for again; ISO 8601, UTC. */
export function refundDueAt(state: ProcessState, input: Pick<ProcessInput, 'policy'>): string | undefined {
  const times = Object.values(state.refunds).map((refund) => dueAt(refund, input));
  return times.filter((time) => time !== undefined).sort()[0];
}

/** What is left to do so that what the order paid goes back, once; nothing where there is none. */
export function refundSteps(state: ProcessState, order: OrderFacts, input: ProcessInput): readonly Dispatch[] {
  const { status, attempt, providerTransactionId = '' } = state.payment;
  return status === 'captured' ? refundCharge(state, order, input, attempt, providerTransactionId) : [];
}

/** Money that came of an attempt which another one has followed goes back, whatever becomes of the order. */
export function strayMoney(state: ProcessState, order: OrderFacts, input: ProcessInput): readonly Dispatch[] {
  const unheard = Object.entries(state.unheard).map(([attempt, outcome]) =>
    recordSuccess(order, input, Number(attempt), outcome),
  );
  const refunds = Object.entries(state.strays).flatMap(([attempt, transaction]) =>
    refundCharge(state, order, input, Number(attempt), transaction),
  );
  return [...unheard, ...refunds];
}

function recordSuccess(
  order: OrderFacts,
  input: ProcessInput,
  attempt: number,
  { provider_transaction_id, payment_method }: Extract<ChargeOutcome, { kind: 'captured' }>,
): Dispatch {
  const transaction_id = transactionId(order.order_number, attempt);
  const how = { transaction_id, payment_method, provider: input.policy.provider, provider_transaction_id };
  const data = { ...paymentRef(order, input), attempt, amount: order.total, ...how };
  const metadata = { now: input.now };
  return onPayment('record_success', attempt, { type: 'RecordPaymentSuccess', data, metadata });
}

/** Tells the steps of one charge's refund from those of another's: a command id holds one number. */
const refundsOfCharge = 1_000;

function refundCharge(
  state: ProcessState,
  order: OrderFacts,
  input: ProcessInput,
  charge: number,
  provider_transaction_id: string,
): readonly Dispatch[] {
  const refund = state.refunds[charge];
  if (refund?.status === 'refunded') return [];
  const due = dueAt(refund, input);
  if (due !== undefined && Date.parse(input.now) < Date.parse(due)) return [];
  const metadata = { now: input.now };
  const { order_id, total: amount } = order;
  const ref = { ...paymentRef(order, input), refund_id: refundId(order_id, charge, input.deriveId) };
  const isAsked = refund?.status === 'requested';
  const attempt = isAsked ? refund.attempt : (refund?.attempt ?? 0) + 1;
  const provider_key = refundKey(order_id, charge, attempt);
  const number = (charge - 1) * refundsOfCharge + attempt;
  if (!isAsked) {
    const data = { ...ref, amount, reason: 'order_failed', provider_key };
    return [onPayment('request_refund', number, { type: 'RequestRefund', data, metadata })];
  }
  if (refund.outcome?.kind === 'refunded') {
    const data = { ...ref, provider_refund_id: refund.outcome.provider_refund_id };
    return [onPayment('record_refund', number, { type: 'RecordRefund', data, metadata })];
  }
  if (refund.outcome?.kind === 'refused') {
    const data = { ...ref, reason: refund.outcome.reason.slice(0, longestReason) };
    return [onPayment('record_refund_failure', number, { type: 'RecordRefundFailure', data, metadata })];
  }
  const asked = { charge, provider_key, order_id, provider_transaction_id, amount };
  return [{ target: 'provider', step: 'refund', id: ref.refund_id, attempt, refund: asked }];
}
