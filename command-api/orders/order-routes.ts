import { Router } from 'express';
import { z } from 'zod';
import { type CartState, cartItems } from '../../domain/cart/cart.js';
import { DomainError } from '../../domain/core/domain-error.js';
import { countryCode, largestLineQuantity, uuid } from '../../domain/core/ids.js';
import { toDecimal } from '../../domain/core/money.js';
import { mostOrderLines } from '../../domain/order/order.js';
import { answer, principalOf } from '../../runtime/http/app.js';
import { canonicalJson, deriveId } from '../../runtime/ids.js';
import { cartAggregate, orderAggregate } from '../aggregates.js';
import { email, emailHmacOf } from '../auth/email.js';
import type { CommandDeps } from '../deps.js';
import type { CommandContext } from '../handle-command.js';
import { priceItems } from '../products/pricing.js';
import { contextOf, tellConsistency } from '../request-context.js';
import { createOrderNumbers } from './order-numbers.js';

const line = z.strictObject({
  product_id: uuid,
  variant_id: uuid,
  quantity: z.int().min(1).max(largestLineQuantity),
});

const address = z.strictObject({
  name: z.string().trim().min(1).max(200).optional(),
  address_line1: z.string().trim().min(1).max(300),
  address_line2: z.string().trim().max(300).optional(),
  city: z.string().trim().min(1).max(200),
  state: z.string().trim().max(100).optional(),
  postal_code: z.string().trim().min(1).max(20),
  country: countryCode,
});

const common = {
  payment_method: z.string().trim().min(1).max(200),
  shipping_address: address,
  email: email.optional(),
};

/** Either a cart or lines; prices, totals and times are the server's, so there is no key for them. */
export const orderFromCart = z.strictObject({ cart_id: uuid, ...common });
export const orderFromItems = z.strictObject({ items: z.array(line).min(1).max(mostOrderLines), ...common });

type OrderBody = z.output<typeof orderFromCart> | z.output<typeof orderFromItems>;

function parseOrder(body: unknown): OrderBody {
  const fromCart = typeof body === 'object' && body !== null && 'cart_id' in body;
  return fromCart ? orderFromCart.parse(body) : orderFromItems.parse(body);
}

export function orderRoutes(deps: CommandDeps): Router {
  const { commands, personalData, hmacSecret, clock } = deps;
  const nextNumber = createOrderNumbers(commands);
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
  const pricedOrder = async (body: OrderBody, owner: string, orderId: string, context: CommandContext) => {
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

  const place = async (body: OrderBody, userId: string, orderId: string, context: CommandContext) => {
    const before = await commands.answered(orderAggregate, orderId, context, true);
    if (before !== undefined) return before;
    const owner = `user:${userId}`;
    const { items, currency, shopIds, total } = await pricedOrder(body, owner, orderId, context);
    const { country, ...place } = body.shipping_address;
    const sealed = await personalData.seal(owner, { ...place, email: body.email });
    const now = clock();
    const data = {
      order_id: orderId,
      order_number: await nextNumber(now),
      user_id: userId,
      shop_ids: shopIds,
      country,
      currency,
      placed_at: now.toISOString(),
      channel: 'web' as const,
      cart_id: 'cart_id' in body ? body.cart_id : null,
      payment_method: body.payment_method,
      email_hmac: body.email === undefined ? null : emailHmacOf(hmacSecret, body.email),
      external_reference: null,
      items,
      item_total: total,
      discount: 0,
      shipping: 0,
      tax: 0,
      total,
      personal: sealed,
    };
    const command = { type: 'PlaceOrder' as const, data, metadata: { now: now.toISOString() } };
    return commands.handle(orderAggregate, orderId, command, { ...context, correlationId: orderId, creates: true });
  };

  router.post('/orders', async (req, res) => {
    const { userId } = principalOf(res);
    const body = parseOrder(req.body);
    const context = contextOf(req, res, 'POST /orders', hmacSecret);
    const orderId = deriveId(context.commandId, 'order');
    const accepted = await place(body, userId, orderId, context).catch(async (error: unknown) => {
      // What was accepted once is answered as it was then, whatever has become of products and prices since.
      const before =
        error instanceof DomainError ? await commands.answered(orderAggregate, orderId, context) : undefined;
      if (before === undefined) throw error;
      return before;
    });
    const created = accepted.events[0];
    if (created?.type !== 'order.created') throw new Error(`order ${orderId} was accepted without being created`);
    tellConsistency(res, accepted);
    const url = `/api/v1/orders/${orderId}`;
    res.setHeader('Location', url);
    answer(res, 202, {
      order_id: orderId,
      order_number: created.data.order_number,
      status: 'pending',
      total: toDecimal(created.data.total, created.data.currency),
      currency: created.data.currency,
      status_url: url,
    });
  });

  return router;
}
