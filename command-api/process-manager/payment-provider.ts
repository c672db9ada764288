import Stripe from 'stripe';
import type { Charge, ProviderRefund } from '../../domain/fulfilment/dispatch.js';
import type { ChargeOutcome, RefundOutcome } from '../../domain/fulfilment/process-state.js';
import { isRetryable } from '../payments/declines.js';

/** The provider gave no answer that says what became of the money: ask again with the same key. */
export class ProviderUnavailable extends Error {
  override readonly name = 'ProviderUnavailable';
}

/** A payment provider, as fulfilment needs it. Both calls may be repeated: the key makes a repeat harmless. */
export interface PaymentProvider {
  readonly name: string;
  /** @throws ProviderUnavailable */
  charge(charge: Charge): Promise<ChargeOutcome>;
  /** @throws ProviderUnavailable */
  refund(refund: ProviderRefund): Promise<RefundOutcome>;
}

export interface StripeOptions {
  readonly secretKey: string;
  /** Where the provider's API is; Stripe's own where it is undefined. */
  readonly url?: string | undefined;
  readonly timeoutMs?: number;
}

export function stripeClient({ secretKey, url, timeoutMs = 6_000 }: StripeOptions): Stripe {
  const api = url === undefined ? undefined : new URL(url);
  return new Stripe(secretKey, {
    timeout: timeoutMs,
    // The process manager asks again by itself, with the same key; a stop must not wait for retries.
    maxNetworkRetries: 0,
    telemetry: false,
    ...(api === undefined
      ? {}
      : {
          host: api.hostname,
          port: Number(api.port || (api.protocol === 'https:' ? 443 : 80)),
          protocol: api.protocol === 'https:' ? 'https' : 'http',
        }),
  });
}

/** Failures that the same call can outlive; whatever else the provider refuses is final. */
function isPassing(error: unknown): boolean {
  if (error instanceof Stripe.errors.StripeConnectionError || error instanceof Stripe.errors.StripeAPIError)
    return true;
  if (error instanceof Stripe.errors.StripeRateLimitError) return true;
  // 409: the first call with this key is still under way.
  return error instanceof Stripe.errors.StripeError && (error.statusCode === 409 || (error.statusCode ?? 500) >= 500);
}

/** Payments through the official Stripe SDK. */
export function stripeProvider(stripe: Stripe): PaymentProvider {
  return {
    name: 'stripe',
    async charge({ attempt, provider_key, order_id, payment_id, amount, currency, payment_method }) {
      try {
        const begun = await stripe.paymentIntents.create(
          {
            amount,
            currency: currency.toLowerCase(),
            payment_method,
            confirm: true,
            automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
            // The first attempt's parameters stay as they have always been: a repeat must be the same request.
            metadata: { order_id, payment_id, ...(attempt === 1 ? {} : { attempt: String(attempt) }) },
          },
          { idempotencyKey: provider_key },
        );
        // A repeat is answered as the first time was; what has become of it since, the intent itself tells.
        const intent = begun.status === 'processing' ? await stripe.paymentIntents.retrieve(begun.id) : begun;
        if (intent.status === 'succeeded') {
          return { kind: 'captured', provider_transaction_id: intent.id, payment_method: 'card' };
        }
        if (intent.status === 'processing') throw new ProviderUnavailable('the payment is still being processed');
        const { code, decline_code } = intent.last_payment_error ?? {};
        const reason = decline_code ?? code ?? intent.status;
        return { kind: 'declined', reason, retryable: isRetryable(reason) };
      } catch (error) {
        if (error instanceof ProviderUnavailable) throw error;
        if (error instanceof Stripe.errors.StripeCardError) {
          const reason = error.decline_code ?? error.code ?? 'card_declined';
          return { kind: 'declined', reason, retryable: isRetryable(reason) };
        }
        if (isPassing(error)) throw new ProviderUnavailable('the payment provider does not answer', { cause: error });
        if (error instanceof Stripe.errors.StripeInvalidRequestError) {
          return { kind: 'declined', reason: error.code ?? 'invalid_request', retryable: false };
        }
        // A payment method with half a character in it cannot even be sent: it would be tried again until its deadline.
        if (error instanceof URIError) return { kind: 'declined', reason: 'invalid_request', retryable: false };
        throw new ProviderUnavailable('the payment provider refuses us', { cause: error });
      }
    },
    async refund({ provider_key, order_id, provider_transaction_id, amount }) {
      try {
        const refund = await stripe.refunds.create(
          { payment_intent: provider_transaction_id, amount, metadata: { order_id } },
          { idempotencyKey: provider_key },
        );
        return { kind: 'refunded', provider_refund_id: refund.id };
      } catch (error) {
        if (error instanceof Stripe.errors.StripeInvalidRequestError && !isPassing(error)) {
          // The whole amount is back already: by an answer that got lost long ago, or by somebody at the provider.
          if (error.code === 'charge_already_refunded') {
            return { kind: 'refunded', provider_refund_id: `${provider_transaction_id}:already_refunded` };
          }
          return { kind: 'refused', reason: error.code ?? 'invalid_request' };
        }
        throw new ProviderUnavailable('the payment provider does not answer', { cause: error });
      }
    },
  };
}
