import { deriveId, newId } from '../../../runtime/ids.js';
import { answered, type Ending, failed, withCard } from './ending.js';
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

/** News under an id that was used for other news before. */
async function reuse(stage: Stage, orderId: string): Promise<readonly string[]> {
  await stage.until(orderId, 'payment.failed');
  const other = await stage.piece(1, 1);
  const otherId = await stage.order([other], 'processing');
  await stage.until(otherId, 'payment.initiated');
  const id = `evt_${newId()}`;
  const type = 'payment_intent.payment_failed';
  const first = await stage.tell(claim({ orderId: otherId, id, type, amount: 100 }));
  await stage.until(otherId, 'payment.failed');
  return [
    ...answered('the first use of an id', first, 200),
    ...answered('the second use of an id', await stage.tell(claim({ orderId, id })), 200),
  ];
}

/** Webhooks that must not change anything. */
export const forgeries: readonly Ending[] = [
  { name: 'forged webhooks', expected: failed('generic_decline'), play: withCard('chargeDeclined', forge) },
  { name: 'webhook under a used id', expected: failed('generic_decline'), play: withCard('chargeDeclined', reuse) },
];
