import { Router } from 'express';
import { z } from 'zod';
import { countryCode } from '../../domain/core/ids.js';
import { answer, requireRole } from '../../runtime/http/app.js';
import { deriveId } from '../../runtime/ids.js';
import { shopAggregate } from '../aggregates.js';
import type { CommandDeps } from '../deps.js';
import { contextOf, tellConsistency } from '../request-context.js';

export const openShopBody = z.strictObject({ name: z.string().trim().min(1).max(200), country: countryCode });

export function shopRoutes({ commands, hmacSecret, clock }: CommandDeps): Router {
  const router = Router();
  router.post('/shops', async (req, res) => {
    const { userId } = requireRole(res, 'seller', 'admin', 'importer');
    const { name, country } = openShopBody.parse(req.body);
    const context = contextOf(req, res, 'POST /shops', hmacSecret);
    const shop_id = deriveId(context.commandId, 'shop');
    const data = { shop_id, owner_id: userId, name, country };
    const command = { type: 'OpenShop' as const, data, metadata: { now: clock().toISOString() } };
    const accepted = await commands.handle(shopAggregate, shop_id, command, { ...context, creates: true });
    tellConsistency(res, accepted);
    answer(res, 201, { shop_id, name, country });
  });
  return router;
}
