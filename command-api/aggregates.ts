import { cartDecider } from '../domain/cart/cart.js';
import { cartStream } from '../domain/cart/cart-events.js';
import { fulfilmentDecider } from '../domain/fulfilment/fulfilment.js';
import { fulfilmentStream } from '../domain/fulfilment/fulfilment-events.js';
import { inventoryDecider } from '../domain/inventory/inventory.js';
import { type InventoryEvent, inventoryStream } from '../domain/inventory/inventory-events.js';
import { receiptDecider } from '../domain/inventory/receipt.js';
import { receiptStream } from '../domain/inventory/receipt-events.js';
import { type OrderState, orderDecider } from '../domain/order/order.js';
import { orderStream } from '../domain/order/order-events.js';
import { orderNumberDecider } from '../domain/order/order-number.js';
import { orderNumberStream } from '../domain/order/order-number-events.js';
import { paymentDecider } from '../domain/payment/payment.js';
import { paymentStream } from '../domain/payment/payment-events.js';
import { webhookClaimDecider } from '../domain/payment/webhook-claim.js';
import { webhookClaimStream } from '../domain/payment/webhook-claim-events.js';
import { productDecider } from '../domain/product/product.js';
import { productStream } from '../domain/product/product-events.js';
import { shopDecider } from '../domain/shop/shop.js';
import { shopStream } from '../domain/shop/shop-events.js';
import { userDecider } from '../domain/user/user.js';
import { userStream } from '../domain/user/user-events.js';

export const userAggregate = { stream: userStream, decider: userDecider };
export const shopAggregate = { stream: shopStream, decider: shopDecider };
export const productAggregate = { stream: productStream, decider: productDecider };
export const cartAggregate = { stream: cartStream, decider: cartDecider };
export const receiptAggregate = { stream: receiptStream, decider: receiptDecider };
export const orderAggregate = {
  stream: orderStream,
  decider: orderDecider,
  parts: ({ items }: OrderState) => items.length,
};
export const paymentAggregate = { stream: paymentStream, decider: paymentDecider };
export const webhookClaimAggregate = { stream: webhookClaimStream, decider: webhookClaimDecider };
export const fulfilmentAggregate = { stream: fulfilmentStream, decider: fulfilmentDecider };

/** An event of a reservation belongs to its order's flow, whoever brought it about. */
export const inventoryAggregate = {
  stream: inventoryStream,
  decider: inventoryDecider,
  correlationOf: (event: InventoryEvent) => ('order_id' in event.data ? event.data.order_id : undefined),
};

export const orderNumberAggregate = {
  stream: (year: string) => orderNumberStream(Number(year)),
  decider: orderNumberDecider,
};
