/**
 * What each test payment method does. The one place that knows; another behaviour (silence, late or repeated webhooks)
 * is another field of `Behaviour` and another row here.
 */
export type Behaviour = { outcome: 'succeeds'; card: CardFacts } | { outcome: 'declines'; decline: Decline };

export interface CardFacts {
  brand: string;
  last4: string;
}

export interface Decline {
  /** Stripe's error code */
  code: 'card_declined' | 'expired_card' | 'incorrect_cvc' | 'processing_error';
  /** the bank's reason, present with `card_declined` and where Stripe repeats the code */
  declineCode: string;
  message: string;
}

const accepted: Record<string, CardFacts> = {
  pm_card_visa: { brand: 'visa', last4: '4242' },
  pm_card_visa_debit: { brand: 'visa', last4: '5556' },
  pm_card_mastercard: { brand: 'mastercard', last4: '4444' },
  pm_card_mastercard_debit: { brand: 'mastercard', last4: '8210' },
  pm_card_mastercard_prepaid: { brand: 'mastercard', last4: '5100' },
  pm_card_amex: { brand: 'amex', last4: '8431' },
  pm_card_discover: { brand: 'discover', last4: '1117' },
  pm_card_diners: { brand: 'diners', last4: '0004' },
  pm_card_jcb: { brand: 'jcb', last4: '0505' },
  pm_card_unionpay: { brand: 'unionpay', last4: '0005' },
};

const declined: Record<string, Decline> = {
  chargeDeclined: cardDeclined('generic_decline', 'Your card was declined.'),
  chargeDeclinedInsufficientFunds: cardDeclined('insufficient_funds', 'Your card has insufficient funds.'),
  chargeDeclinedLostCard: cardDeclined('lost_card', 'Your card was declined.'),
  chargeDeclinedStolenCard: cardDeclined('stolen_card', 'Your card was declined.'),
  chargeDeclinedFraudulent: cardDeclined('fraudulent', 'Your card was declined.'),
  chargeDeclinedVelocityLimitExceeded: cardDeclined('card_velocity_exceeded', 'Your card was declined.'),
  chargeDeclinedExpiredCard: sameCode('expired_card', 'Your card has expired.'),
  chargeDeclinedIncorrectCvc: sameCode('incorrect_cvc', 'The security code of your card is incorrect.'),
  chargeDeclinedProcessingError: sameCode('processing_error', 'The card could not be processed; try again later.'),
};

function cardDeclined(declineCode: string, message: string): Decline {
  return { code: 'card_declined', declineCode, message };
}

function sameCode(code: Exclude<Decline['code'], 'card_declined'>, message: string): Decline {
  return { code, declineCode: code, message };
}

const table = new Map<string, Behaviour>([
  ...Object.entries(accepted).map(([id, card]): [string, Behaviour] => [id, { outcome: 'succeeds', card }]),
  // Stripe writes some of these names with the brand and some without; both are taken for all.
  ...Object.entries(declined).flatMap(([suffix, decline]): [string, Behaviour][] => [
    [`pm_card_${suffix}`, { outcome: 'declines', decline }],
    [`pm_card_visa_${suffix}`, { outcome: 'declines', decline }],
  ]),
]);

/** What a payment method does when it is charged; undefined if there is no such payment method. */
export function behaviourOf(paymentMethod: string): Behaviour | undefined {
  return table.get(paymentMethod);
}
