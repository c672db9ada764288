import type { InventoryEvent } from '../../domain/inventory/inventory-events.js';
import { type AnyEvent, idFor, orderOf, productOf, streamOf } from '../../projections/spec-histories.js';
import type { StoredEvent } from '../../runtime/event-store/event-log.js';
import type { AuditedLog } from './audit.js';
import type { ProviderLedger } from './provider-ledger.js';

// Histories for the specifications of this folder; nothing else imports them.

/** When the first event of a history is recorded. */
export const began = Date.UTC(2026, 0, 5, 9);

const warehouse_id = idFor('warehouse');

/** One order's events, stock included. Of each of its two variants 10 pieces came in, and it wants 2. */
export function storyOf(name: string) {
  const order = orderOf(name);
  const refOf = (line: number) => {
    const { variant_id, product_id, shop_id, sku } = productOf(name, line).received(0).data;
    return { variant_id, product_id, shop_id, sku };
  };
  const reservation = (line: number) => {
    const ref = refOf(line);
    const { variant_id, product_id } = ref;
    const reservations = [{ product_id, variant_id, quantity: 2, warehouse_id }];
    return { reservation_id: idFor('reservation', name, line), order_id: order.order_id, reservations, ...ref };
  };
  const confirmedStock = (line: number, available = 8): InventoryEvent => ({
    type: 'inventory.confirmed',
    data: { ...reservation(line), available },
  });
  const released = (line: number, available = 10): InventoryEvent => ({
    type: 'inventory.released',
    data: { ...reservation(line), reason: 'payment_failed', available },
  });
  const restocked = (line: number, available = 10): InventoryEvent => ({
    type: 'inventory.restocked',
    data: { ...reservation(line), reason: 'confirmation_undone', available },
  });
  const received = [productOf(name, 0).received(10), productOf(name, 1).received(10)];
  const held: AnyEvent[] = [...received, order.created(), order.stockReserved(0), order.stockReserved(1)];
  const taken: AnyEvent[] = [...held, order.started(), order.paymentInitiated(), order.paymentSucceeded()];
  const paid: AnyEvent[] = [...taken, order.paid()];
  return {
    ...order,
    confirmedStock,
    releasedStock: released,
    restocked,
    /** Reserved, not yet paid. */
    held,
    /** The provider has taken the money, the order does not know. */
    taken,
    paidOrder: paid,
    confirmedOrder: [...paid, confirmedStock(0), confirmedStock(1), order.confirmed(), order.ended()] as AnyEvent[],
    declinedOrder: [
      ...held,
      order.started(),
      order.paymentInitiated(),
      order.paymentFailed(),
      order.stepTaken('release'),
      released(0),
      released(1),
      order.failed(),
      order.ended('failed'),
    ] as AnyEvent[],
    /** Paid, then undone: the money went back. */
    undoneOrder: [
      ...paid,
      confirmedStock(0),
      order.stepTaken('undo_confirmation'),
      restocked(0),
      order.stepTaken('refund'),
      order.refundRequested(),
      order.paymentRefunded(),
      order.stepTaken('release'),
      released(1),
      order.failed('confirming', 'reservation_lapsed'),
      order.ended('failed'),
    ] as AnyEvent[],
  };
}

/** Events as the log would hold them, a second apart; each by a command of its own that the one before caused. */
export function recorded(events: readonly AnyEvent[], change: (stored: StoredEvent) => StoredEvent = same) {
  const revisions = new Map<string, bigint>();
  return events.map((event, index): StoredEvent => {
    const stream = streamOf(event);
    const revision = (revisions.get(stream) ?? -1n) + 1n;
    revisions.set(stream, revision);
    const at = new Date(began + index * 1_000);
    const command_id = idFor('command', index);
    const cause = index === 0 ? command_id : idFor('event', index - 1);
    const metadata = { event_version: 1, occurred_at: at.toISOString(), command_id, $causationId: cause };
    const data = event.data as unknown as StoredEvent['data'];
    const position = BigInt(index + 1) * 100n;
    return change({
      id: idFor('event', index),
      stream,
      revision,
      position,
      type: event.type,
      data,
      metadata,
      recordedAt: at,
    });
  });
}

const same = (stored: StoredEvent) => stored;

export function logOf(events: readonly StoredEvent[]): AuditedLog {
  return {
    head: async () => events.at(-1)?.position ?? 0n,
    async *readAll(after = -1n) {
      for (const event of events) if (event.position > after) yield event;
    },
  };
}

/** The provider's books after it took, and perhaps gave back, an order's total. */
export function ledgerOf(...entries: readonly { order: string; amount: number; id?: string; back?: number }[]) {
  const at = began / 1_000 + 7;
  const captures = entries.map(({ order, amount, id = 'pi_1' }) => ({
    payment_intent: id,
    amount,
    currency: 'gbp',
    captured_at: at,
    metadata: { order_id: order },
  }));
  const refunds = entries.flatMap(({ back, id = 'pi_1' }, index) =>
    back === undefined
      ? []
      : [{ payment_intent: id, refund: `re_${index}`, amount: back, currency: 'gbp', refunded_at: at }],
  );
  return { captures, refunds } satisfies ProviderLedger;
}
