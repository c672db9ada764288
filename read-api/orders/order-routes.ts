import { Router } from 'express';
import { z } from 'zod';
import { uuid } from '../../domain/core/ids.js';
import type { Personal } from '../../domain/core/personal.js';
import { type OrderDocument, orderStatuses, ordersModel } from '../../projections/orders/document.js';
import { answer, principalOf } from '../../runtime/http/app.js';
import { forbidden, notFound } from '../../runtime/http/http-error.js';
import type { Principal } from '../../runtime/http/internal-token.js';
import type { CheckpointWatcher } from '../checkpoint-watcher.js';
import { consistencyOf } from '../consistency.js';
import { cursor, cursorText, pageLimit } from '../paging.js';
import { detailOf, type OpenedFields, summaryOf } from './order-answers.js';
import type { OrderQueries, OrderScope } from './order-queries.js';

/** Opens personal fields; undefined where the key is gone: erased for ever. */
export type OpenPersonal = (personal: Personal) => Promise<OpenedFields | undefined>;

export interface OrderRoutesDeps {
  readonly queries: OrderQueries;
  readonly watcher: CheckpointWatcher;
  readonly openPersonal: OpenPersonal;
}

const listQuery = z.strictObject({
  limit: pageLimit,
  cursor: cursor(z.iso.datetime(), uuid).optional(),
  status: z.enum(orderStatuses).optional(),
  user_id: uuid.optional(),
});

const seesAll = (principal: Principal) =>
  ['admin', 'support', 'auditor'].some((role) => principal.roles.includes(role));

/** @throws HttpError 403 when somebody asks for another's orders */
function scopeOf(principal: Principal, userId: string | undefined): OrderScope {
  if (seesAll(principal)) return userId === undefined ? 'everybody' : { userId };
  if (userId !== undefined && userId !== principal.userId) throw forbidden();
  return { userId: principal.userId };
}

/** Whose order a caller may open by its id: an importer what was imported, too. */
function openScopeOf(principal: Principal): OrderScope {
  if (seesAll(principal)) return 'everybody';
  return { userId: principal.userId, imported: principal.roles.includes('importer') };
}

async function contactFor(principal: Principal, order: OrderDocument, openPersonal: OpenPersonal) {
  if (order.user_id !== principal.userId) return undefined;
  const { personal } = order;
  if (personal === null) return { opened: undefined };
  return { opened: await openPersonal(personal) };
}

/** `GET /orders` and `GET /orders/:id`: a customer's own; admin, support and auditor see all, without personal fields. */
export function orderRoutes({ queries, watcher, openPersonal }: OrderRoutesDeps): Router {
  const router = Router();
  const consistent = consistencyOf(watcher, ordersModel);

  router.get('/orders', async (req, res) => {
    const principal = principalOf(res);
    const query = listQuery.parse(req.query);
    const scope = scopeOf(principal, query.user_id);
    await consistent(req, res);
    const { orders, more } = await queries.list({
      scope,
      status: query.status,
      after: query.cursor,
      limit: query.limit,
    });
    const last = orders.at(-1);
    answer(res, 200, {
      orders: orders.map(summaryOf),
      next_cursor: more && last !== undefined ? cursorText({ value: last.placed_at, id: last._id }) : null,
    });
  });

  router.get('/orders/:id', async (req, res) => {
    const principal = principalOf(res);
    z.strictObject({}).parse(req.query);
    const id = uuid.safeParse(req.params['id']);
    if (!id.success) throw notFound('order');
    await consistent(req, res);
    const order = await queries.find(id.data, openScopeOf(principal));
    if (order === undefined) throw notFound('order');
    res.setHeader('Cache-Control', 'no-store');
    answer(res, 200, detailOf(order, await contactFor(principal, order, openPersonal)));
  });

  return router;
}
