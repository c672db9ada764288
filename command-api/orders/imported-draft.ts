import { DomainError } from '../../domain/core/domain-error.js';
import { toMinorUnits } from '../../domain/core/money.js';
import { deriveId } from '../../runtime/ids.js';
import { userAggregate } from '../aggregates.js';
import type { CommandHandler } from '../handle-command.js';
import { type Priced, priceItems } from '../products/pricing.js';
import type { ImportedOrder } from './order-requests.js';
import type { OrderDraft } from './place-order.js';

/** @throws DomainError `user-not-found`, `user-erased` */
async function checkUser(commands: CommandHandler, userId: string): Promise<void> {
  let { state } = await commands.load(userAggregate, userId);
  if (state.status !== 'registered') ({ state } = await commands.load(userAggregate, userId, true));
  if (state.status === 'unknown') throw new DomainError('user-not-found', 'There is no such user.');
  if (state.status === 'erased') throw new DomainError('user-erased', 'This user has been erased.');
}

async function agreed(commands: CommandHandler, { items, currency, user_id }: ImportedOrder): Promise<Priced> {
  if (user_id !== null) await checkUser(commands, user_id);
  const priced = await priceItems(
    commands,
    items.map((item) => ({ ...item, price: toMinorUnits(item.price, currency) })),
  );
  if (priced.currency === currency) return priced;
  throw new DomainError('currency-mismatch', `These products are priced in ${priced.currency}.`, {
    currencies: [currency, priced.currency],
  });
}

/** The order's id comes of who imports and what they call it: the same invoice under another key meets the same order. */
export function importedDraft(commands: CommandHandler, body: ImportedOrder, importerId: string): OrderDraft {
  return {
    orderId: deriveId('imported-order', importerId, body.external_reference),
    userId: body.user_id,
    channel: body.channel,
    placedAt: new Date(body.placed_at),
    externalReference: body.external_reference,
    cartId: null,
    paymentMethod: body.payment_method,
    email: body.email,
    address: body.shipping_address,
    price: () => agreed(commands, body),
  };
}
