import { z } from 'zod';
import { behaviourOf } from './behaviours.js';
import { type FormValue, flag, list, metadata, positiveInteger, validate } from './form.js';
import type { Changes, Ledger } from './ledger.js';
import { type Intent, type Refund, showCharge, showDecline, showIntent, showRefund } from './objects.js';
import { invalidRequest, resourceMissing, unexpectedState } from './stripe-error.js';

export interface PaymentDeps {
  ledger: Ledger;
  clock: () => Date;
  /** `newId('pi')` -> `pi_...` */
  newId: (prefix: string) => string;
}

/** What a request comes to: an answer, what is stored before it is given, and the events that follow. */
export interface Outcome {
  status: number;
  body: unknown;
  changes: Changes;
  events: { type: string; object: unknown }[];
}

/** A request whose parameters are valid; `decide` reads the ledger, so it runs when its intent is free. */
export interface Operation {
  /** operations on one intent run one after the other */
  intentId: string | undefined;
  decide: () => Outcome;
}

const currencies = new Set(Intl.supportedValuesOf('currency').map((code) => code.toLowerCase()));
const largestAmount = 99_999_999;
const expand = list(z.enum(['latest_charge'])).default([]);

const createParams = z.strictObject({
  amount: positiveInteger.refine((amount) => amount <= largestAmount, 'amount_too_large'),
  currency: z
    .string()
    .transform((code) => code.toLowerCase())
    .refine((code) => currencies.has(code), 'not a currency'),
  payment_method: z.string().min(1).max(200).optional(),
  confirm: flag.default(false),
  metadata: metadata.default({}),
  description: z.string().max(1000).optional(),
  capture_method: z.enum(['automatic', 'automatic_async']).optional(),
  // One name before, the other since the API version `endive`.
  payment_method_types: list(z.literal('card')).optional(),
  allowed_payment_method_types: list(z.literal('card')).optional(),
  automatic_payment_methods: z
    .strictObject({ enabled: flag, allow_redirects: z.enum(['always', 'never']).optional() })
    .optional(),
  expand,
});

const cancelParams = z.strictObject({
  cancellation_reason: z.enum(['abandoned', 'duplicate', 'fraudulent', 'requested_by_customer']).optional(),
  expand,
});

const refundParams = z.strictObject({
  payment_intent: z.string().min(1).max(200),
  amount: positiveInteger.optional(),
  metadata: metadata.default({}),
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
});

export function createIntent(form: Record<string, FormValue>, { clock, newId }: PaymentDeps): Operation {
  const params = validate(createParams, form);
  if (params.confirm && params.payment_method === undefined) {
    throw invalidRequest('A payment method is needed to confirm.', 'parameter_missing', 'payment_method');
  }
  const decide = (): Outcome => {
    const method = params.payment_method;
    const behaviour = method === undefined ? undefined : behaviourOf(method);
    if (method !== undefined && behaviour === undefined) {
      throw resourceMissing('PaymentMethod', method, 'payment_method', 400);
    }
    const now = seconds(clock());
    const id = newId('pi');
    const intent: Intent = {
      id,
      client_secret: `${id}_${newId('secret')}`,
      created: now,
      amount: params.amount,
      currency: params.currency,
      status: method === undefined ? 'requires_payment_method' : 'requires_confirmation',
      metadata: params.metadata,
      description: params.description || null,
      payment_method: method ?? null,
      payment_method_types: ['card'],
      charge: null,
      canceled_at: null,
      cancellation_reason: null,
    };
    if (!params.confirm || method === undefined || behaviour === undefined) {
      return { status: 200, body: showIntent(intent), changes: { intent }, events: [] };
    }
    const charge = { id: newId('ch'), created: now, payment_method: method, amount_refunded: 0 };
    if (behaviour.outcome === 'declines') {
      const { decline } = behaviour;
      const failed: Intent = {
        ...intent,
        status: 'requires_payment_method',
        payment_method: null,
        charge: { ...charge, card: null, decline },
      };
      const shown = showIntent(failed);
      return {
        status: 402,
        body: { error: { ...showDecline(charge.id, decline), payment_intent: shown } },
        changes: { intent: failed },
        events: [{ type: 'payment_intent.payment_failed', object: shown }],
      };
    }
    const paid: Intent = { ...intent, status: 'succeeded', charge: { ...charge, card: behaviour.card, decline: null } };
    return {
      status: 200,
      body: showIntent(paid, params.expand),
      changes: {
        intent: paid,
        movement: {
          kind: 'capture',
          payment_intent: id,
          charge: charge.id,
          amount: paid.amount,
          currency: paid.currency,
          metadata: paid.metadata,
          captured_at: now,
        },
      },
      events: [{ type: 'payment_intent.succeeded', object: showIntent(paid) }],
    };
  };
  return { intentId: undefined, decide };
}

