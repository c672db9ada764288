import { z } from 'zod';
import { CommandFault } from '../fault.js';

/** Money that the provider took. `amount` in minor units, times in seconds since 1970. */
const capture = z.object({
  payment_intent: z.string(),
  amount: z.int(),
  currency: z.string(),
  captured_at: z.number(),
  metadata: z.record(z.string(), z.string()),
});

const refund = z.object({
  payment_intent: z.string(),
  refund: z.string(),
  amount: z.int(),
  currency: z.string(),
  refunded_at: z.number(),
});

const page = z.object({
  captures: z.array(capture),
  refunds: z.array(refund),
  has_more: z.boolean(),
  next_after: z.int(),
});

export type LedgerCapture = z.output<typeof capture>;
export type LedgerRefund = z.output<typeof refund>;

/** Every movement of money in the provider's own books, oldest first. */
export interface ProviderLedger {
  readonly captures: readonly LedgerCapture[];
  readonly refunds: readonly LedgerRefund[];
}

/**
 * Reads every page of the sandbox provider's ledger.
 *
 * @throws CommandFault when it cannot be reached, refuses the key or answers something else
 */
export async function readProviderLedger(url: string, secretKey: string): Promise<ProviderLedger> {
  const captures: LedgerCapture[] = [];
  const refunds: LedgerRefund[] = [];
  let after = 0;
  for (;;) {
    const found = await readPage(url, secretKey, after);
    captures.push(...found.captures);
    refunds.push(...found.refunds);
    if (!found.has_more) return { captures, refunds };
    after = found.next_after;
  }
}

async function readPage(url: string, secretKey: string, after: number): Promise<z.output<typeof page>> {
  let response: Response;
  try {
    response = await fetch(`${url}/ledger?limit=1000&after=${after}`, {
      headers: { authorization: `Bearer ${secretKey}` },
    });
  } catch {
    throw new CommandFault(`the payment provider does not answer at ${url}.`);
  }
  const parsed = response.ok ? page.safeParse(await response.json()) : undefined;
  if (parsed?.success === true) return parsed.data;
  throw new CommandFault(
    `${url} does not show a ledger (status ${response.status}): it must be the sandbox provider, asked with its own key.`,
  );
}
