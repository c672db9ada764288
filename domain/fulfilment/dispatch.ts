import type { InventoryCommand } from '../inventory/inventory.js';
import type { OrderCommand } from '../order/order.js';
import type { PaymentCommand } from '../payment/payment.js';
import type { FulfilmentCommand } from './fulfilment.js';
import {
  type ChargeOutcome,
  evolveProcess,
  type OrderFacts,
  type ProcessEvent,
  type ProcessState,
  type RefundOutcome,
  type VariantProgress,
  withStock,
  withStray,
} from './process-state.js';

interface Step<Target extends string, Name extends string> {
  readonly target: Target;
  readonly step: Name;
  /** The stream's id within its category; for the provider, the payment's or refund's. */
  readonly id: string;
  readonly attempt: number;
}

export type StockStep = Step<'inventory', 'reserve' | 'extend' | 'expire' | 'confirm' | 'release' | 'restock'> & {
  readonly command: InventoryCommand;
};
export type OrderStep = Step<'order', 'pay' | 'confirm' | 'fail'> & { readonly command: OrderCommand };
export type PaymentStep = Step<
  'payment',
  | 'initiate'
  | 'record_success'
  | 'record_failure'
  | 'close'
  | 'request_refund'
  | 'record_refund'
  | 'record_refund_failure'
> & { readonly command: PaymentCommand };
export type OwnStep = Step<'fulfilment', 'start' | 'release' | 'undo_confirmation' | 'refund' | 'end'> & {
  readonly command: FulfilmentCommand;
};
export type ChargeStep = Step<'provider', 'charge'> & { readonly charge: Charge };
export type RefundStep = Step<'provider', 'refund'> & { readonly refund: ProviderRefund };

/** One thing to do next. Target, step, id and attempt make the command id, so that doing it again changes nothing. */
export type Dispatch = StockStep | OrderStep | PaymentStep | OwnStep | ChargeStep | RefundStep;

export interface Charge {
  readonly attempt: number;
  readonly provider_key: string;
  readonly order_id: string;
  readonly payment_id: string;
  readonly amount: number;
  readonly currency: string;
  readonly payment_method: string;
}

export interface ProviderRefund {
  /** The attempt to pay whose money goes back. */
  readonly charge: number;
  readonly provider_key: string;
  readonly order_id: string;
  readonly provider_transaction_id: string;
  readonly amount: number;
}

export interface ProcessPolicy {
  readonly reservationMs: number;
  /** How long all attempts to pay may take together. */
  readonly paymentMs: number;
  /** How much longer than its payment a reservation lasts. */
  readonly graceMs: number;
  /** The pause before a refused refund is asked for again; it doubles each time, up to a day. */
  readonly refundRetryMs: number;
  readonly lowStockThreshold: number;
  /** The provider's name, as events carry it. */
  readonly provider: string;
}

export interface ProcessInput {
  /** ISO 8601, UTC */
  readonly now: string;
  readonly policy: ProcessPolicy;
  /** The same id for the same parts: ids are made outside the domain. */
  readonly deriveId: (...parts: readonly (string | number)[]) => string;
}

export function addMs(time: string, ms: number): string {
  return new Date(Date.parse(time) + ms).toISOString();
}

export function reservationId(
  orderId: string,
  variantId: string,
  attempt: number,
  input: Pick<ProcessInput, 'deriveId'>,
) {
  return input.deriveId('reservation', orderId, variantId, attempt);
}

export function stockRef(order: OrderFacts, { item, attempt }: VariantProgress, input: ProcessInput) {
  const reservation_id = reservationId(order.order_id, item.variant_id, attempt, input);
  return { ...item, reservation_id, order_id: order.order_id };
}

export function paymentRef(order: OrderFacts, { deriveId }: ProcessInput) {
  return { payment_id: deriveId('payment', order.order_id), order_id: order.order_id };
}

export function onStock(variant: VariantProgress, step: StockStep['step'], command: InventoryCommand): StockStep {
  return { target: 'inventory', step, id: variant.item.variant_id, attempt: variant.attempt, command };
}

export function onOrder(order: OrderFacts, step: OrderStep['step'], command: OrderCommand): OrderStep {
  return { target: 'order', step, id: order.order_id, attempt: 1, command };
}

