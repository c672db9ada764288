import type { Express } from 'express';
import { buildApp } from '../runtime/http/app.js';
import { authRoutes } from './auth/auth-routes.js';
import type { TokenSigner } from './auth/token-signer.js';
import { cartRoutes } from './carts/cart-routes.js';
import type { CommandDeps } from './deps.js';
import { inventoryRoutes } from './inventory/inventory-routes.js';
import { orderChangesRoutes } from './orders/order-changes-routes.js';
import { orderRoutes } from './orders/order-routes.js';
import { webhookRoutes } from './payments/webhook-routes.js';
import { productRoutes } from './products/product-routes.js';
import { shopRoutes } from './shops/shop-routes.js';
import { userRoutes } from './users/user-routes.js';

export interface CommandAppDeps extends CommandDeps {
  readonly signer: TokenSigner;
  readonly internalSecret: string;
  readonly webhookSecret: string;
  readonly webhookGraceMs?: number;
  /** Whether the document store with the data keys answers. */
  readonly ping: () => Promise<boolean>;
}

/** The write side's HTTP face; it does not listen. */
export function buildCommandApp(deps: CommandAppDeps): Express {
  const { log, internalSecret, eventLog, ping } = deps;
  return buildApp(
    {
      service: 'command-api',
      log,
      internalSecret,
      checks: { eventStore: async () => (await eventLog.head()) >= 0n, documentStore: ping },
      rawRoutes: webhookRoutes(deps),
    },
    (app) => {
      app.use(authRoutes(deps));
      app.use(userRoutes(deps));
      app.use(shopRoutes(deps));
      app.use(productRoutes(deps));
      app.use(inventoryRoutes(deps));
      app.use(cartRoutes(deps));
      app.use(orderRoutes(deps));
      app.use(orderChangesRoutes(deps));
    },
  );
}
