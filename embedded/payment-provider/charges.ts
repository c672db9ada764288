import { type Conduct, conductOf } from './behaviours.js';
import { type Intent, showDecline, showIntent } from './objects.js';
import { type News, type Operation, type Outcome, type PaymentDeps, seconds } from './operation.js';
import type { Settlement } from './stored.js';

/** Charges an intent, as its payment method and amount do it. */
export function charge(
  intent: Intent,
  paymentMethod: string,
  conduct: Conduct,
  expand: readonly string[],
  { clock, newId }: Omit<PaymentDeps, 'ledger'>,
): Outcome {
  const now = clock();
  const outcome = chargeNow(intent, paymentMethod, conduct, expand, { id: newId('ch'), created: seconds(now) });
  if (conduct.later === undefined) return outcome;
  const settlement = {
    payment_intent: intent.id,
    payment_method: paymentMethod,
    outcome: conduct.later,
    at: now.getTime() + conduct.waitMs,
  };
  return { ...outcome, changes: { ...outcome.changes, settlement } };
}

type NewCharge = { id: string; created: number };

function chargeNow(
  intent: Intent,
  paymentMethod: string,
  conduct: Conduct,
  expand: readonly string[],
  fresh: NewCharge,
): Outcome {
  const answer = conduct.answer === undefined ? {} : { answer: conduct.answer, answerAfterMs: conduct.waitMs };
  switch (conduct.now) {
    case 'nothing': {
      const waiting: Intent = { ...intent, status: 'processing' };
      const body = showIntent(waiting, expand);
      return { ...answer, status: 200, body, changes: { intent: waiting }, events: [] };
    }
    case 'declines': {
      const failed = declined(intent, paymentMethod, conduct, fresh);
      const shown = showIntent(failed);
      return {
        ...answer,
        status: 402,
        body: { error: { ...showDecline(fresh.id, conduct.decline), payment_intent: shown } },
        changes: { intent: failed },
        events: [{ type: 'payment_intent.payment_failed', object: shown }],
      };
    }
    default:
      return { ...answer, ...captured(intent, paymentMethod, conduct, expand, fresh) };
  }
}

function declined(intent: Intent, paymentMethod: string, { decline }: Conduct, fresh: NewCharge): Intent {
  return {
    ...intent,
    status: 'requires_payment_method',
    payment_method: null,
    charge: { ...fresh, payment_method: paymentMethod, amount_refunded: 0, card: null, decline },
  };
}

function captured(
  intent: Intent,
  paymentMethod: string,
  conduct: Conduct,
  expand: readonly string[],
  fresh: NewCharge,
): Outcome {
  const paid: Intent = {
    ...intent,
    status: 'succeeded',
    payment_method: paymentMethod,
    charge: { ...fresh, payment_method: paymentMethod, amount_refunded: 0, card: conduct.card, decline: null },
  };
  const { id, amount, currency, metadata } = paid;
  return {
    status: 200,
    body: showIntent(paid, expand),
    changes: {
      intent: paid,
      movement: {
        kind: 'capture',
        payment_intent: id,
        charge: fresh.id,
        amount,
        currency,
        metadata,
        captured_at: fresh.created,
      },
    },
    events: newsOfCapture(paid, conduct, declined(intent, paymentMethod, conduct, fresh)),
  };
}

function newsOfCapture(paid: Intent, { webhook, waitMs }: Conduct, failed: Intent): News[] {
  const succeeded = { type: 'payment_intent.succeeded', object: showIntent(paid) };
  switch (webhook) {
    case 'never':
      return [];
    case 'late':
      return [{ ...succeeded, waitMs }];
    case 'twice':
      return [{ ...succeeded, copies: 1 }];
    case 'after-refund':
      return [{ ...succeeded, heldFor: paid.id }];
    case 'contradicted': {
      const older = { type: 'payment_intent.payment_failed', object: showIntent(failed), ageSeconds: 1 };
      return [succeeded, { ...older, afterPrevious: true }];
    }
    default:
      return [succeeded];
  }
}

/** What a charge comes to that was left open; nothing where the intent was canceled or paid in the meantime. */
export function settle(settlement: Settlement, { ledger, clock, newId }: PaymentDeps): Operation {
  const { payment_intent: id, payment_method, outcome } = settlement;
  const decide = (): Outcome => {
    const intent = ledger.intent(id);
    const conduct = intent === undefined ? undefined : conductOf(payment_method, intent.amount);
    const open = intent?.status === 'processing' || intent?.status === 'requires_payment_method';
    if (intent === undefined || conduct === undefined || !open)
      return { status: 200, body: {}, changes: {}, events: [] };
    const fresh = { id: newId('ch'), created: seconds(clock()) };
    if (outcome === 'succeeds') return captured(intent, payment_method, conduct, [], fresh);
    const failed = declined(intent, payment_method, conduct, fresh);
    const object = showIntent(failed);
    return {
      status: 200,
      body: object,
      changes: { intent: failed },
      events: [{ type: 'payment_intent.payment_failed', object }],
    };
  };
  return { intentId: id, decide };
}
