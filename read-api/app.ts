import type { ErrorRequestHandler, Express } from 'express';
import type { Db } from 'mongodb';
import { openCheckpoints } from '../runtime/document-store/checkpoints.js';
import { isOutage } from '../runtime/document-store/outage.js';
import { buildApp } from '../runtime/http/app.js';
import { unavailable } from '../runtime/http/http-error.js';
import type { Logger } from '../runtime/logger.js';
import { PersonalDataError } from '../runtime/personal-data/personal-data-error.js';
import { analyticsQueries } from './analytics/analytics-queries.js';
import { analyticsRoutes } from './analytics/analytics-routes.js';
import { watchCheckpoints } from './checkpoint-watcher.js';
import { inventoryQueries } from './inventory/inventory-queries.js';
import { inventoryRoutes } from './inventory/inventory-routes.js';
import { notificationQueries } from './notifications/notification-queries.js';
import { notificationRoutes } from './notifications/notification-routes.js';
import { orderQueries } from './orders/order-queries.js';
import { type OpenPersonal, orderRoutes } from './orders/order-routes.js';
import { productQueries } from './product-search/product-queries.js';
import { productRoutes } from './product-search/product-routes.js';

export interface ReadAppDeps {
  readonly db: Db;
  /** For `/health`. */
  readonly ping: () => Promise<boolean>;
  /** 64 hexadecimal digits, shared with the gateway. */
  readonly internalSecret: string;
  readonly openPersonal: OpenPersonal;
  readonly log: Logger;
}

const asUnavailable: ErrorRequestHandler = (error: unknown, _req, _res, next) => {
  const outage = isOutage(error) || (error instanceof PersonalDataError && error.code === 'data-keys-unavailable');
  next(outage ? unavailable('The read models cannot be reached at the moment.') : error);
};

/** The read side: queries over read models, nothing is written. It does not listen. */
export function buildReadApp(deps: ReadAppDeps): Express {
  const { db, ping, internalSecret, openPersonal, log } = deps;
  const watcher = watchCheckpoints(openCheckpoints(db), log);
  return buildApp({ service: 'read-api', log, internalSecret, checks: { 'document-store': ping } }, (app) => {
    app.use(orderRoutes({ queries: orderQueries(db), watcher, openPersonal }));
    app.use(productRoutes({ queries: productQueries(db), watcher }));
    app.use(inventoryRoutes({ queries: inventoryQueries(db), watcher }));
    app.use(notificationRoutes({ queries: notificationQueries(db), watcher }));
    app.use(analyticsRoutes({ queries: analyticsQueries(db), watcher }));
    app.use(asUnavailable);
  });
}