export function onPayment(step: PaymentStep['step'], attempt: number, command: PaymentCommand): PaymentStep {
  return { target: 'payment', step, id: command.data.payment_id, attempt, command };
}

export function onOwn(step: OwnStep['step'], command: FulfilmentCommand): OwnStep {
  return { target: 'fulfilment', step, id: command.data.order_id, attempt: 1, command };
}

/** What a command that found its effect done already (no event) says about a variant. */
const statusAfter = { reserve: 'reserved', confirm: 'confirmed', release: 'released', restock: 'restocked' } as const;

function stockAlreadyTrue(state: ProcessState, { id, step, command }: StockStep): ProcessState {
  if (step === 'extend') {
    return command.type === 'ExtendReservation' ? withStock(state, id, { expiresAt: command.data.expires_at }) : state;
  }
  // Gone already, or held for longer than this process knows: the answer to the next command tells.
  if (step === 'expire') return withStock(state, id, { expiresAt: undefined });
  return withStock(state, id, { status: statusAfter[step] });
}

/** What is true where a command was accepted without an event of this order. */
function alreadyTrue(state: ProcessState, dispatch: StockStep | OrderStep | PaymentStep | OwnStep): ProcessState {
  if (dispatch.target === 'inventory') return stockAlreadyTrue(state, dispatch);
  const { command } = dispatch;
  switch (command.type) {
    // Somebody else may have told the log what the provider said: it need not be told again.
    case 'RecordPaymentSuccess': {
      const { attempt, provider_transaction_id: providerTransactionId } = command.data;
      if (attempt < state.payment.attempt) return withStray(state, attempt, providerTransactionId);
      return { ...state, payment: { ...state.payment, status: 'captured', providerTransactionId } };
    }
    case 'RecordPaymentFailure': {
      const { reason, retryable } = command.data;
      return { ...state, payment: { ...state.payment, status: 'declined', reason, retryable } };
    }
    default:
      return state;
  }
}

/** Takes in that a dispatched command was accepted, with the events it led to (none where it was true already). */
export function acknowledge(
  state: ProcessState,
  dispatch: StockStep | OrderStep | PaymentStep | OwnStep,
  events: readonly ProcessEvent[],
  eventIds: readonly string[],
): ProcessState {
  const orderId = state.order?.order_id;
  const told = events.some(({ data }) => 'order_id' in data && data.order_id === orderId);
  const { target, id, attempt } = dispatch;
  const asked = target === 'inventory' ? withStock(state, id, { attempt }) : state;
  const next = told ? asked : alreadyTrue(asked, dispatch);
  const { now } = dispatch.command.metadata;
  return events.reduce((folded, event, i) => evolveProcess(folded, event, eventIds[i], now), next);
}

/** What a refusal tells of itself; the same state where it tells nothing. */
export function acknowledgeRefusal(state: ProcessState, dispatch: Dispatch, code: string): ProcessState {
  const isGone = dispatch.target === 'inventory' && dispatch.step === 'extend' && code === 'reservation-not-found';
  return isGone ? withStock(state, dispatch.id, { status: 'lapsed' }) : state;
}

/** Takes in that the provider gave no answer. */
export function unanswered(state: ProcessState, step: ChargeStep | RefundStep): ProcessState {
  return step.step === 'charge' ? { ...state, payment: { ...state.payment, isSilent: true } } : state;
}

/** Takes in what the provider answered. Of an attempt that another one has followed, only that it took money counts. */
export function charged(state: ProcessState, { attempt }: ChargeStep, outcome: ChargeOutcome): ProcessState {
  if (attempt === state.payment.attempt) return { ...state, payment: { ...state.payment, outcome } };
  const isNews = outcome.kind === 'captured' && state.strays[attempt] === undefined;
  return isNews ? { ...state, unheard: { ...state.unheard, [attempt]: outcome } } : state;
}

export function refunded(state: ProcessState, { refund, attempt }: RefundStep, outcome: RefundOutcome): ProcessState {
  const known = state.refunds[refund.charge];
  if (known?.attempt !== attempt) return state;
  return { ...state, refunds: { ...state.refunds, [refund.charge]: { ...known, outcome } } };
}
