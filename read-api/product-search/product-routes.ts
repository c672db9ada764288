import { Router } from 'express';
import { z } from 'zod';
import { uuid } from '../../domain/core/ids.js';
import { currencyCode, toDecimal, toMinorUnits } from '../../domain/core/money.js';
import { type ProductDocument, productSearchModel } from '../../projections/product-search/document.js';
import { answer } from '../../runtime/http/app.js';
import { notFound } from '../../runtime/http/http-error.js';
import type { CheckpointWatcher } from '../checkpoint-watcher.js';
import { consistencyOf } from '../consistency.js';
import { pageLimit } from '../paging.js';
import { cursorAt, cursorText, productCursor, productSorts } from './product-cursor.js';
import type { ProductListQuery, ProductQueries, ProductSummary } from './product-queries.js';

const amount = z.string().regex(/^\d{1,13}(\.\d{1,3})?$/, 'must be an amount such as 29.99');
const mostVariants = 10;

const listQuery = z
  .strictObject({
    search: z.string().trim().min(1).max(200).optional(),
    category: z.string().min(1).max(200).optional(),
    shop_id: uuid.optional(),
    currency: currencyCode.optional(),
    min_price: amount.optional(),
    max_price: amount.optional(),
    in_stock: z.enum(['true', 'false']).optional(),
    sort: z.enum(productSorts).optional(),
    facets: z.enum(['true', 'false']).default('false'),
    limit: pageLimit,
    cursor: productCursor.optional(),
  })
  .superRefine((query, context) => {
    const wrong = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    const byPrice = query.sort === 'price_asc' || query.sort === 'price_desc';
    if (query.currency === undefined && (byPrice || query.min_price !== undefined || query.max_price !== undefined)) {
      wrong('currency', 'is needed wherever prices are compared');
    }
    if (query.sort === 'relevance' && query.search === undefined) wrong('sort', 'relevance needs a search');
    if (query.cursor !== undefined && query.cursor.sort !== sortOf(query)) {
      wrong('cursor', 'belongs to a list in another order');
    }
  });

const sortOf = ({ sort, search }: { sort?: ProductListQuery['sort'] | undefined; search?: string | undefined }) =>
  sort ?? (search === undefined ? 'newest' : 'relevance');

/** @throws DomainError where an amount has more decimals than its currency */
function asked(query: z.output<typeof listQuery>): ProductListQuery {
  const { search, category, shop_id, currency, min_price, max_price, in_stock, facets, limit, cursor } = query;
  const minor = (text: string | undefined) =>
    text === undefined || currency === undefined ? undefined : toMinorUnits(text, currency);
  return {
    filter: {
      search,
      category,
      shopId: shop_id,
      currency,
      minPrice: minor(min_price),
      maxPrice: minor(max_price),
      inStock: in_stock === undefined ? undefined : in_stock === 'true',
    },
    sort: sortOf(query),
    after: cursor,
    limit,
    facets: facets === 'true',
  };
}

type Shown = Pick<ProductDocument, 'variants' | 'stocked'>;

const shownVariants = ({ variants, stocked }: Shown, most = variants.length) =>
  variants.slice(0, most).map((variant) => ({
    ...variant,
    price: toDecimal(variant.price, variant.currency),
    in_stock: stocked.includes(variant.variant_id),
  }));

/** A product as lists show it: without its description, with one image and a few of its variants. */
function shortForm(product: ProductSummary) {
  const { min_price, currency } = product;
  return {
    product_id: product._id,
    shop_id: product.shop_id,
    name: product.name,
    category: product.category,
    image: product.images[0] ?? null,
    variants: shownVariants(product, mostVariants),
    variant_count: product.variants.length,
    min_price: min_price === null || currency === null ? null : toDecimal(min_price, currency),
    currency,
    in_stock: product.in_stock,
    created_at: product.created_at,
  };
}

/** A product in full: prices are decimals beside their currency. */
function longForm(product: ProductDocument) {
  const { image: _image, variant_count: _count, ...short } = shortForm(product);
  return { ...short, variants: shownVariants(product), description: product.description, images: product.images };
}

/** `GET /products` and `GET /products/:id`, for everybody: approved products only. */
export function productRoutes(deps: { readonly queries: ProductQueries; readonly watcher: CheckpointWatcher }): Router {
  const { queries, watcher } = deps;
  const router = Router();
  const consistent = consistencyOf(watcher, productSearchModel);

  router.get('/products', async (req, res) => {
    const query = asked(listQuery.parse(req.query));
    await consistent(req, res);
    const { products, more, guessed, facets } = await queries.list(query);
    const last = products.at(-1);
    answer(res, 200, {
      products: products.map(shortForm),
      next_cursor: more && last !== undefined ? cursorText(cursorAt(query.sort, last)) : null,
      ...(guessed === null ? {} : { searched_instead: guessed }),
      ...(facets === null ? {} : { facets }),
    });
  });

  router.get('/products/:id', async (req, res) => {
    z.strictObject({}).parse(req.query);
    const id = uuid.safeParse(req.params['id']);
    if (!id.success) throw notFound('product');
    await consistent(req, res);
    const product = await queries.find(id.data);
    if (product === undefined) throw notFound('product');
    answer(res, 200, longForm(product));
  });

  return router;
}
