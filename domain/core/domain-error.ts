/** What sort of mistake a code stands for; the HTTP edge turns a kind into a status. */
export type ErrorKind = 'malformed' | 'invalid' | 'unauthenticated' | 'forbidden' | 'not-found' | 'conflict' | 'busy';

/** Every refusal the domain can give, by its stable code. Codes are an API: they are added, never renamed. */
export const errorCatalogue = {
  'amount-mismatch': 'conflict',
  'amount-not-positive': 'invalid',
  'cart-checked-out': 'conflict',
  'cart-empty': 'invalid',
  'cart-not-found': 'not-found',
  'cart-full': 'invalid',
  'currency-mismatch': 'invalid',
  'currency-unknown': 'invalid',
  'email-taken': 'conflict',
  'idempotency-key-reused': 'invalid',
  'item-not-in-cart': 'not-found',
  'order-already-exists': 'conflict',
  'order-already-paid': 'conflict',
  'order-ended': 'conflict',
  'order-empty': 'invalid',
  'order-not-found': 'not-found',
  'order-not-paid': 'conflict',
  'order-too-large': 'invalid',
  'payment-already-captured': 'conflict',
  'payment-attempt-open': 'conflict',
  'payment-attempts-exhausted': 'conflict',
  'payment-not-awaited': 'conflict',
  'payment-window-closed': 'conflict',
  'payment-not-captured': 'conflict',
  'payment-not-found': 'not-found',
  'price-not-positive': 'invalid',
  'price-precision': 'invalid',
  'product-already-exists': 'conflict',
  'product-deleted': 'conflict',
  'product-not-found': 'not-found',
  'product-not-sold': 'invalid',
  'product-too-many-variants': 'invalid',
  'product-without-variants': 'invalid',
  'quantity-not-positive': 'invalid',
  'quantity-too-large': 'invalid',
  'receipt-already-exists': 'conflict',
  'receipt-not-found': 'not-found',
  'refund-exceeds-capture': 'conflict',
  'reservation-not-found': 'not-found',
  'roles-empty': 'invalid',
  'session-already-exists': 'conflict',
  'session-ended': 'unauthenticated',
  'shop-already-exists': 'conflict',
  'shop-not-found': 'not-found',
  'shop-suspended': 'conflict',
  'sku-duplicate': 'invalid',
  'stock-below-zero': 'conflict',
  'user-already-exists': 'conflict',
  'user-erased': 'conflict',
  'user-not-found': 'not-found',
  'variant-duplicate': 'invalid',
  'variant-not-found': 'not-found',
  'webhook-id-used': 'conflict',
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorCatalogue;

/** The caller's mistake. `details` helps the caller mend the request and holds no personal data. */
export class DomainError extends Error {
  override readonly name = 'DomainError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }

  get kind(): ErrorKind {
    return errorCatalogue[this.code];
  }
}
