import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { uuid } from '../../domain/core/ids.js';
import {
  type InventoryDocument,
  inventoryModel,
  type ReservationDocument,
  reservationStatuses,
  reservationsModel,
} from '../../projections/inventory/document.js';
import { shopsModel } from '../../projections/shops/document.js';
import { answer, requireRole } from '../../runtime/http/app.js';
import { forbidden, notFound } from '../../runtime/http/http-error.js';
import type { Principal } from '../../runtime/http/internal-token.js';
import type { CheckpointWatcher } from '../checkpoint-watcher.js';
import { type AwaitConsistency, consistencyOf } from '../consistency.js';
import { cursor, cursorText, pageLimit } from '../paging.js';
import { type InventoryQueries, inventorySorts, orderOf } from './inventory-queries.js';

const listQuery = z
  .strictObject({
    shop_id: uuid.optional(),
    product_id: uuid.optional(),
    sku: z.string().min(1).max(100).optional(),
    low_stock: z.literal('true').optional(),
    sort: z.enum(inventorySorts).default('sku'),
    cursor: cursor(z.union([z.string().max(100), z.int()]), uuid).optional(),
    limit: pageLimit,
  })
  .refine(
    ({ sort, shop_id, low_stock }) => orderOf(sort).field === 'sku' || shop_id !== undefined || low_stock !== undefined,
    {
      path: ['sort'],
      message: 'by what is available is of a shop, or of what runs low',
    },
  )
  .refine(({ sort, cursor: after }) => after === undefined || typeof after.value === valueTypes[orderOf(sort).field], {
    path: ['cursor'],
    message: 'must be from a page of the same sort',
  });
const valueTypes = { sku: 'string', available: 'number' };

const reservationsQuery = z.strictObject({
  status: z.enum(reservationStatuses).default('open'),
  cursor: cursor(z.iso.datetime(), uuid).optional(),
  limit: pageLimit,
});

const staff = ['admin', 'importer', 'auditor'];
const seesAll = ({ roles }: Principal) => staff.some((role) => roles.includes(role));

function shownStock({ _id, position: _, ...stock }: InventoryDocument) {
  return { variant_id: _id, ...stock };
}

function shownReservation({ _id, position: _, ...reservation }: ReservationDocument) {
  return { reservation_id: _id, ...reservation };
}

/** Stock and its reservations: sellers see their own shops', admin, importer and auditor all. */
export function inventoryRoutes(deps: {
  readonly queries: InventoryQueries;
  readonly watcher: CheckpointWatcher;
}): Router {
  const { queries, watcher } = deps;
  const router = Router();
  const stockConsistent = consistencyOf(watcher, inventoryModel, shopsModel);
  const reservationsConsistent = consistencyOf(watcher, inventoryModel, shopsModel, reservationsModel);

  /** @throws HttpError 404, as if it were not there, where it is another's */
  const stockOf = async (req: Request, res: Response, principal: Principal, consistent: AwaitConsistency) => {
    const id = uuid.safeParse(req.params['variant_id']);
    if (!id.success) throw notFound('variant');
    await consistent(req, res);
    const stock = await queries.find(id.data);
    if (stock === undefined) throw notFound('variant');
    if (!seesAll(principal) && !(await queries.owns(principal.userId, stock.shop_id))) throw notFound('variant');
    return stock;
  };

  router.get('/inventory', async (req, res) => {
    const principal = requireRole(res, 'seller', ...staff);
    const { shop_id, product_id, sku, low_stock, sort, cursor: after, limit } = listQuery.parse(req.query);
    // A seller names the shop: a list across shops is for those who see all.
    if (!seesAll(principal) && shop_id === undefined) throw forbidden();
    await stockConsistent(req, res);
    if (!seesAll(principal) && shop_id !== undefined && !(await queries.owns(principal.userId, shop_id))) {
      throw forbidden();
    }
    const lowOnly = low_stock !== undefined;
    const asked = { shopId: shop_id, productId: product_id, sku, lowOnly, sort, after, limit };
    const { stock, more } = await queries.list(asked);
    const last = stock.at(-1);
    answer(res, 200, {
      inventory: stock.map(shownStock),
      next_cursor: more && last !== undefined ? cursorText({ value: last[orderOf(sort).field], id: last._id }) : null,
    });
  });

  router.get('/inventory/:variant_id', async (req, res) => {
    const principal = requireRole(res, 'seller', ...staff);
    z.strictObject({}).parse(req.query);
    answer(res, 200, shownStock(await stockOf(req, res, principal, stockConsistent)));
  });

  router.get('/inventory/:variant_id/reservations', async (req, res) => {
    const principal = requireRole(res, 'seller', ...staff);
    const { status, cursor: after, limit } = reservationsQuery.parse(req.query);
    const stock = await stockOf(req, res, principal, reservationsConsistent);
    const { reservations, more } = await queries.reservations({ variantId: stock._id, status, after, limit });
    const last = reservations.at(-1);
    answer(res, 200, {
      reservations: reservations.map(shownReservation),
      next_cursor: more && last !== undefined ? cursorText({ value: last.reserved_at, id: last._id }) : null,
    });
  });

  return router;
}
