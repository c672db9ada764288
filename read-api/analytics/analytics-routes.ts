import { Router } from 'express';
import { z } from 'zod';
import { countryCode } from '../../domain/core/ids.js';
import { currencyCode, toDecimal } from '../../domain/core/money.js';
import { productSalesModel, salesModel } from '../../projections/analytics/document.js';
import { answer, requireRole } from '../../runtime/http/app.js';
import { HttpError } from '../../runtime/http/http-error.js';
import type { CheckpointWatcher } from '../checkpoint-watcher.js';
import { consistencyOf } from '../consistency.js';
import { type AnalyticsQueries, type SalesDimension, type SalesRow, salesDimensions } from './analytics-queries.js';

const longestRangeDays = 3_660;
const mostRows = 10_000;
const dayMs = 86_400_000;

const range = {
  from: z.iso.date(),
  to: z.iso.date(),
  country: countryCode.optional(),
  channel: z.enum(['web', 'import']).optional(),
  currency: currencyCode.optional(),
};

function checkRange({ from, to }: { from: string; to: string }, context: z.RefinementCtx): void {
  const days = (Date.parse(to) - Date.parse(from)) / dayMs + 1;
  if (days >= 1 && days <= longestRangeDays) return;
  context.addIssue({ code: 'custom', path: ['to'], message: `must be within ${longestRangeDays} days after from` });
}

const groupBy = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(salesDimensions)))
  .refine((keys) => new Set(keys).size === keys.length, 'names a key twice')
  .refine((keys) => !(keys.includes('day') && keys.includes('month')), 'takes day or month, not both');

const salesQuery = z
  .strictObject({ ...range, group_by: groupBy.default(['day'] satisfies SalesDimension[]) })
  .superRefine(checkRange);

const productsQuery = z
  .strictObject({
    ...range,
    sort: z.enum(['units', 'revenue']).default('units'),
    limit: z
      .string()
      .regex(/^\d{1,4}$/)
      .transform(Number)
      .pipe(z.int().min(1).max(1_000))
      .default(20),
  })
  .superRefine(checkRange)
  .refine(({ sort, currency }) => sort === 'units' || currency !== undefined, {
    path: ['currency'],
    message: 'must be given to compare revenue',
  });

// The gateway's table says the same; who reaches this service some other way is held to it too.
const readers = ['admin', 'auditor', 'importer'];

/** Sums may be wider than amounts: beyond fifteen digits the nearest number is shown. */
const shownSum = (sum: bigint, currency: string) => toDecimal(Number(sum), currency);

function shown({ key, placed, confirmed, failed, cancelled, units, revenue, captured, refunded }: SalesRow) {
  return {
    ...key,
    orders: { placed, confirmed, failed, cancelled },
    units,
    revenue: shownSum(revenue, key.currency),
    captured: shownSum(captured, key.currency),
    refunded: shownSum(refunded, key.currency),
  };
}

/** `GET /analytics/sales` and `GET /analytics/products`: sums over UTC days of `placed_at`, never across currencies. */
export function analyticsRoutes(deps: {
  readonly queries: AnalyticsQueries;
  readonly watcher: CheckpointWatcher;
}): Router {
  const { queries, watcher } = deps;
  const router = Router();
  const salesConsistent = consistencyOf(watcher, salesModel);
  const productsConsistent = consistencyOf(watcher, productSalesModel);

  router.get('/analytics/sales', async (req, res) => {
    requireRole(res, ...readers);
    const { group_by, ...asked } = salesQuery.parse(req.query);
    await salesConsistent(req, res);
    const { rows, more } = await queries.sales(asked, group_by, mostRows);
    if (more) {
      throw new HttpError(422, 'too-many-rows', `That is over ${mostRows} rows: narrow the range or group by less.`);
    }
    answer(res, 200, { from: asked.from, to: asked.to, group_by, rows: rows.map(shown) });
  });

  router.get('/analytics/products', async (req, res) => {
    requireRole(res, ...readers);
    const { sort, limit, ...asked } = productsQuery.parse(req.query);
    await productsConsistent(req, res);
    const products = await queries.topProducts(asked, sort, limit);
    answer(res, 200, {
      from: asked.from,
      to: asked.to,
      sort,
      products: products.map((row) => ({ ...row, revenue: shownSum(row.revenue, row.currency) })),
    });
  });

  return router;
}
