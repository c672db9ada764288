import { Router } from 'express';
import { z } from 'zod';
import { uuid } from '../../domain/core/ids.js';
import { currencyCode, toDecimal, toMinorUnits } from '../../domain/core/money.js';
import { answer, requireRole } from '../../runtime/http/app.js';
import { deriveId } from '../../runtime/ids.js';
import { productAggregate } from '../aggregates.js';
import type { CommandDeps } from '../deps.js';
import { contextOf, tellConsistency } from '../request-context.js';
import { checkActsForShop } from '../shops/own-shop.js';

export const createProductBody = z.strictObject({
  shop_id: uuid,
  name: z.string().trim().min(1).max(300),
  description: z.string().trim().max(10_000).default(''),
  category: z.string().trim().max(200).default(''),
  images: z
    .array(z.url({ protocol: /^https?$/ }).max(2_000))
    .max(50)
    .default([]),
  currency: currencyCode,
  variants: z
    .array(
      z.strictObject({
        sku: z.string().trim().min(1).max(100),
        title: z.string().trim().max(300).default(''),
        /** A decimal amount of the currency, such as 29.99. */
        price: z.union([z.number().nonnegative(), z.string().max(20)]),
      }),
    )
    .min(1)
    .max(250),
});

export function productRoutes({ commands, hmacSecret, clock }: CommandDeps): Router {
  const router = Router();
  router.post('/products', async (req, res) => {
    const caller = requireRole(res, 'seller', 'admin', 'importer');
    const { shop_id, name, description, category, images, currency, variants } = createProductBody.parse(req.body);
    const context = contextOf(req, res, 'POST /products', hmacSecret);
    const product_id = deriveId(context.commandId, 'product');
    const priced = variants.map(({ sku, title, price }) => ({
      variant_id: deriveId(context.commandId, 'variant', sku),
      sku,
      title,
      price: toMinorUnits(price, currency),
      currency,
    }));
    await checkActsForShop(commands, shop_id, caller);
    const approves = caller.roles.includes('admin') || caller.roles.includes('importer');
    const data = { product_id, shop_id, name, description, category, images, variants: priced };
    const accepted = await commands.handle(
      productAggregate,
      product_id,
      {
        type: 'CreateProduct',
        data: approves ? { ...data, approved_by: caller.userId } : data,
        metadata: { now: clock().toISOString() },
      },
      { ...context, creates: true },
    );
    tellConsistency(res, accepted);
    answer(res, 201, {
      product_id,
      shop_id,
      name,
      status: accepted.events.some(({ type }) => type === 'product.approved') ? 'approved' : 'pending',
      variants: priced.map((variant) => ({ ...variant, price: toDecimal(variant.price, currency) })),
    });
  });
  return router;
}
