import { textTable } from '../../../cli/text-table.js';
import { fold } from '../../../domain/core/decider.js';
import { inventoryDecider } from '../../../domain/inventory/inventory.js';
import { type InventoryEvent, inventoryStream } from '../../../domain/inventory/inventory-events.js';
import { eventually } from '../../support/eventually.js';
import type { Ending, Played } from './ending.js';
import type { Stage } from './stage.js';

/** One ending, as it was seen. */
export interface Verdict {
  readonly name: string;
  readonly expected: string;
  readonly seen: string;
  readonly stock: string;
  readonly money: string;
  readonly faults: readonly string[];
}

const limitMs = 90_000;

function told(order: string, reason: string | undefined, attempts: number): string {
  return [order, ...(reason === undefined ? [] : [reason]), ...(attempts > 1 ? [`${attempts} attempts`] : [])].join(
    ', ',
  );
}

/** Waits until an order has ended and its money is where it belongs, and compares everything with what was expected. */
export async function judge(stage: Stage, { name, expected }: Ending, played: Played): Promise<Verdict> {
  const { orderId, pieces, received, soldElsewhere = 0 } = played;
  const faults = [...(played.faults ?? [])];
  await stage.until(orderId, 'fulfilment.ended');
  if (expected.refunds > 0) await stage.until(orderId, 'payment.refunded', expected.refunds);
  const flow = await stage.flow(orderId);
  const count = (type: string) => flow.filter((event) => event.type === type).length;
  const last = flow.findLast(({ type }) => /^order\.(confirmed|failed|cancelled)$/.test(type));
  const status = String(last?.type.slice('order.'.length));
  const reason = last?.type === 'order.failed' ? String(last.data['reason']) : undefined;
  const attempts = count('payment.initiated');
  const wanted = told(expected.order, expected.reason, expected.attempts);
  const seen = told(status, reason, attempts);
  if (seen !== wanted || attempts !== expected.attempts) faults.push(`ended ${seen} (${attempts} attempts)`);

  const shown = await eventually(
    `order ${orderId} to be shown as ended`,
    async () => {
      const { data } = await stage.options.customer.send('GET', `/orders/${orderId}`);
      return (
        data?.status === status && data.timeline.some((entry: { type: string }) => entry.type === 'fulfilment.ended')
      );
    },
    limitMs,
  ).catch(() => false);
  if (!shown) faults.push(`the read model does not show it as ${status}`);

  const { captures, refunds } = await stage.options.readLedger();
  const own = captures.filter(({ metadata }) => metadata['order_id'] === orderId);
  const back = refunds.filter(({ payment_intent }) => own.some((capture) => capture.payment_intent === payment_intent));
  const sum = (movements: readonly { amount: number }[]) => movements.reduce((total, { amount }) => total + amount, 0);
  const kept = sum(own) - sum(back);
  const inLog = count('payment.success');
  if (own.length !== expected.captures || inLog !== expected.captures)
    faults.push(`${own.length} captures at the provider and ${inLog} in the log, not ${expected.captures}`);
  if (back.length !== expected.refunds || count('payment.refunded') !== expected.refunds)
    faults.push(`${back.length} refunds at the provider and ${count('payment.refunded')} in the log`);

  const stocks: string[] = [];
  for (const [i, { variant_id }] of pieces.entries()) {
    const level = await stockOf(stage, variant_id);
    const isLast = i === pieces.length - 1;
    const sold = (expected.order === 'confirmed' ? 1 : 0) + (isLast ? soldElsewhere : 0);
    const available = (received[i] ?? 0) - sold;
    if (i < 2) stocks.push(`${level.available} of ${received[i]}`);
    if (level.available !== available || level.reserved !== 0)
      faults.push(
        `stock ${i + 1}: ${level.available} available and ${level.reserved} reservations, not ${available} and 0`,
      );
  }
  const money = kept === 0 ? (own.length > 0 ? 'given back' : 'none') : `${(kept / 100).toFixed(2)} kept`;
  return { name, expected: wanted, seen, stock: stocks.join(', '), money, faults };
}

/** The level once nothing is reserved any more, or at the limit. */
async function stockOf(stage: Stage, variantId: string): Promise<{ available: number; reserved: number }> {
  let state = inventoryDecider.initialState;
  const read = async () => {
    const history: InventoryEvent[] = [];
    for await (const { type, data } of stage.options.eventLog.readStream(inventoryStream(variantId), 0n))
      history.push({ type, data } as unknown as InventoryEvent);
    state = fold(inventoryDecider, history);
    return state.open.size === 0;
  };
  await eventually(`stock of ${variantId} to be free`, read, limitMs).catch(() => false);
  return { available: state.available, reserved: state.open.size };
}

/** The verdicts as a table, each fault below its line. */
export function table(verdicts: readonly Verdict[]): string {
  const head = ['ending', 'expected', 'seen', 'stock back', 'money'];
  const cells = verdicts.map(({ name, expected, seen, stock, money }) => [name, expected, seen, stock, money]);
  const [heading = '', ...lines] = textTable([head, ...cells]);
  const faults = verdicts.map((verdict) => verdict.faults.map((fault) => `    MISMATCH: ${fault}`));
  return [`  ${heading}`, ...lines.flatMap((line, i) => [`  ${line}`, ...(faults[i] ?? [])])].join('\n');
}
