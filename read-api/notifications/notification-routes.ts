import { Router } from 'express';
import { z } from 'zod';
import { toDecimal } from '../../domain/core/money.js';
import {
  type NotificationDocument,
  notificationKinds,
  notificationsModel,
} from '../../projections/notifications/document.js';
import { answer, principalOf } from '../../runtime/http/app.js';
import type { CheckpointWatcher } from '../checkpoint-watcher.js';
import { consistencyOf } from '../consistency.js';
import { cursor, cursorText, pageLimit } from '../paging.js';
import type { NotificationQueries } from './notification-queries.js';

const notificationId = z.string().regex(/^[0-9a-f-]{36}:[a-z_]{1,40}$/);

const listQuery = z.strictObject({
  kind: z.enum(notificationKinds).optional(),
  cursor: cursor(z.iso.datetime(), notificationId).optional(),
  limit: pageLimit,
});

/** An entry as answers show it: its amount is a decimal beside its currency. */
function shown({ _id, kind, order_id, order_number, at, times, amount, currency, reason }: NotificationDocument) {
  const money = amount === null ? { amount: null, currency: null } : { amount: toDecimal(amount, currency), currency };
  return { notification_id: _id, kind, order_id, order_number, at, times, ...money, reason };
}

/** `GET /notifications`: the caller's own inbox, latest first. */
export function notificationRoutes(deps: {
  readonly queries: NotificationQueries;
  readonly watcher: CheckpointWatcher;
}): Router {
  const { queries, watcher } = deps;
  const router = Router();
  const consistent = consistencyOf(watcher, notificationsModel);

  router.get('/notifications', async (req, res) => {
    const { userId } = principalOf(res);
    const { kind, cursor: after, limit } = listQuery.parse(req.query);
    await consistent(req, res);
    const { notifications, more } = await queries.list({ userId, kind, after, limit });
    const last = notifications.at(-1);
    res.setHeader('Cache-Control', 'no-store');
    answer(res, 200, {
      notifications: notifications.map(shown),
      next_cursor: more && last !== undefined ? cursorText({ value: last.at, id: last._id }) : null,
    });
  });

  return router;
}
