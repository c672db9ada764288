/** STORED with the charge that it ended. */
export interface Decline {
  /** Stripe's error code */
  code: string;
  /** the bank's reason */
  declineCode: string;
  message: string;
}

interface NamedDecline {
  /** its behaviour's name and number */
  name: string;
  number: number;
  decline: Decline;
}

/** Where Stripe's error code is the bank's reason; else it is `card_declined`. */
const ownCodes = new Set([
  'authentication_required',
  'expired_card',
  'incorrect_cvc',
  'incorrect_number',
  'incorrect_zip',
  'invalid_cvc',
  'invalid_expiry_month',
  'invalid_expiry_year',
  'invalid_number',
  'processing_error',
]);

function named(number: number, name: string, declineCode: string, message = 'Your card was declined.'): NamedDecline {
  const code = ownCodes.has(declineCode) ? declineCode : 'card_declined';
  return { name, number, decline: { code, declineCode, message } };
}

const plain = (number: number, declineCode: string) => named(number, `chargeDeclined_${declineCode}`, declineCode);

/** The reasons that Stripe documents. Those that it has a test card for bear that card's name. */
export const declines: readonly [NamedDecline, ...NamedDecline[]] = [
  named(1, 'chargeDeclined', 'generic_decline'),
  named(2, 'chargeDeclinedInsufficientFunds', 'insufficient_funds', 'Your card has insufficient funds.'),
  named(3, 'chargeDeclinedLostCard', 'lost_card'),
  named(4, 'chargeDeclinedStolenCard', 'stolen_card'),
  named(5, 'chargeDeclinedFraudulent', 'fraudulent'),
  named(6, 'chargeDeclinedVelocityLimitExceeded', 'card_velocity_exceeded'),
  named(7, 'chargeDeclinedExpiredCard', 'expired_card', 'Your card has expired.'),
  named(8, 'chargeDeclinedIncorrectCvc', 'incorrect_cvc', 'The security code of your card is incorrect.'),
  named(9, 'chargeDeclinedProcessingError', 'processing_error', 'The card could not be processed; try again later.'),
  plain(10, 'authentication_required'),
  plain(11, 'approve_with_id'),
  plain(12, 'call_issuer'),
  plain(13, 'card_not_supported'),
  plain(14, 'currency_not_supported'),
  plain(15, 'do_not_honor'),
  plain(16, 'do_not_try_again'),
  plain(17, 'duplicate_transaction'),
  plain(18, 'incorrect_number'),
  plain(19, 'incorrect_pin'),
  plain(20, 'incorrect_zip'),
  plain(21, 'invalid_account'),
  plain(22, 'invalid_amount'),
  plain(23, 'invalid_cvc'),
  plain(24, 'invalid_expiry_month'),
  plain(25, 'invalid_expiry_year'),
  plain(26, 'invalid_number'),
  plain(27, 'invalid_pin'),
  plain(28, 'issuer_not_available'),
  plain(29, 'merchant_blacklist'),
  plain(30, 'new_account_information_available'),
  plain(31, 'no_action_taken'),
  plain(32, 'not_permitted'),
  plain(33, 'offline_pin_required'),
  plain(34, 'online_or_offline_pin_required'),
  plain(35, 'pickup_card'),
  plain(36, 'pin_try_exceeded'),
  plain(37, 'reenter_transaction'),
  plain(38, 'restricted_card'),
  plain(39, 'revocation_of_all_authorizations'),
  plain(40, 'revocation_of_authorization'),
  plain(41, 'security_violation'),
  plain(42, 'service_not_allowed'),
  plain(43, 'stop_payment_order'),
  plain(44, 'testmode_decline'),
  plain(45, 'transaction_not_allowed'),
  plain(46, 'try_again_later'),
  plain(47, 'withdrawal_count_limit_exceeded'),
];
