import { given } from '../core/specification.js';
import { type RecordReceipt, receiptDecider } from './receipt.js';

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const line = { line: 1, variant_id: id(2), product_id: id(3), shop_id: id(4), sku: 'LAN-1', quantity: 12 };
const data = { receipt_id: id(1), warehouse_id: null, by: id(9), lines: [line] };
const record: RecordReceipt = { type: 'RecordReceipt', data, metadata: { now: '2026-11-20T10:00:00.000Z' } };

describe('a receipt', () => {
  it('is recorded whole', () => {
    given(receiptDecider).when(record).then({ type: 'receipt.recorded', data });
  });
  it('is recorded once', () => {
    given(receiptDecider, { type: 'receipt.recorded', data }).when(record).thenRefused('receipt-already-exists');
  });
});
