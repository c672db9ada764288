import { Router } from 'express';
import { z } from 'zod';
import { DomainError } from '../../domain/core/domain-error.js';
import { uuid } from '../../domain/core/ids.js';
import type { ReceiptEvent, ReceiptLine } from '../../domain/inventory/receipt-events.js';
import type { ProductState } from '../../domain/product/product.js';
import { answer, requireRole } from '../../runtime/http/app.js';
import type { Principal } from '../../runtime/http/internal-token.js';
import { deriveId } from '../../runtime/ids.js';
import { inParallel } from '../../runtime/in-parallel.js';
import { inventoryAggregate, productAggregate, receiptAggregate } from '../aggregates.js';
import type { CommandDeps } from '../deps.js';
import type { Accepted, CommandContext } from '../handle-command.js';
import { contextOf, tellConsistency } from '../request-context.js';
import { checkActsForShop } from '../shops/own-shop.js';

type Recorded = Extract<ReceiptEvent, { type: 'receipt.recorded' }>['data'];

const lanes = 64;

export const receiptBody = z.strictObject({
  /** The shop's main warehouse where it is absent. */
  warehouse_id: uuid.optional(),
  lines: z
    .array(z.strictObject({ product_id: uuid, variant_id: uuid, quantity: z.int().min(1).max(1_000_000) }))
    .min(1)
    .max(1_000),
});

function stockItem(product: ProductState, variantId: string) {
  if (product.status === 'unknown') throw new DomainError('product-not-found', 'There is no such product.');
  if (product.status === 'deleted') throw new DomainError('product-deleted', 'This product has been deleted.');
  const variant = product.variants.find(({ variant_id }) => variant_id === variantId);
  if (variant === undefined) throw new DomainError('variant-not-found', 'The product has no such variant.');
  const { product_id, shop_id } = product;
  return { variant_id: variantId, product_id, shop_id, sku: variant.sku };
}

export function inventoryRoutes({ commands, hmacSecret, clock }: CommandDeps): Router {
  const router = Router();

  /** The lines as they will be booked. @throws DomainError, HttpError for a product or a shop that is not theirs to stock */
  const checkedLines = async (body: z.output<typeof receiptBody>, caller: Principal): Promise<ReceiptLine[]> => {
    const lines: ReceiptLine[] = [];
    await inParallel([...body.lines.entries()], lanes, async ([i, { product_id, variant_id, quantity }]) => {
      const { state } = await commands.load(productAggregate, product_id);
      lines[i] = { line: i + 1, ...stockItem(state, variant_id), quantity };
    });
    for (const shopId of new Set(lines.map(({ shop_id }) => shop_id))) await checkActsForShop(commands, shopId, caller);
    return lines;
  };

  /** Books every line that is not booked yet. @returns where the receipt's stream and the log stand after it */
  const book = async (receipt: Recorded, recorded: Accepted, context: CommandContext) => {
    const metadata = { now: clock().toISOString() };
    const because = { ...context, causationId: recorded.eventIds[0] };
    // Most variants that come in are new to this process: an append that finds them new is cheaper than a read.
    await inParallel(receipt.lines, lanes, async ({ line, quantity, ...item }) => {
      const warehouse_id = receipt.warehouse_id ?? deriveId('warehouse', item.shop_id);
      const command = { type: 'ReceiveStock' as const, data: { ...item, warehouse_id, quantity }, metadata };
      const commandId = deriveId(context.commandId, 'line', line);
      await commands.handle(inventoryAggregate, item.variant_id, command, { ...because, commandId, creates: true });
    });
    const { receipt_id } = receipt;
    const command = { type: 'CompleteReceipt' as const, data: { receipt_id }, metadata };
    const commandId = deriveId(context.commandId, 'booked');
    return commands.handle(receiptAggregate, receipt_id, command, { ...because, commandId });
  };

  /**
   * The receipt is recorded first, whole: the same key with other lines is refused, and a repeat books what a fault had
   * cut short, from the lines as they were recorded. Once all are booked, a repeat looks no line up.
   */
  router.post('/inventory/receipts', async (req, res) => {
    const caller = requireRole(res, 'seller', 'admin', 'importer');
    const body = receiptBody.parse(req.body);
    const context = contextOf(req, res, 'POST /inventory/receipts', hmacSecret);
    const receipt_id = deriveId(context.commandId, 'receipt');
    const record = async () => {
      const lines = await checkedLines(body, caller);
      const data = { receipt_id, warehouse_id: body.warehouse_id ?? null, by: caller.userId, lines };
      const command = { type: 'RecordReceipt' as const, data, metadata: { now: clock().toISOString() } };
      return commands.handle(receiptAggregate, receipt_id, command, { ...context, creates: true });
    };
    const keyed = context.requestHash !== undefined;
    const before = keyed ? await commands.answered(receiptAggregate, receipt_id, context) : undefined;
    const recorded = before ?? (await record());
    const [first] = recorded.events;
    if (first?.type !== 'receipt.recorded')
      throw new Error(`receipt ${receipt_id} was accepted without being recorded`);
    const { state, ...stands } = await commands.load(receiptAggregate, receipt_id);
    const booked = state.status === 'booked' ? stands : await book(first.data, recorded, context);
    tellConsistency(res, { ...booked, repeated: recorded.repeated });
    answer(res, 201, {
      receipt_id,
      lines: first.data.lines.map(({ variant_id, sku, quantity }) => ({ variant_id, sku, quantity })),
    });
  });
  return router;
}
