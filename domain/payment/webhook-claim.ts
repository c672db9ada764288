import type { Command, Decider } from '../core/decider.js';
import { DomainError } from '../core/domain-error.js';
import type { WebhookClaimEvent } from './webhook-claim-events.js';

type Claim = WebhookClaimEvent['data'];

export type ClaimWebhook = Command<'ClaimWebhook', Claim>;

export interface WebhookClaimState {
  /** What the webhook said when it was first taken in. */
  readonly claim: Claim | undefined;
}

/** The uniqueness of one webhook: its id stands for one piece of news about one payment, for ever. */
export const webhookClaimDecider: Decider<WebhookClaimState, ClaimWebhook, WebhookClaimEvent> = {
  initialState: { claim: undefined },

  decide({ data }, { claim }) {
    if (claim === undefined) return [{ type: 'webhook.claimed', data }];
    if (claim.payment_id === data.payment_id && claim.says === data.says) return [];
    throw new DomainError('webhook-id-used', 'This webhook has said something else before.');
  },

  evolve(_state, event) {
    return { claim: event.data };
  },
};
