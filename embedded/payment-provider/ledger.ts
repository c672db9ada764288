import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Key, open, type RootDatabase } from 'lmdb';
import { lockDataDir } from '../data-lock.js';
import { checkFileLength } from '../lmdb-file.js';
import type { Intent, Refund } from './objects.js';

/** STORED: money that moved. */
export type Movement =
  | {
      kind: 'capture';
      payment_intent: string;
      charge: string;
      amount: number;
      currency: string;
      metadata: Record<string, string>;
      captured_at: number;
    }
  | {
      kind: 'refund';
      refund: string;
      payment_intent: string;
      amount: number;
      currency: string;
      metadata: Record<string, string>;
      refunded_at: number;
    };

/** STORED: what an idempotency key was answered with. */
export interface KeptAnswer {
  fingerprint: string;
  path: string;
  status: number;
  body: string;
}

/** STORED: a webhook that is not delivered yet. `at` is the next attempt, milliseconds since 1970. */
export interface Delivery {
  id: string;
  type: string;
  payload: string;
  attempts: number;
  at: number;
}

/** What one request changes; all of it is stored or nothing. */
export interface Changes {
  intent?: Intent;
  refund?: Refund;
  movement?: Movement;
  answer?: { key: string; kept: KeptAnswer };
  deliveries?: Delivery[];
}

export interface CurrencyTotals {
  captured: number;
  refunded: number;
  captures: number;
  refunds: number;
}

export interface Ledger {
  intent(id: string): Intent | undefined;
  refund(id: string): Refund | undefined;
  answer(key: string): KeptAnswer | undefined;
  delivery(seq: number): Delivery | undefined;
  deliveries(): { seq: number; delivery: Delivery }[];
  /** movements with a number above `after`, oldest first */
  movements(after: number, limit: number): { seq: number; movement: Movement }[];
  totals(): Record<string, CurrencyTotals>;
  /** Resolves when the changes are on disk; waiting requests share one fsync. Answers the deliveries' numbers. */
  commit(changes: Changes): Promise<number[]>;
  putDelivery(seq: number, delivery: Delivery): Promise<void>;
  removeDelivery(seq: number): Promise<void>;
  close(): Promise<void>;
}

/** Written by another version of this code, or damaged. */
export class LedgerFormatError extends Error {
  override readonly name = 'LedgerFormatError';
  readonly code = 'ledger-format';
}

const format = 1;

/**
 * Opens the provider's books in `dataDir`, alone.
 *
 * @throws LockedError, LedgerFormatError
 */
export function openLedger(dataDir: string): Ledger {
  mkdirSync(dataDir, { recursive: true });
  const unlock = lockDataDir(dataDir);
  let db: RootDatabase<unknown, Key> | undefined;
  try {
    // Without `overlappingSync: false` a commit would be answered before its fsync.
    const path = join(dataDir, 'ledger.lmdb');
    checkFileLength(path, false);
    db = open<unknown, Key>({ path, encoding: 'json', overlappingSync: false });
    checkFormat(db, dataDir);
    return ledgerOn(db, unlock);
  } catch (err) {
    void db?.close();
    unlock();
    throw err;
  }
}

function checkFormat(db: RootDatabase<unknown, Key>, dataDir: string): void {
  const found = db.get('format');
  if (found === format) return;
  if (found !== undefined || db.getKeysCount({ limit: 1 }) > 0) {
    throw new LedgerFormatError(
      `The payment provider's data in ${dataDir} have format ${String(found)}, this program knows ${format}.`,
    );
  }
  db.putSync('format', format);
}

function ledgerOn(db: RootDatabase<unknown, Key>, unlock: () => void): Ledger {
  const keysOf = (kind: string, after: number) => ({ start: [kind, after + 1], end: [kind, Number.MAX_SAFE_INTEGER] });
  const highest = (kind: string): number => {
    const [last] = db.getKeys({ start: [kind, Number.MAX_SAFE_INTEGER], end: [kind], reverse: true, limit: 1 });
    return Array.isArray(last) ? Number(last[1]) : 0;
  };
  let lastMovement = highest('movement');
  let lastDelivery = highest('delivery');
  const sums: Record<string, CurrencyTotals> = {};
  const count = (movement: Movement) => {
    const sum = sums[movement.currency] ?? { captured: 0, refunded: 0, captures: 0, refunds: 0 };
    sums[movement.currency] = sum;
    if (movement.kind === 'capture') {
      sum.captured += movement.amount;
      sum.captures += 1;
    } else {
      sum.refunded += movement.amount;
      sum.refunds += 1;
    }
  };
  let movements = 0;
  for (const { value } of db.getRange(keysOf('movement', 0))) {
    count(value as Movement);
    movements += 1;
  }
  if (movements !== lastMovement) {
    throw new LedgerFormatError(
      `The ledger holds ${movements} movements and should hold ${lastMovement}: it is damaged.`,
    );
  }

  return {
    intent: (id) => db.get(['intent', id]) as Intent | undefined,
    refund: (id) => db.get(['refund', id]) as Refund | undefined,
    answer: (key) => db.get(['answer', key]) as KeptAnswer | undefined,
    delivery: (seq) => db.get(['delivery', seq]) as Delivery | undefined,
    deliveries: () =>
      [...db.getRange(keysOf('delivery', 0))].map(({ key, value }) => ({
        seq: Number((key as [string, number])[1]),
        delivery: value as Delivery,
      })),
    movements: (after, limit) =>
      [...db.getRange({ ...keysOf('movement', after), limit })].map(({ key, value }) => ({
        seq: Number((key as [string, number])[1]),
        movement: value as Movement,
      })),
    totals: () => structuredClone(sums),
    async commit(changes) {
      const { intent, refund, movement, answer, deliveries = [] } = changes;
      const seqs: number[] = [];
      await db.batch(() => {
        if (intent) void db.put(['intent', intent.id], intent);
        if (refund) void db.put(['refund', refund.id], refund);
        // Numbered in the order of the commits, so that who pages by number misses none.
        if (movement) void db.put(['movement', ++lastMovement], movement);
        if (answer) void db.put(['answer', answer.key], answer.kept);
        for (const delivery of deliveries) {
          seqs.push(++lastDelivery);
          void db.put(['delivery', lastDelivery], delivery);
        }
      });
      if (movement) count(movement);
      return seqs;
    },
    putDelivery: async (seq, delivery) => void (await db.put(['delivery', seq], delivery)),
    removeDelivery: async (seq) => void (await db.remove(['delivery', seq])),
    async close() {
      await db.flushed;
      await db.close();
      unlock();
    },
  };
}
