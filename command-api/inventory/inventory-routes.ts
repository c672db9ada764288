import { Router } from 'express';
import { z } from 'zod';
import { DomainError } from '../../domain/core/domain-error.js';
import { uuid } from '../../domain/core/ids.js';
import type { ProductState } from '../../domain/product/product.js';
import { answer, requireRole } from '../../runtime/http/app.js';
import { deriveId } from '../../runtime/ids.js';
import { inParallel } from '../../runtime/in-parallel.js';
import { inventoryAggregate, productAggregate } from '../aggregates.js';
import type { CommandDeps } from '../deps.js';
import { contextOf, tellConsistency } from '../request-context.js';
import { checkActsForShop } from '../shops/own-shop.js';

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

  /** Every line is a command of its own under the receipt's id, so that a repeat finishes what a fault cut short. */
  router.post('/inventory/receipts', async (req, res) => {
    const caller = requireRole(res, 'seller', 'admin', 'importer');
    const body = receiptBody.parse(req.body);
    const context = contextOf(req, res, 'POST /inventory/receipts', hmacSecret);
    const lines = await Promise.all(
      body.lines.map(async ({ product_id, variant_id, quantity }) => {
        const cached = await commands.load(productAggregate, product_id);
        const { state } = cached.revision < 0n ? await commands.load(productAggregate, product_id, true) : cached;
        return { item: stockItem(state, variant_id), quantity };
      }),
    );
    for (const shopId of new Set(lines.map(({ item }) => item.shop_id))) {
      await checkActsForShop(commands, shopId, caller);
    }
    const metadata = { now: clock().toISOString() };
    let last = { position: 0n, revision: 0n };
    await inParallel([...lines.entries()], 64, async ([i, { item, quantity }]) => {
      const warehouse_id = body.warehouse_id ?? deriveId('warehouse', item.shop_id);
      const command = { type: 'ReceiveStock' as const, data: { ...item, warehouse_id, quantity }, metadata };
      const commandId = deriveId(context.commandId, 'line', i);
      const accepted = await commands.handle(inventoryAggregate, item.variant_id, command, { ...context, commandId });
      if (accepted.position > last.position) last = accepted;
    });
    tellConsistency(res, last);
    answer(res, 201, {
      receipt_id: context.commandId,
      lines: lines.map(({ item, quantity }) => ({ variant_id: item.variant_id, sku: item.sku, quantity })),
    });
  });
  return router;
}
