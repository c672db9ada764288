import type { Command, Decider } from '../core/decider.js';
import { DomainError } from '../core/domain-error.js';
import { chargeKey, type PaymentEvent } from './payment-events.js';

type Data<Type extends PaymentEvent['type']> = Extract<PaymentEvent, { type: Type }>['data'];
type Ref = { payment_id: string; order_id: string };

export type InitiatePayment = Command<'InitiatePayment', Data<'payment.initiated'>>;
/** The customer pays again after a decline: the next attempt of the same payment, within the same deadline. */
export type RetryPayment = Command<'RetryPayment', Ref & { payment_method: string }>;
export type RecordPaymentSuccess = Command<
  'RecordPaymentSuccess',
  Ref &
    Pick<
      Data<'payment.success'>,
      'attempt' | 'amount' | 'transaction_id' | 'payment_method' | 'provider' | 'provider_transaction_id'
    >
>;
export type RecordPaymentFailure = Command<
  'RecordPaymentFailure',
  Ref & Pick<Data<'payment.failed'>, 'attempt' | 'reason' | 'retryable'>
>;
export type RequestRefund = Command<
  'RequestRefund',
  Ref & Pick<Data<'payment.refund_requested'>, 'refund_id' | 'amount' | 'reason' | 'provider_key'>
>;
export type RecordRefund = Command<'RecordRefund', Ref & { refund_id: string; provider_refund_id: string }>;
export type RecordRefundFailure = Command<'RecordRefundFailure', Ref & { refund_id: string; reason: string }>;

export type PaymentCommand =
  | InitiatePayment
  | RetryPayment
  | RecordPaymentSuccess
  | RecordPaymentFailure
  | RequestRefund
  | RecordRefund
  | RecordRefundFailure;

type PaymentFacts = Omit<
  Data<'payment.initiated'>,
  'attempt' | 'payment_method' | 'provider' | 'provider_key' | 'deadline'
>;

interface Refund {
  readonly amount: number;
  readonly reason: string;
  readonly status: 'requested' | 'refunded' | 'failed';
}

export interface PaymentState {
  readonly facts: PaymentFacts | undefined;
  readonly status: 'none' | 'open' | 'failed' | 'captured';
  readonly attempt: number;
  /** Whether another attempt may follow the one that failed. */
  readonly retryable: boolean;
  /** For all attempts together. ISO 8601, UTC */
  readonly deadline: string;
  readonly provider: string;
  /** The provider's transaction of every attempt that took money; more than one only where the provider erred. */
  readonly captures: Readonly<Record<number, string>>;
  readonly refunds: Readonly<Record<string, Refund>>;
}

/** Whoever tries out stolen cards gets no more than these out of one order. */
export const mostPaymentAttempts = 10;

const initialState: PaymentState = {
  facts: undefined,
  status: 'none',
  attempt: 0,
  retryable: false,
  deadline: '',
  provider: '',
  captures: {},
  refunds: {},
};

function factsOf(data: PaymentFacts): PaymentFacts {
  const { payment_id, order_id, amount, currency, order_number, user_id, shop_ids, country, placed_at, channel } = data;
  return { payment_id, order_id, amount, currency, order_number, user_id, shop_ids, country, placed_at, channel };
}

function withRefund(state: PaymentState, id: string, refund: Refund): PaymentState {
  return { ...state, refunds: { ...state.refunds, [id]: refund } };
}

function evolve(state: PaymentState, event: PaymentEvent): PaymentState {
  switch (event.type) {
    case 'payment.initiated': {
      const { attempt, deadline, provider } = event.data;
      return { ...state, facts: factsOf(event.data), status: 'open', attempt, deadline, provider };
    }
    case 'payment.success': {
      const { attempt, provider_transaction_id } = event.data;
      const captures = { ...state.captures, [attempt]: provider_transaction_id };
      // Money of an attempt that another one has followed goes back, and says nothing of that other one.
      return { ...state, captures, status: attempt < state.attempt ? state.status : 'captured' };
    }
    case 'payment.failed':
      return state.status === 'captured' ? state : { ...state, status: 'failed', retryable: event.data.retryable };
    case 'payment.refund_requested': {
      const { refund_id, amount, reason } = event.data;
      return withRefund(state, refund_id, { amount, reason, status: 'requested' });
    }
    case 'payment.refunded': {
      const { refund_id, amount, reason } = event.data;
      return withRefund(state, refund_id, { amount, reason, status: 'refunded' });
    }
    case 'payment.refund_failed': {
      const { refund_id, amount, reason: refusal } = event.data;
      const reason = state.refunds[refund_id]?.reason ?? refusal;
      return withRefund(state, refund_id, { amount, reason, status: 'failed' });
    }
  }
}