export function cancelIntent(id: string, form: Record<string, FormValue>, { ledger, clock }: PaymentDeps): Operation {
  const params = validate(cancelParams, form);
  const decide = (): Outcome => {
    const intent = ledger.intent(id);
    if (intent === undefined) throw resourceMissing('payment_intent', id, 'intent', 404);
    if (intent.status === 'succeeded' || intent.status === 'canceled') {
      throw unexpectedState(`A payment intent with the status ${intent.status} cannot be canceled.`);
    }
    const canceled: Intent = {
      ...intent,
      status: 'canceled',
      canceled_at: seconds(clock()),
      cancellation_reason: params.cancellation_reason ?? null,
    };
    return {
      status: 200,
      body: showIntent(canceled, params.expand),
      changes: { intent: canceled },
      events: [{ type: 'payment_intent.canceled', object: showIntent(canceled) }],
    };
  };
  return { intentId: id, decide };
}

export function createRefund(form: Record<string, FormValue>, { ledger, clock, newId }: PaymentDeps): Operation {
  const params = validate(refundParams, form);
  const decide = (): Outcome => {
    const intent = ledger.intent(params.payment_intent);
    if (intent === undefined) throw resourceMissing('payment_intent', params.payment_intent, 'payment_intent', 400);
    const { charge } = intent;
    if (intent.status !== 'succeeded' || charge === null) {
      throw unexpectedState(`The payment intent ${intent.id} has no successful charge to refund.`);
    }
    const refundable = intent.amount - charge.amount_refunded;
    if (refundable === 0) {
      throw invalidRequest(`The charge ${charge.id} has already been refunded.`, 'charge_already_refunded');
    }
    const amount = params.amount ?? refundable;
    if (amount > refundable) {
      const message = `The refund of ${amount} is greater than the ${refundable} that can still be refunded.`;
      throw invalidRequest(message, 'amount_too_large', 'amount');
    }
    const now = seconds(clock());
    const refund: Refund = {
      id: newId('re'),
      created: now,
      payment_intent: intent.id,
      charge: charge.id,
      amount,
      currency: intent.currency,
      metadata: params.metadata,
      reason: params.reason ?? null,
    };
    const refunded = { ...charge, amount_refunded: charge.amount_refunded + amount };
    const after: Intent = { ...intent, charge: refunded };
    const { currency } = intent;
    return {
      status: 200,
      body: showRefund(refund),
      changes: {
        intent: after,
        refund,
        movement: {
          kind: 'refund',
          refund: refund.id,
          payment_intent: intent.id,
          amount,
          currency,
          metadata: refund.metadata,
          refunded_at: now,
        },
      },
      events: [
        { type: 'refund.created', object: showRefund(refund) },
        { type: 'charge.refunded', object: showCharge(after, refunded) },
      ],
    };
  };
  return { intentId: params.payment_intent, decide };
}

export function readIntent(id: string, form: Record<string, FormValue>, ledger: Ledger): unknown {
  const params = validate(z.strictObject({ client_secret: z.string().optional(), expand }), form);
  const intent = ledger.intent(id);
  if (intent === undefined) throw resourceMissing('payment_intent', id, 'intent', 404);
  return showIntent(intent, params.expand);
}

export function readRefund(id: string, form: Record<string, FormValue>, ledger: Ledger): unknown {
  validate(z.strictObject({}), form);
  const refund = ledger.refund(id);
  if (refund === undefined) throw resourceMissing('refund', id, 'refund', 404);
  return showRefund(refund);
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
