import { expect } from 'chai';
import fc from 'fast-check';
import { runLawfully } from '../core/decider-laws.js';
import { given } from '../core/specification.js';
import { eventCatalog } from '../event-catalog.js';
import { type ClaimWebhook, webhookClaimDecider } from './webhook-claim.js';
import type { WebhookClaimEvent } from './webhook-claim-events.js';

const metadata = { now: '2026-03-01T09:30:00.000Z' };
const id = (n: number) => `018f3c1a-0000-7000-8000-${String(n).padStart(12, '0')}`;
const news = (payment: number, says: 'success' | 'failure' = 'success') => ({
  provider: 'stripe',
  webhook_id: 'evt_1',
  payment_id: id(payment),
  order_id: id(10 + payment),
  says,
});
const claim = (payment: number, says?: 'success' | 'failure'): ClaimWebhook => ({
  type: 'ClaimWebhook',
  data: news(payment, says),
  metadata,
});
const claimed = (payment: number, says?: 'success' | 'failure'): WebhookClaimEvent => ({
  type: 'webhook.claimed',
  data: news(payment, says),
});

describe('a webhook id that was not seen before', () => {
  it('is claimed', () => {
    given(webhookClaimDecider).when(claim(1)).then(claimed(1));
  });
});

describe('a webhook id that was claimed', () => {
  it('may say the same again', () => {
    given(webhookClaimDecider, claimed(1)).when(claim(1)).thenNothing();
  });

  it('says nothing else, of this payment or another', () => {
    given(webhookClaimDecider, claimed(1)).when(claim(2)).thenRefused('webhook-id-used');
    given(webhookClaimDecider, claimed(1)).when(claim(1, 'failure')).thenRefused('webhook-id-used');
  });
});

describe('any sequence of claims of a webhook id', () => {
  const command = fc
    .tuple(fc.integer({ min: 1, max: 2 }), fc.constantFrom('success' as const, 'failure' as const))
    .map(([payment, says]) => claim(payment, says));

  it('is lawful, and the first one stays', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 20 }), (commands) => {
        const { events } = runLawfully(webhookClaimDecider, eventCatalog, commands, () => true);
        expect(events.map(({ data }) => data)).to.deep.equal(commands.slice(0, 1).map(({ data }) => data));
      }),
    );
  });
});
