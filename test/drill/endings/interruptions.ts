import {
  answered,
  cancelled,
  confirmed,
  type Ending,
  failed,
  type Played,
  price,
  refunded,
  stock,
  withCard,
} from './ending.js';
import type { Piece, Stage } from './stage.js';

const manager = 'process-manager';

/** Stops the process manager for the time of `during`. */
async function whilePaused<T>(stage: Stage, during: () => Promise<T>): Promise<T> {
  stage.switches.pause(manager);
  try {
    return await during();
  } finally {
    stage.switches.resume(manager);
  }
}

/**
 * An order of two pieces whose reservations lapse while the process manager is stopped in the middle of charging.
 *
 * @param meanwhile what happens to the second piece once they have
 */
function lapsing(meanwhile: (stage: Stage, second: Piece) => Promise<Partial<Played>>): Ending['play'] {
  return async (stage) => {
    const pieces = [await stage.piece(price, stock), await stage.piece(price, 1)];
    const [, second] = pieces as [Piece, Piece];
    // The answer comes a second after the process manager goes on, and a second before it would give up waiting for it.
    const orderId = await stage.order(pieces, 'answerLate_5s');
    await stage.until(orderId, 'payment.initiated');
    const more = await whilePaused(stage, async () => {
      await stage.past(await lastExpiry(stage, pieces));
      return meanwhile(stage, second);
    });
    // The order's own again, or the other one's.
    await stage.untilStock(second, 'inventory.reserved', 2);
    return { orderId, pieces, received: [stock, 1], ...more };
  };
}

/** Until when the pieces are held: the reservation's end, or what it was extended to for the payment. */
async function lastExpiry(stage: Stage, pieces: readonly Piece[]): Promise<string> {
  let last = new Date().toISOString();
  for (const { variant_id } of pieces) {
    for await (const { data } of stage.options.eventLog.readStream(`inventory-${variant_id}`, 0n)) {
      const until = data['expires_at'];
      if (typeof until === 'string' && Date.parse(until) > Date.parse(last)) last = until;
    }
  }
  return last;
}

/** What happens while a process is stopped or killed. One after the other: they share the processes. */
export const interruptions: readonly Ending[] = [
  {
    name: 'cancelled before the payment',
    expected: { ...cancelled, attempts: 0 },
    play: async (stage) => {
      const piece = await stage.piece(price, stock);
      const { orderId, status } = await whilePaused(stage, async () => {
        const id = await stage.order([piece], 'visa');
        return { orderId: id, status: (await stage.cancel(id)).status };
      });
      return { orderId, pieces: [piece], received: [stock], faults: answered('the cancel', status, 200) };
    },
  },
  {
    name: 'reservation lapsed before the payment, and taken anew',
    expected: confirmed,
    play: async (stage) => {
      const pieces: Piece[] = [];
      for (let n = 0; n < 12; n += 1) pieces.push(await stage.piece(price, 1));
      const [first] = pieces as [Piece];
      const orderId = await stage.order(pieces, 'visa');
      await stage.untilStock(first, 'inventory.reserved');
      await whilePaused(stage, async () => {
        await stage.past(await lastExpiry(stage, [first]));
        await stage.receive(first, 1);
      });
      await stage.untilStock(first, 'inventory.reserved', 2);
      return { orderId, pieces, received: [2, ...pieces.slice(1).map(() => 1)] };
    },
  },
  {
    name: 'reservation lapsed at confirm, and taken anew',
    expected: confirmed,
    play: lapsing(async (stage, second) => {
      await stage.receive(second, 1);
      return { received: [stock, 2] };
    }),
  },
  {
    name: 'reservation lapsed at confirm, and sold to another',
    expected: { ...failed('reservation_lapsed'), ...refunded },
    play: lapsing(async (stage, second) => {
      await stage.order([second], 'visa');
      return { soldElsewhere: 1 };
    }),
  },
  {
    name: 'process manager killed while charging',
    expected: confirmed,
    play: withCard('answerLate_2s', async (stage, orderId) => {
      await stage.until(orderId, 'payment.initiated');
      await stage.switches.kill(manager);
      return [];
    }),
  },
  {
    name: 'process manager killed while waiting for a retry',
    expected: failed('generic_decline'),
    play: withCard('chargeDeclined', async (stage, orderId) => {
      await stage.until(orderId, 'payment.failed');
      await stage.switches.kill(manager);
      return [];
    }),
  },
  {
    name: 'process manager stopped until the deadline is over',
    expected: failed('generic_decline'),
    play: withCard('chargeDeclined', async (stage, orderId) => {
      const begun = await stage.until(orderId, 'payment.initiated');
      await stage.until(orderId, 'payment.failed');
      return whilePaused(stage, async () => {
        await stage.past(begun.data['deadline']);
        return answered('a payment after the deadline', (await stage.pay(orderId, 'visa')).status, 409);
      });
    }),
  },
  {
    name: 'provider killed while a charge is open',
    expected: { ...failed('payment_timeout'), ...refunded },
    play: withCard('lateSuccess_9s', async (stage, orderId) => {
      await stage.until(orderId, 'payment.initiated');
      await stage.switches.kill('payment-provider');
      return [];
    }),
  },
];
