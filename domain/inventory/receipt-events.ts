import { z } from 'zod';
import { defineEvent, type EventOf } from '../core/event-codec.js';
import { positiveQuantity, uuid } from '../core/ids.js';

// STORED CONTRACT. A changed shape needs a new version, an upcaster and a golden file; a changed meaning a new type.

export const receiptLine = z.strictObject({
  line: z.int().min(1),
  variant_id: uuid,
  product_id: uuid,
  shop_id: uuid,
  sku: z.string().min(1).max(100),
  quantity: positiveQuantity,
});
export type ReceiptLine = z.output<typeof receiptLine>;

export const receiptDefinitions = [
  defineEvent({
    type: 'receipt.recorded',
    data: z.strictObject({
      receipt_id: uuid,
      /** The shop's main warehouse where it is null. */
      warehouse_id: uuid.nullable(),
      by: z.string(),
      lines: z.array(receiptLine).min(1).max(1_000),
    }),
  }),
  /** Every line stands in the stream of its variant. */
  defineEvent({ type: 'receipt.booked', data: z.strictObject({ receipt_id: uuid, lines: z.int().min(1) }) }),
] as const;

export type ReceiptEvent = EventOf<typeof receiptDefinitions>;
/**
 * The document behind stock that came in: recorded before any of its lines is booked, so that a repeat books the rest,
 * and marked when all are, so that a later one has nothing to look up.
 */
export const receiptStream = (receiptId: string) => `receipt-${receiptId}`;
