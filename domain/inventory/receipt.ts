import type { Command, Decider } from '../core/decider.js';
import { DomainError } from '../core/domain-error.js';
import type { ReceiptEvent } from './receipt-events.js';

type Recorded = Extract<ReceiptEvent, { type: 'receipt.recorded' }>['data'];

export type RecordReceipt = Command<'RecordReceipt', Recorded>;
/** Every line has been booked. */
export type CompleteReceipt = Command<'CompleteReceipt', { readonly receipt_id: string }>;
export type ReceiptCommand = RecordReceipt | CompleteReceipt;

export interface ReceiptState {
  readonly status: 'unknown' | 'recorded' | 'booked';
  /** How many it has. */
  readonly lines: number;
}

/** A receipt is recorded once, whole, and booked once. */
export const receiptDecider: Decider<ReceiptState, ReceiptCommand, ReceiptEvent> = {
  initialState: { status: 'unknown', lines: 0 },
  decide(command, { status, lines }) {
    if (command.type === 'RecordReceipt') {
      if (status === 'unknown') return [{ type: 'receipt.recorded', data: command.data }];
      throw new DomainError('receipt-already-exists', 'This receipt has been recorded already.');
    }
    if (status === 'unknown') throw new DomainError('receipt-not-found', 'There is no such receipt.');
    if (status === 'booked') return [];
    return [{ type: 'receipt.booked', data: { receipt_id: command.data.receipt_id, lines } }];
  },
  evolve(state, event) {
    if (event.type === 'receipt.booked') return { ...state, status: 'booked' };
    return { status: 'recorded', lines: event.data.lines.length };
  },
};
