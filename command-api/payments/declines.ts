/**
 * Stripe's decline codes after which no other card is taken either: somebody pays with what is not theirs. Every other
 * decline leaves the order open, so that its customer can pay another way.
 */
const finalDeclines: ReadonlySet<string> = new Set([
  'fraudulent',
  'lost_card',
  'merchant_blacklist',
  'pickup_card',
  'restricted_card',
  'security_violation',
  'stolen_card',
]);

/** @param code Stripe's `decline_code`, else its error `code` */
export function isRetryable(code: string): boolean {
  return !finalDeclines.has(code);
}