function decide(command: PaymentCommand, state: PaymentState): readonly PaymentEvent[] {
  if (command.type === 'InitiatePayment') {
    const { amount, attempt } = command.data;
    if (amount < 1) throw new DomainError('amount-not-positive', 'A payment is above zero.');
    if (state.status === 'captured') throw captured();
    if (state.status === 'open') {
      if (attempt === state.attempt) return [];
      throw new DomainError('payment-attempt-open', 'The attempt before this one has not ended.');
    }
    if (attempt <= state.attempt) return [];
    return [{ type: 'payment.initiated', data: command.data }];
  }
  const { facts, status } = state;
  if (facts === undefined) throw new DomainError('payment-not-found', 'There is no such payment.');
  switch (command.type) {
    case 'RetryPayment': {
      if (status === 'captured') throw captured();
      if (status === 'open') throw new DomainError('payment-attempt-open', 'An attempt to pay is under way.');
      if (!state.retryable) throw new DomainError('payment-not-awaited', 'No further payment is waited for.');
      const { attempt: before, deadline, provider } = state;
      if (Date.parse(command.metadata.now) >= Date.parse(deadline)) {
        throw new DomainError('payment-window-closed', 'The time to pay is over.', { deadline });
      }
      if (before >= mostPaymentAttempts) {
        throw new DomainError('payment-attempts-exhausted', 'No further attempt is possible.', { attempts: before });
      }
      const { payment_method } = command.data;
      const attempt = before + 1;
      const provider_key = chargeKey(facts.order_id, attempt);
      const data = { ...facts, attempt, payment_method, provider, provider_key, deadline };
      return [{ type: 'payment.initiated', data }];
    }
    case 'RecordPaymentSuccess': {
      const { attempt, transaction_id, payment_method, provider, provider_transaction_id, amount } = command.data;
      const taken = state.captures[attempt];
      if (taken === provider_transaction_id) return [];
      if (taken !== undefined) throw captured();
      if (attempt > state.attempt) throw new DomainError('payment-not-found', 'That attempt was never made.');
      if (amount !== facts.amount) throw new DomainError('amount-mismatch', 'The provider took another amount.');
      // A success after a failure was recorded is late news of money that was taken: it must not be lost.
      const how = { attempt, transaction_id, payment_method, provider, provider_transaction_id };
      return [{ type: 'payment.success', data: { ...facts, ...how } }];
    }
    case 'RecordPaymentFailure': {
      const { attempt, reason, retryable } = command.data;
      if (status === 'captured') throw captured();
      if (attempt < state.attempt) return [];
      // A failure that may be tried again becomes final once, and from then on no attempt follows.
      if (status === 'failed' && (retryable || !state.retryable)) return [];
      return [{ type: 'payment.failed', data: { ...facts, attempt, reason, retryable } }];
    }
    case 'RequestRefund': {
      const { refund_id, amount, reason, provider_key } = command.data;
      const captures = Object.keys(state.captures).length;
      if (captures === 0) throw new DomainError('payment-not-captured', 'There is no money to give back.');
      if (amount < 1) throw new DomainError('amount-not-positive', 'A refund is above zero.');
      const known = state.refunds[refund_id];
      if (known !== undefined && known.status !== 'failed') return [];
      const promised = Object.values(state.refunds)
        .filter((refund) => refund.status !== 'failed')
        .reduce((sum, refund) => sum + refund.amount, 0);
      if (promised + amount > facts.amount * captures) {
        throw new DomainError('refund-exceeds-capture', 'That is more than what was paid.', { promised });
      }
      return [{ type: 'payment.refund_requested', data: { ...facts, amount, refund_id, provider_key, reason } }];
    }
    case 'RecordRefund': {
      const { refund_id, provider_refund_id } = command.data;
      const refund = requested(state, refund_id);
      if (refund.status === 'refunded') return [];
      const { amount, reason } = refund;
      return [{ type: 'payment.refunded', data: { ...facts, amount, refund_id, provider_refund_id, reason } }];
    }
    case 'RecordRefundFailure': {
      const { refund_id, reason } = command.data;
      const refund = requested(state, refund_id);
      if (refund.status !== 'requested') return [];
      return [{ type: 'payment.refund_failed', data: { ...facts, amount: refund.amount, refund_id, reason } }];
    }
  }
}

function requested(state: PaymentState, refundId: string): Refund {
  const refund = state.refunds[refundId];
  if (refund === undefined) throw new DomainError('payment-not-found', 'No such refund was asked for.');
  return refund;
}

function captured(): DomainError {
  return new DomainError('payment-already-captured', 'The payment has been taken already.');
}

export const paymentDecider: Decider<PaymentState, PaymentCommand, PaymentEvent> = { initialState, decide, evolve };
