import { answered, cancelled, confirmed, type Ending, type Expected, refunded, withCard } from './ending.js';

/** The customer cancels while the provider is asked; it has taken the money and says so two seconds later. */
const whileCharging = (price?: number): Ending['play'] =>
  withCard(
    'answerLate_2s',
    async (stage, orderId) => {
      await stage.until(orderId, 'payment.initiated');
      return answered('the cancel', (await stage.cancel(orderId)).status, 200);
    },
    price,
  );

const givenBack: Expected = { ...cancelled, ...refunded };

/** Cancels at every step, and every way in which a refund may go. */
export const cancellations: readonly Ending[] = [
  { name: 'cancelled while charging', expected: givenBack, play: whileCharging() },
  {
    name: 'cancelled while the provider is silent',
    expected: cancelled,
    play: withCard('neverAnswers', async (stage, orderId) => {
      await stage.until(orderId, 'payment.initiated');
      return answered('the cancel', (await stage.cancel(orderId)).status, 200);
    }),
  },
  {
    name: 'cancelled while waiting for a retry',
    expected: cancelled,
    play: withCard('chargeDeclined', async (stage, orderId) => {
      await stage.until(orderId, 'payment.failed');
      const first = await stage.cancel(orderId);
      const late = await stage.pay(orderId, 'visa');
      return [...answered('the cancel', first.status, 200), ...answered('a payment after it', late.status, 409)];
    }),
  },
  {
    name: 'cancel refused after it was paid',
    expected: confirmed,
    play: withCard('visa', async (stage, orderId) => {
      await stage.until(orderId, 'order.paid');
      return answered('the cancel', (await stage.cancel(orderId)).status, 409);
    }),
  },
  { name: 'webhook of the refund before that of the capture', expected: givenBack, play: whileCharging(999_065) },
  { name: 'refund refused once', expected: givenBack, play: whileCharging(999_067) },
  { name: 'answer to the refund lost', expected: givenBack, play: whileCharging(999_068) },
  {
    name: 'refund refused for good: the money is owed',
    expected: { ...cancelled, captures: 1 },
    play: whileCharging(999_066),
  },
];
