import { z } from 'zod';
import { conductOf } from './behaviours.js';
import { charge } from './charges.js';
import { type FormValue, flag, list, metadata, positiveInteger, validate } from './form.js';
import type { Ledger } from './ledger.js';
import { type Intent, showIntent } from './objects.js';
import { type Operation, type Outcome, type PaymentDeps, seconds } from './operation.js';
import { invalidRequest, resourceMissing, unexpectedState } from './stripe-error.js';

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

export function createIntent(form: Record<string, FormValue>, { clock, newId }: PaymentDeps): Operation {
  const params = validate(createParams, form);
  if (params.confirm && params.payment_method === undefined) {
    throw invalidRequest('A payment method is needed to confirm.', 'parameter_missing', 'payment_method');
  }
  const decide = (): Outcome => {
    const method = params.payment_method;
    const conduct = method === undefined ? undefined : conductOf(method, params.amount);
    if (method !== undefined && conduct === undefined) {
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
    if (!params.confirm || method === undefined || conduct === undefined) {
      return { status: 200, body: showIntent(intent), changes: { intent }, events: [] };
    }
    return charge(intent, method, conduct, params.expand, { clock, newId });
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

export function readIntent(id: string, form: Record<string, FormValue>, ledger: Ledger): unknown {
  const params = validate(z.strictObject({ client_secret: z.string().optional(), expand }), form);
  const intent = ledger.intent(id);
  if (intent === undefined) throw resourceMissing('payment_intent', id, 'intent', 404);
  return showIntent(intent, params.expand);
}
