import { Router } from 'express';
import { z } from 'zod';
import { cartItems } from '../../domain/cart/cart.js';
import { DomainError } from '../../domain/core/domain-error.js';
import { countryCode, largestLineQuantity, uuid } from '../../domain/core/ids.js';
import { toDecimal } from '../../domain/core/money.js';
import { mostOrderLines } from '../../domain/order/order.js';
import { answer, principalOf } from '../../runtime/http/app.js';
import { deriveId } from '../../runtime/ids.js';
import { cartAggregate, orderAggregate } from '../aggregates.js';
import { email, emailHmacOf } from '../auth/email.js';
import type { CommandDeps } from '../deps.js';
import { contextOf, tellConsistency } from '../request-context.js';
import { createOrderNumbers } from './order-numbers.js';
import { priceItems, type WantedItem } from './pricing.js';

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

function parseOrder(body: unknown) {
  const fromCart = typeof body === 'object' && body !== null && 'cart_id' in body;
  return fromCart ? orderFromCart.parse(body) : orderFromItems.parse(body);
}

export function orderRoutes(deps: CommandDeps): Router {
  const { commands, personalData, hmacSecret, clock } = deps;
  const nextNumber = createOrderNumbers(commands);
  const router = Router();

  /** The cart's items, as long as it is this customer's and has not become another order. */
  const itemsOfCart = async (cartId: string, owner: string, orderId: string): Promise<WantedItem[]> => {
    const { state } = await commands.load(cartAggregate, cartId, true);
    if (state.owner !== owner) throw new DomainError('cart-not-found', 'There is no such cart.');
    if (state.order_id !== null && state.order_id !== orderId) {
      throw new DomainError('cart-checked-out', 'This cart has become an order.');
    }
    const items = cartItems(state);
    if (items.length === 0) throw new DomainError('cart-empty', 'The cart is empty.');
    return items;
  };

  router.post('/orders', async (req, res) => {
    const { userId } = principalOf(res);
    const body = parseOrder(req.body);
    const context = contextOf(req, res, 'POST /orders', hmacSecret);
    const orderId = deriveId(context.commandId, 'order');
    const owner = `user:${userId}`;
    const cartId = 'cart_id' in body ? body.cart_id : null;
    const wanted = 'items' in body ? body.items : await itemsOfCart(body.cart_id, owner, orderId);
    const { items, currency, shopIds, total } = await priceItems(commands, wanted);

    const { country, ...place } = body.shipping_address;
    const sealed = await personalData.seal(owner, { ...place, email: body.email });
    const now = clock();
    const order_number = await nextNumber(now);
    const accepted = await commands.handle(
      orderAggregate,
      orderId,
      {
        type: 'PlaceOrder',
        metadata: { now: now.toISOString() },
        data: {
          order_id: orderId,
          order_number,
          user_id: userId,
          shop_ids: shopIds,
          country,
          currency,
          placed_at: now.toISOString(),
          channel: 'web',
          cart_id: cartId,
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
        },
      },
      { ...context, correlationId: orderId, creates: true },
    );
    if (cartId !== null) {
      const command = {
        type: 'CheckOutCart' as const,
        data: { cart_id: cartId, owner, order_id: orderId },
        metadata: { now: now.toISOString() },
      };
      const checkOut = { ...context, commandId: deriveId(context.commandId, 'cart'), correlationId: orderId };
      await commands.handle(cartAggregate, cartId, command, checkOut);
    }
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
