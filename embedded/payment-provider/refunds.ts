import { z } from 'zod';
import { conductOf } from './behaviours.js';
import { type FormValue, metadata, positiveInteger, validate } from './form.js';
import type { Ledger } from './ledger.js';
import { type Charge, type Intent, type Refund, showCharge, showRefund } from './objects.js';
import { type Operation, type Outcome, type PaymentDeps, seconds } from './operation.js';
import { invalidRequest, resourceMissing, unexpectedState } from './stripe-error.js';

const refundParams = z.strictObject({
  payment_intent: z.string().min(1).max(200),
  amount: positiveInteger.optional(),
  metadata: metadata.default({}),
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
});

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
    const conduct = conductOf(charge.payment_method, intent.amount)?.refund;
    if (conduct === 'refused') {
      throw invalidRequest(`The charge ${charge.id} is disputed.`, 'charge_disputed');
    }
    if (conduct === 'refused-once' && !charge.refund_refused) return refusedOnce(intent, charge);
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
    const made = given(intent, { ...charge, amount_refunded: charge.amount_refunded + amount }, refund);
    const held = ledger.held(intent.id);
    if (held !== undefined) made.changes = { ...made.changes, told: { heldFor: intent.id, delivery: held } };
    return conduct === 'answer-lost' ? { ...made, answer: 'lost' } : made;
  };
  return { intentId: params.payment_intent, decide };
}

function refusedOnce(intent: Intent, charge: Charge): Outcome {
  const { body, status } = invalidRequest('There is too little on the balance.', 'balance_insufficient');
  const changes = { intent: { ...intent, charge: { ...charge, refund_refused: true as const } } };
  return { status, body: { error: body }, changes, events: [] };
}

function given(before: Intent, charge: Charge, refund: Refund): Outcome {
  const intent: Intent = { ...before, charge };
  const { payment_intent, amount, currency } = refund;
  return {
    status: 200,
    body: showRefund(refund),
    changes: {
      intent,
      refund,
      movement: {
        kind: 'refund',
        refund: refund.id,
        payment_intent,
        amount,
        currency,
        metadata: refund.metadata,
        refunded_at: refund.created,
      },
    },
    events: [
      { type: 'refund.created', object: showRefund(refund) },
      { type: 'charge.refunded', object: showCharge(intent, charge) },
    ],
  };
}

export function readRefund(id: string, form: Record<string, FormValue>, ledger: Ledger): unknown {
  validate(z.strictObject({}), form);
  const refund = ledger.refund(id);
  if (refund === undefined) throw resourceMissing('refund', id, 'refund', 404);
  return showRefund(refund);
}
