import { fold } from '../../domain/core/decider.js';
import { inventoryDecider } from '../../domain/inventory/inventory.js';
import type { InventoryEvent } from '../../domain/inventory/inventory-events.js';
import type { StoredEvent } from '../../runtime/event-store/event-log.js';

export interface Ledger {
  readonly captures: readonly { payment_intent: string; amount: number; metadata: { order_id?: string } }[];
  readonly refunds: readonly { payment_intent: string; amount: number }[];
}

/** Every page of the sandbox provider's ledger. */
export async function readLedger(url: string, secretKey: string): Promise<Ledger> {
  const ledger = { captures: [] as Ledger['captures'][number][], refunds: [] as Ledger['refunds'][number][] };
  let after = '';
  for (;;) {
    const response = await fetch(`${url}/ledger?limit=1000${after}`, {
      headers: { authorization: `Bearer ${secretKey}` },
    });
    const page = (await response.json()) as Ledger & { has_more: boolean; next_after: number };
    ledger.captures.push(...page.captures);
    ledger.refunds.push(...page.refunds);
    if (!page.has_more) return ledger;
    after = `&after=${page.next_after}`;
  }
}

export interface Reconciled {
  readonly confirmed: number;
  readonly failed: number;
  readonly open: number;
  readonly openReservations: number;
  readonly available: number;
  readonly sold: number;
  /** What does not agree; empty when everything does. */
  readonly mismatches: readonly string[];
}

const ends = ['order.confirmed', 'order.failed', 'order.cancelled'];

/**
 * Holds the log against the provider's ledger and against itself: stock never oversold at any prefix, no reservation left
 * open, every captured payment belongs to a confirmed order of that total, none of it to another one.
 */
export function reconcile(events: readonly StoredEvent[], ledger: Ledger): Reconciled {
  const mismatches: string[] = [];
  const orders = new Map<string, { total: number; end: string | undefined }>();
  const stock = new Map<string, InventoryEvent[]>();
  for (const { type, data, stream } of events) {
    const orderId = String(data['order_id']);
    if (type === 'order.created') orders.set(orderId, { total: Number(data['total']), end: undefined });
    const order = orders.get(orderId);
    if (order !== undefined && ends.includes(type)) {
      if (order.end !== undefined) mismatches.push(`order ${orderId} ended twice`);
      order.end = type;
    }
    if (!stream.startsWith('inventory-')) continue;
    const history = stock.get(stream) ?? [];
    history.push({ type, data } as unknown as InventoryEvent);
    stock.set(stream, history);
  }

  let available = 0;
  let openReservations = 0;
  let sold = 0;
  for (const [stream, history] of stock) {
    let state = inventoryDecider.initialState;
    for (const event of history) {
      state = inventoryDecider.evolve(state, event);
      if (state.available < 0) mismatches.push(`${stream} is oversold`);
      if (state.available !== event.data.available) mismatches.push(`${stream} tells a wrong available amount`);
    }
    available += state.available;
    openReservations += state.open.size;
    const parts = (type: InventoryEvent['type']) =>
      history
        .filter((event) => event.type === type)
        .flatMap((event) => ('reservations' in event.data ? event.data.reservations : []))
        .reduce((sum, { quantity }) => sum + quantity, 0);
    sold += parts('inventory.confirmed') - parts('inventory.restocked');
    if (fold(inventoryDecider, history).available !== state.available) mismatches.push(`${stream} folds differently`);
  }
  if (openReservations > 0) mismatches.push(`${openReservations} reservations are open`);

  const captured = new Map<string, number>();
  const orderOf = new Map<string, string>();
  for (const { payment_intent, amount, metadata } of ledger.captures) {
    const orderId = metadata.order_id ?? '';
    if (captured.has(orderId)) mismatches.push(`order ${orderId} was charged twice`);
    captured.set(orderId, (captured.get(orderId) ?? 0) + amount);
    orderOf.set(payment_intent, orderId);
  }
  for (const { payment_intent, amount } of ledger.refunds) {
    const orderId = orderOf.get(payment_intent) ?? '';
    captured.set(orderId, (captured.get(orderId) ?? 0) - amount);
  }
  const counts = { 'order.confirmed': 0, 'order.failed': 0, 'order.cancelled': 0, open: 0 };
  for (const [orderId, { total, end }] of orders) {
    counts[(end ?? 'open') as keyof typeof counts] += 1;
    const due = end === 'order.confirmed' ? total : 0;
    const has = captured.get(orderId) ?? 0;
    if (end !== undefined && has !== due) mismatches.push(`order ${orderId} (${end}) holds ${has}, not ${due}`);
    captured.delete(orderId);
  }
  for (const orderId of captured.keys()) mismatches.push(`the provider holds money of an unknown order ${orderId}`);
  if (counts.open > 0) mismatches.push(`${counts.open} orders have not ended`);
  return {
    confirmed: counts['order.confirmed'],
    failed: counts['order.failed'] + counts['order.cancelled'],
    open: counts.open,
    openReservations,
    available,
    sold,
    mismatches,
  };
}
