import type { Command, Decider } from '../core/decider.js';
import { DomainError } from '../core/domain-error.js';
import type { ReceiptEvent } from './receipt-events.js';

export type RecordReceipt = Command<'RecordReceipt', ReceiptEvent['data']>;

export interface ReceiptState {
  readonly recorded: boolean;
}

/** A receipt is recorded once, whole. */
export const receiptDecider: Decider<ReceiptState, RecordReceipt, ReceiptEvent> = {
  initialState: { recorded: false },
  decide({ data }, { recorded }) {
    if (recorded) throw new DomainError('receipt-already-exists', 'This receipt has been recorded already.');
    return [{ type: 'receipt.recorded', data }];
  },
  evolve: () => ({ recorded: true }),
};
