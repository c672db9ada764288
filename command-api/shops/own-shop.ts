import { DomainError } from '../../domain/core/domain-error.js';
import { forbidden } from '../../runtime/http/http-error.js';
import type { Principal } from '../../runtime/http/internal-token.js';
import { shopAggregate } from '../aggregates.js';
import type { CommandHandler } from '../handle-command.js';

/**
 * Makes sure that a shop is there and that the caller may act for it: its owner, an admin or an importer.
 *
 * @throws DomainError `shop-not-found`; HttpError 403
 */
export async function checkActsForShop(commands: CommandHandler, shopId: string, caller: Principal): Promise<void> {
  const { state } = await commands.load(shopAggregate, shopId);
  if (state.status === 'unknown') throw new DomainError('shop-not-found', 'There is no such shop.');
  const staff = caller.roles.includes('admin') || caller.roles.includes('importer');
  if (!staff && state.owner_id !== caller.userId) throw forbidden();
}
