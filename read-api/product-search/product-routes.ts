import { Router } from 'express';
import { z } from 'zod';
import { uuid } from '../../domain/core/ids.js';
import { toDecimal } from '../../domain/core/money.js';
import { type ProductDocument, productSearchModel } from '../../projections/product-search/document.js';
import { answer } from '../../runtime/http/app.js';
import { notFound } from '../../runtime/http/http-error.js';
import type { CheckpointWatcher } from '../checkpoint-watcher.js';
import { consistencyOf } from '../consistency.js';
import type { ProductQueries } from './product-queries.js';

const count = (most: number, least = 0) =>
  z
    .string()
    .regex(/^\d{1,6}$/)
    .transform(Number)
    .pipe(z.int().min(least).max(most));

/** Further in, a scan would cost more than it is worth: narrow the search instead. */
const furthestOffset = 10_000;

const listQuery = z.strictObject({
  search: z.string().trim().min(1).max(200).optional(),
  category: z.string().min(1).max(200).optional(),
  limit: count(100, 1).default(20),
  offset: count(furthestOffset).default(0),
});

/** A product as answers show it: prices are decimals beside their currency. */
function shown(product: ProductDocument) {
  const { min_price, currency } = product;
  return {
    product_id: product._id,
    shop_id: product.shop_id,
    name: product.name,
    description: product.description,
    category: product.category,
    images: product.images,
    variants: product.variants.map((variant) => ({ ...variant, price: toDecimal(variant.price, variant.currency) })),
    min_price: min_price === null || currency === null ? null : toDecimal(min_price, currency),
    currency,
    in_stock: product.in_stock,
    created_at: product.created_at,
  };
}

/** `GET /products` and `GET /products/:id`, for everybody: approved products only. */
export function productRoutes(deps: { readonly queries: ProductQueries; readonly watcher: CheckpointWatcher }): Router {
  const { queries, watcher } = deps;
  const router = Router();
  const consistent = consistencyOf(watcher, productSearchModel);

  router.get('/products', async (req, res) => {
    const query = listQuery.parse(req.query);
    await consistent(req, res);
    const { products, more } = await queries.list(query);
    answer(res, 200, {
      products: products.map(shown),
      next_offset: more && query.offset + query.limit <= furthestOffset ? query.offset + query.limit : null,
    });
  });

  router.get('/products/:id', async (req, res) => {
    z.strictObject({}).parse(req.query);
    const id = uuid.safeParse(req.params['id']);
    if (!id.success) throw notFound('product');
    await consistent(req, res);
    const product = await queries.find(id.data);
    if (product === undefined) throw notFound('product');
    answer(res, 200, shown(product));
  });

  return router;
}
