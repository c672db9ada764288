/** An answer in Stripe's error shape; the SDK turns `type` into its error classes. */
export class StripeError extends Error {
  override readonly name = 'StripeError';
  constructor(
    readonly status: number,
    readonly body: ErrorBody,
  ) {
    super(body.message);
  }
}

export interface ErrorBody {
  type: 'invalid_request_error' | 'card_error' | 'idempotency_error' | 'api_error';
  message: string;
  code?: string;
  decline_code?: string;
  param?: string;
  charge?: string;
  payment_intent?: unknown;
}

export function invalidRequest(message: string, code?: string, param?: string, status = 400): StripeError {
  return new StripeError(status, {
    type: 'invalid_request_error',
    message,
    ...(code === undefined ? {} : { code }),
    ...(param === undefined ? {} : { param }),
  });
}

/** An id in the path that is not there is 404, one in the body 400. */
export function resourceMissing(kind: string, id: string, param: string, status: 400 | 404): StripeError {
  return invalidRequest(`No such ${kind}: '${id}'`, 'resource_missing', param, status);
}

export function unexpectedState(message: string): StripeError {
  return invalidRequest(message, 'payment_intent_unexpected_state');
}
