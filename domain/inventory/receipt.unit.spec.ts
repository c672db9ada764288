import { given } from '../core/specification.js';
import { type CompleteReceipt, type RecordReceipt, receiptDecider } from './receipt.js';
import type { ReceiptEvent } from './receipt-events.js';

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const line = { line: 1, variant_id: id(2), product_id: id(3), shop_id: id(4), sku: 'LAN-1', quantity: 12 };
const data = { receipt_id: id(1), warehouse_id: null, by: id(9), lines: [line] };
const record: RecordReceipt = { type: 'RecordReceipt', data, metadata: { now: '2026-11-20T10:00:00.000Z' } };

const complete: CompleteReceipt = {
  type: 'CompleteReceipt',
  data: { receipt_id: id(1) },
  metadata: { now: '2026-11-20T10:00:01.000Z' },
};
const recorded: ReceiptEvent = { type: 'receipt.recorded', data };
const booked: ReceiptEvent = { type: 'receipt.booked', data: { receipt_id: id(1), lines: 1 } };

describe('a receipt', () => {
  it('is recorded whole', () => {
    given(receiptDecider).when(record).then({ type: 'receipt.recorded', data });
  });
  it('is recorded once', () => {
    given(receiptDecider, recorded).when(record).thenRefused('receipt-already-exists');
    given(receiptDecider, recorded, booked).when(record).thenRefused('receipt-already-exists');
  });
  it('is booked once, after it was recorded', () => {
    given(receiptDecider).when(complete).thenRefused('receipt-not-found');
    given(receiptDecider, recorded).when(complete).then(booked);
    given(receiptDecider, recorded, booked).when(complete).thenNothing();
  });
});
