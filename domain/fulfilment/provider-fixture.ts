import type { Charge, RefundStep } from './dispatch.js';
import type { ChargeOutcome, RefundOutcome } from './process-state.js';

/**
 * What the provider does with an order. A first card that is `declined once` can be followed by one that is good; one that
 * is `declined and taken` has its money taken all the same, as a webhook tells.
 */
export type Script = 'captured' | 'declined' | 'declined once' | 'declined and taken' | 'stolen' | 'refund refused';
const refusedRefunds = 2;

/** The provider of the model, with its ledger. */
export class ScriptedProvider {
  readonly captures = new Map<string, { order_id: string; amount: number; tx: string; attempt: number }>();
  readonly refunds = new Map<string, { order_id: string; amount: number }>();
  readonly scripts = new Map<string, Script>();

  charge({ attempt, provider_key, order_id, amount }: Charge): ChargeOutcome {
    const script = this.scripts.get(order_id);
    const tx = `pi_${provider_key}`;
    const capture = () => this.captures.set(provider_key, { order_id, amount, tx, attempt });
    if (script === 'stolen') return { kind: 'declined', reason: 'stolen_card', retryable: false };
    if (script === 'declined and taken' && attempt === 1) capture();
    if (script === 'declined' || (script?.startsWith('declined ') && attempt === 1)) {
      return { kind: 'declined', reason: 'card_declined', retryable: true };
    }
    capture();
    return { kind: 'captured', provider_transaction_id: tx, payment_method: 'card' };
  }

  refund({ attempt, refund }: RefundStep): RefundOutcome {
    const { provider_key, order_id, amount } = refund;
    if (this.scripts.get(order_id) === 'refund refused' && attempt <= refusedRefunds) {
      return { kind: 'refused', reason: 'disputed' };
    }
    this.refunds.set(provider_key, { order_id, amount });
    return { kind: 'refunded', provider_refund_id: `re_${provider_key}` };
  }
}
