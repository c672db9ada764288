import { Router } from 'express';
import { type CartState, cartItems } from '../../domain/cart/cart.js';
import { DomainError } from '../../domain/core/domain-error.js';
import { toDecimal } from '../../domain/core/money.js';
import { answer, principalOf, requireRole } from '../../runtime/http/app.js';
import { canonicalJson, deriveId } from '../../runtime/ids.js';
import { cartAggregate } from '../aggregates.js';
import type { CommandDeps } from '../deps.js';
import type { CommandContext } from '../handle-command.js';
import { priceItems } from '../products/pricing.js';
import { contextOf, tellConsistency } from '../request-context.js';
import { importedDraft } from './imported-draft.js';
import { importedOrder, type PlacedOrder, parseOrder } from './order-requests.js';
import { type OrderDraft, orderPlacer } from './place-order.js';

export function orderRoutes(deps: CommandDeps): Router {
  const { commands, hmacSecret, clock } = deps;
  const placeOrder = orderPlacer(deps);
  const router = Router();

  const owned = async (cartId: string, owner: string): Promise<CartState> => {
    const { state } = await commands.load(cartAggregate, cartId, true);
    if (state.owner !== owner) throw new DomainError('cart-not-found', 'There is no such cart.');
    return state;
  };

  /** Makes the cart this order's and no other's. @returns what it held then */
  const claimCart = async (cart_id: string, owner: string, order_id: string, context: CommandContext) => {
    const command = {
      type: 'CheckOutCart' as const,
      data: { cart_id, owner, order_id },
      metadata: { now: clock().toISOString() },
    };
    const checkOut = { ...context, commandId: deriveId(context.commandId, 'cart'), correlationId: order_id };
    await commands.handle(cartAggregate, cart_id, command, checkOut);
    return cartItems(await owned(cart_id, owner));
  };

  /** What is ordered, at today's prices. A cart is claimed only once nothing speaks against selling what it holds. */
  const pricedOrder = async (body: PlacedOrder, owner: string, orderId: string, context: CommandContext) => {
    if ('items' in body) return priceItems(commands, body.items);
    const cart = await owned(body.cart_id, owner);
    if (cart.order_id !== null && cart.order_id !== orderId) {
      throw new DomainError('cart-checked-out', 'This cart has become an order.');
    }
    if (cart.items.length === 0) throw new DomainError('cart-empty', 'The cart is empty.');
    const priced = await priceItems(commands, cart.items);
    const held = await claimCart(body.cart_id, owner, orderId, context);
    return canonicalJson(held) === canonicalJson(cartItems(cart)) ? priced : priceItems(commands, held);
  };

  const placedDraft = (body: PlacedOrder, userId: string, context: CommandContext): OrderDraft => {
    const orderId = deriveId(context.commandId, 'order');
    return {
      orderId,
      userId,
      channel: 'web',
      placedAt: clock(),
      externalReference: null,
      cartId: 'cart_id' in body ? body.cart_id : null,
      paymentMethod: body.payment_method,
      email: body.email,
      address: body.shipping_address,
      price: () => pricedOrder(body, `user:${userId}`, orderId, context),
    };
  };

  router.post('/orders', async (req, res) => {
    const { userId } = principalOf(res);
    const imports = typeof req.body === 'object' && req.body !== null && 'channel' in req.body;
    if (imports) requireRole(res, 'importer');
    const body = imports ? importedOrder.parse(req.body) : parseOrder(req.body);
    const context = contextOf(req, res, 'POST /orders', hmacSecret);
    const draft = 'channel' in body ? importedDraft(commands, body, userId) : placedDraft(body, userId, context);
    const { created, accepted } = await placeOrder(draft, context);
    const { order_id, order_number, total, currency } = created;
    tellConsistency(res, accepted);
    const url = `/api/v1/orders/${order_id}`;
    res.setHeader('Location', url);
    answer(res, 202, {
      order_id,
      order_number,
      status: 'pending',
      total: toDecimal(total, currency),
      currency,
      status_url: url,
    });
  });

  return router;
}
