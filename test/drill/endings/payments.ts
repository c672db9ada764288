import { answered, confirmed, type Ending, failed, price, refunded, stock, withCard } from './ending.js';

/** What may become of a payment, with and without the customer trying again. */
export const payments: readonly Ending[] = [
  { name: 'paid', expected: confirmed, play: withCard('visa') },
  {
    name: 'nothing to pay',
    expected: { ...confirmed, captures: 0, attempts: 0 },
    play: withCard('visa', undefined, 0),
  },
  {
    name: 'stock refused',
    expected: { ...failed('insufficient_stock'), attempts: 0 },
    async play(stage) {
      const pieces = [await stage.piece(price, stock), await stage.piece(price, 0)];
      return { orderId: await stage.order(pieces, 'visa'), pieces, received: [stock, 0] };
    },
  },
  {
    name: 'declined for good',
    expected: failed('stolen_card'),
    play: withCard('chargeDeclinedStolenCard', async (stage, orderId) => {
      await stage.until(orderId, 'order.failed');
      return answered('a payment of a failed order', (await stage.pay(orderId, 'visa')).status, 409);
    }),
  },
  {
    name: 'declined, then paid with another card',
    expected: { ...confirmed, attempts: 2 },
    play: withCard('chargeDeclinedInsufficientFunds', async (stage, orderId) => {
      await stage.until(orderId, 'payment.failed');
      return answered('the second payment', (await stage.pay(orderId, 'mastercard')).status, 202);
    }),
  },
  {
    name: 'declined, then declined for good',
    expected: { ...failed('lost_card'), attempts: 2 },
    play: withCard('chargeDeclined', async (stage, orderId) => {
      await stage.until(orderId, 'payment.failed');
      return answered('the second payment', (await stage.pay(orderId, 'chargeDeclinedLostCard')).status, 202);
    }),
  },
  { name: 'declined, and no retry in time', expected: failed('generic_decline'), play: withCard('chargeDeclined') },
  { name: 'silence until the deadline', expected: failed('payment_timeout'), play: withCard('neverAnswers') },
  { name: 'in process until the deadline', expected: failed('payment_timeout'), play: withCard('processing') },
  {
    name: 'silence, then the money',
    expected: { ...failed('payment_timeout'), ...refunded },
    play: withCard('silentSuccess_12s'),
  },
  { name: 'in process, then the money in time', expected: confirmed, play: withCard('lateSuccess_1s') },
  {
    name: 'in process, then the money too late',
    expected: { ...failed('payment_timeout'), ...refunded },
    play: withCard('lateSuccess_9s'),
  },
  {
    name: 'in process, then declined, then paid',
    expected: { ...confirmed, attempts: 2 },
    play: withCard('lateDecline_1s', async (stage, orderId) => {
      await stage.until(orderId, 'payment.failed');
      return answered('the second payment', (await stage.pay(orderId, 'visa')).status, 202);
    }),
  },
  {
    name: 'declined, then the money all the same',
    expected: { ...failed('generic_decline'), ...refunded },
    play: withCard('declinedThenSuccess_1s'),
  },
  {
    name: 'declined, paid with another card, then the first pays too',
    expected: { ...confirmed, attempts: 2, captures: 2, refunds: 1 },
    play: withCard('declinedThenSuccess_2s', async (stage, orderId) => {
      await stage.until(orderId, 'payment.failed');
      return answered('the second payment', (await stage.pay(orderId, 'visa')).status, 202);
    }),
  },
  { name: 'answer lost after the capture', expected: confirmed, play: withCard('answerLost') },
  { name: 'every answer lost, the webhook tells', expected: confirmed, play: withCard('answerAlwaysLost') },
  { name: 'answer after the webhook', expected: confirmed, play: withCard('answerAfterWebhook') },
  { name: 'answer late', expected: confirmed, play: withCard('answerLate_1s') },
  { name: 'webhook twice', expected: confirmed, play: withCard('webhookTwice') },
  { name: 'webhook late', expected: confirmed, play: withCard('webhookLate_2s') },
  { name: 'webhook never', expected: confirmed, play: withCard('webhookNever') },
  { name: 'webhooks out of order', expected: confirmed, play: withCard('webhookFailedAfterSucceeded') },
];
