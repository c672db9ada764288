import { deriveId, newId } from '../../../runtime/ids.js';
import { answered, type Ending, failed, price, withCard } from './ending.js';
import type { Stage } from './stage.js';

interface Claim {
  readonly orderId: string;
  readonly id?: string;
  readonly type?: string;
  readonly amount?: number;
}

/** A webhook that says that an order was paid, an hour ago. */
function claim({ orderId, id = `evt_${newId()}`, type = 'payment_intent.succeeded', amount = 1999 }: Claim): object {
  const metadata = { order_id: orderId, payment_id: deriveId('payment', orderId) };
  const object = { id: `pi_forged_${newId()}`, amount, metadata };
  return { id, type, created: Math.floor(Date.now() / 1000) - 3600, data: { object } };
}

/** What a forger may try while an order waits for its money. */
async function forge(stage: Stage, orderId: string): Promise<readonly string[]> {
  await stage.until(orderId, 'payment.failed');
  const paid = claim({ orderId });
  return [
    ...answered('a signature by another key', await stage.tell(paid, { secret: 'whsec_somebody_else' }), 400),
    ...answered('a signature of ten minutes ago', await stage.tell(paid, { agedSeconds: 600 }), 400),
    ...answered('an unknown order', await stage.tell(claim({ orderId: newId() })), 200),
    ...answered('another amount', await stage.tell(claim({ orderId, amount: 1 })), 200),
  ];
}

/** News under an id that was used before: of the same order, and of another one. */
async function reuse(stage: Stage, orderId: string): Promise<readonly string[]> {
  await stage.until(orderId, 'payment.initiated');
  const otherId = await stage.order([await stage.piece(price, 1)], 'chargeDeclined');
  await stage.until(otherId, 'payment.failed');
  const id = `evt_${newId()}`;
  const declined = claim({ orderId, id, type: 'payment_intent.payment_failed' });
  const first = await stage.tell(declined);
  await stage.until(orderId, 'payment.failed');
  const again = await stage.tell(declined);
  const other = await stage.tell(claim({ orderId, id }));
  const ofAnother = await stage.tell(claim({ orderId: otherId, id }));
  const end = await stage.until(otherId, 'fulfilment.ended');
  return [
    ...answered('news', first, 200),
    ...answered('the same news again', again, 200),
    ...answered('other news under its id', other, 200),
    ...answered('news of another order under its id', ofAnother, 200),
    ...(end.data['outcome'] === 'failed' ? [] : [`the other order ended ${String(end.data['outcome'])}`]),
  ];
}

/** Webhooks that must not change anything. */
export const forgeries: readonly Ending[] = [
  { name: 'forged webhooks', expected: failed('generic_decline'), play: withCard('chargeDeclined', forge) },
  { name: 'webhook under a used id', expected: failed('card_declined'), play: withCard('processing', reuse) },
];
