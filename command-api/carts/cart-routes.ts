import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { type CartCommand, type CartItem, cartItems } from '../../domain/cart/cart.js';
import { DomainError } from '../../domain/core/domain-error.js';
import { largestLineQuantity, uuid } from '../../domain/core/ids.js';
import { toDecimal } from '../../domain/core/money.js';
import { answer, principalOf } from '../../runtime/http/app.js';
import { deriveId } from '../../runtime/ids.js';
import { cartAggregate } from '../aggregates.js';
import type { CommandDeps } from '../deps.js';
import type { CommandContext } from '../handle-command.js';
import { findForSale, priceItems } from '../products/pricing.js';
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

/** Stays in the cart though it cannot be sold at the moment. */
const unsold = ['product-not-found', 'product-deleted', 'product-not-sold', 'variant-not-found', 'shop-suspended'];

export function cartRoutes({ commands, hmacSecret, clock }: CommandDeps): Router {
  const router = Router();

  /** Splits what a cart holds into what is sold today and what is not. */
  const sellable = async (items: readonly CartItem[]) => {
    const sold: CartItem[] = [];
    const rest: CartItem[] = [];
    for (const item of items) {
      try {
        await findForSale(commands, item);
        sold.push(item);
      } catch (error) {
        if (!(error instanceof DomainError && unsold.includes(error.code))) throw error;
        rest.push(item);
      }
    }
    return { sold, rest };
  };

  /** An Idempotency-Key counts within one cart: the cart is what the request is addressed to. */
  const contextFor = (req: Request, res: Response, route: string, cartId: string): CommandContext => {
    const context = contextOf(req, res, route, hmacSecret);
    const commandId = deriveId(context.commandId, 'cart', cartId);
    return { ...context, commandId, correlationId: commandId };
  };

  /** Sends a command to a cart and answers with what the cart holds then, at today's prices. */
  const change = async (res: Response, context: CommandContext, command: CartCommand): Promise<void> => {
    const { cart_id } = command.data;
    const accepted = await commands.handle(cartAggregate, cart_id, command, context);
    const { state } = await commands.load(cartAggregate, cart_id);
    const { sold, rest } = await sellable(cartItems(state));
    const priced = sold.length === 0 ? undefined : await priceItems(commands, sold);
    const currency = priced?.currency ?? null;
    const shown = (priced?.items ?? []).map(({ product_id, variant_id, sku, title, quantity, price, amount }) => ({
      product_id,
      variant_id,
      sku,
      title,
      quantity,
      price: toDecimal(price, currency ?? ''),
      amount: toDecimal(amount, currency ?? ''),
    }));
    tellConsistency(res, accepted);
    answer(res, 200, {
      cart_id,
      currency,
      items: shown,
      not_sold: rest,
      total: priced === undefined ? 0 : toDecimal(priced.total, priced.currency),
    });
  };

  router.post('/cart/items', async (req, res) => {
    const owner = `user:${principalOf(res).userId}`;
    const body = addItemBody.parse(req.body);
    const { product_id, variant_id } = body;
    const fresh = contextOf(req, res, 'POST /cart/items', hmacSecret);
    const cart_id = body.cart_id ?? deriveId(fresh.commandId, 'cart');
    const context = body.cart_id === undefined ? fresh : contextFor(req, res, 'POST /cart/items', cart_id);
    const before = await commands.answered(cartAggregate, cart_id, context, body.cart_id === undefined);
    if (before === undefined) {
      const { state, revision } = await commands.load(cartAggregate, cart_id);
      if (body.cart_id !== undefined && (revision < 0n || state.owner !== owner)) {
        throw new DomainError('cart-not-found', 'There is no such cart.');
      }
      const { sold } = await sellable(cartItems(state));
      await priceItems(commands, [...sold, body]);
    }
    const data = { cart_id, owner, product_id, variant_id, quantity: body.quantity };
    const metadata = { now: clock().toISOString() };
    const creates = body.cart_id === undefined;
    await change(res, { ...context, creates }, { type: 'AddItem', data, metadata });
  });

  router.patch('/cart/items/:variant_id', async (req, res) => {
    const owner = `user:${principalOf(res).userId}`;
    const { variant_id } = itemParams.parse(req.params);
    const { cart_id, quantity } = changeQuantityBody.parse(req.body);
    const context = contextFor(req, res, 'PATCH /cart/items', cart_id);
    const metadata = { now: clock().toISOString() };
    await change(res, context, { type: 'ChangeQuantity', data: { cart_id, owner, variant_id, quantity }, metadata });
  });

  router.delete('/cart/items/:variant_id', async (req, res) => {
    const owner = `user:${principalOf(res).userId}`;
    const { variant_id } = itemParams.parse(req.params);
    const { cart_id } = removeItemBody.parse(req.body ?? req.query);
    const context = contextFor(req, res, 'DELETE /cart/items', cart_id);
    const metadata = { now: clock().toISOString() };
    await change(res, context, { type: 'RemoveItem', data: { cart_id, owner, variant_id }, metadata });
  });

  return router;
}
