import { type AnyEvent, idFor, orderOf, productOf } from './spec-histories.js';

// Whole stories for the specifications of this folder; nothing else imports them.

/** A two-line order as it goes when all is well. */
export function confirmedOrder(name: string): AnyEvent[] {
  const order = orderOf(name);
  return [
    order.created(),
    order.stockReserved(0),
    order.stockReserved(1),
    order.paymentInitiated(),
    order.started(),
    order.paymentSucceeded(),
    order.paid(),
    order.confirmed(),
    order.ended(),
  ];
}

/** An order whose card is declined. */
export function declinedOrder(name: string): AnyEvent[] {
  const order = orderOf(name);
  return [
    order.created(),
    order.stockReserved(0),
    order.paymentInitiated(),
    order.started(),
    order.paymentFailed(),
    order.stepTaken('release'),
    order.failed(),
    order.ended('failed'),
  ];
}

/** An order that is cancelled, and whose payment comes all the same: it goes back. */
export function cancelledOrder(name: string): AnyEvent[] {
  const order = orderOf(name);
  return [
    order.created(),
    order.stockReserved(0),
    order.paymentInitiated(),
    order.started(),
    order.cancelled(),
    order.paymentSucceeded(),
    order.refundRequested(),
    order.paymentRefunded(),
    order.ended('cancelled'),
  ];
}

export function soldProduct(name: string, line = 0): AnyEvent[] {
  const product = productOf(name, line);
  return [product.received(10), product.created(), product.approved(), product.priceChanged(475), product.received(20)];
}

export function openedShop(name: string): AnyEvent[] {
  const shop_id = idFor('shop', name);
  return [
    { type: 'shop.created', data: { shop_id, owner_id: idFor('user', name), name: 'Harbour Goods', country: 'GB' } },
    { type: 'shop.verified', data: { shop_id, by: 'admin' } },
    { type: 'shop.suspended', data: { shop_id, by: 'admin', reason: 'unpaid' } },
  ];
}
