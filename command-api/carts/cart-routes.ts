import { type Response, Router } from 'express';
import { z } from 'zod';
import { type CartCommand, cartItems } from '../../domain/cart/cart.js';
import { DomainError } from '../../domain/core/domain-error.js';
import { largestLineQuantity, uuid } from '../../domain/core/ids.js';
import { toDecimal } from '../../domain/core/money.js';
import { answer, principalOf } from '../../runtime/http/app.js';
import { deriveId } from '../../runtime/ids.js';
import { cartAggregate } from '../aggregates.js';
import type { CommandDeps } from '../deps.js';
import type { CommandContext } from '../handle-command.js';
import { findForSale, priceItems } from '../orders/pricing.js';
import { contextOf, tellConsistency } from '../request-context.js';

const quantity = z.int().min(1).max(largestLineQuantity);

export const addItemBody = z.strictObject({
  /** A new cart is begun where it is absent. */
  cart_id: uuid.optional(),
  product_id: uuid,
  variant_id: uuid,
  quantity,
});
export const changeQuantityBody = z.strictObject({ cart_id: uuid, quantity });
export const removeItemBody = z.strictObject({ cart_id: uuid });
const itemParams = z.strictObject({ variant_id: uuid });

export function cartRoutes({ commands, hmacSecret, clock }: CommandDeps): Router {
  const router = Router();

  /** Sends a command to a cart and answers with what the cart holds then, at today's prices. */
  const change = async (res: Response, context: CommandContext, command: CartCommand): Promise<void> => {
    const { cart_id } = command.data;
    const accepted = await commands.handle(cartAggregate, cart_id, command, context);
    const { state } = await commands.load(cartAggregate, cart_id);
    const held = cartItems(state);
    const priced = held.length === 0 ? undefined : await priceItems(commands, held);
    tellConsistency(res, accepted);
    answer(res, 200, {
      cart_id,
      currency: priced?.currency ?? null,
      items: (priced?.items ?? []).map(({ product_id, variant_id, sku, title, quantity, price, amount }) => ({
        product_id,
        variant_id,
        sku,
        title,
        quantity,
        price: toDecimal(price, priced?.currency ?? ''),
        amount: toDecimal(amount, priced?.currency ?? ''),
      })),
      total: priced === undefined ? 0 : toDecimal(priced.total, priced.currency),
    });
  };

  router.post('/cart/items', async (req, res) => {
    const owner = `user:${principalOf(res).userId}`;
    const body = addItemBody.parse(req.body);
    const context = contextOf(req, res, 'POST /cart/items', hmacSecret);
    const sold = await findForSale(commands, body);
    const cart_id = body.cart_id ?? deriveId(context.commandId, 'cart');
    if (body.cart_id !== undefined) {
      const { revision } = await commands.load(cartAggregate, cart_id);
      if (revision < 0n) throw new DomainError('cart-not-found', 'There is no such cart.');
    }
    const { product_id } = sold;
    const data = { cart_id, owner, product_id, variant_id: body.variant_id, quantity: body.quantity };
    const creates = body.cart_id === undefined;
    const metadata = { now: clock().toISOString() };
    await change(res, { ...context, creates }, { type: 'AddItem', data, metadata });
  });

  router.patch('/cart/items/:variant_id', async (req, res) => {
    const owner = `user:${principalOf(res).userId}`;
    const { variant_id } = itemParams.parse(req.params);
    const { cart_id, quantity } = changeQuantityBody.parse(req.body);
    const context = contextOf(req, res, 'PATCH /cart/items', hmacSecret);
    const metadata = { now: clock().toISOString() };
    await change(res, context, { type: 'ChangeQuantity', data: { cart_id, owner, variant_id, quantity }, metadata });
  });

  router.delete('/cart/items/:variant_id', async (req, res) => {
    const owner = `user:${principalOf(res).userId}`;
    const { variant_id } = itemParams.parse(req.params);
    const { cart_id } = removeItemBody.parse(req.body ?? req.query);
    const context = contextOf(req, res, 'DELETE /cart/items', hmacSecret);
    const metadata = { now: clock().toISOString() };
    await change(res, context, { type: 'RemoveItem', data: { cart_id, owner, variant_id }, metadata });
  });

  return router;
}
