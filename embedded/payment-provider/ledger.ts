import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { lockDataDir } from '../data-lock.js';
import { checkFileLength } from '../lmdb-file.js';
import { checkFormat, isOpen, type LedgerDatabase, LedgerFormatError, openKey } from './ledger-format.js';
import type { Intent, Refund } from './objects.js';
import type { Commit, Delivery, KeptAnswer, Movement, Settlement, ToDo } from './stored.js';

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
  /** those to be sent, oldest first */
  deliveries(limit?: number): { seq: number; delivery: Delivery }[];
  /** the delivery that is kept back for a refund of the intent */
  held(intentId: string): Delivery | undefined;
  settlement(seq: number): Settlement | undefined;
  settlements(): { seq: number; settlement: Settlement }[];
  /** movements with a number above `after`, oldest first */
  movements(after: number, limit: number): { seq: number; movement: Movement }[];
  /** newest first */
  lastMovements(limit: number): { seq: number; movement: Movement }[];
  /** intents that may still be paid, newest first */
  openIntents(limit: number): Intent[];
  heldDeliveries(limit: number): Delivery[];
  counts(): { open: number; deliveries: number; held: number; settlements: number };
  totals(): Record<string, CurrencyTotals>;
  /** Resolves when the changes are on disk; waiting requests share one fsync. */
  commit(commit: Commit): Promise<ToDo>;
  putDelivery(seq: number, delivery: Delivery): Promise<void>;
  removeDelivery(seq: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the provider's books in `dataDir`, alone.
 *
 * @throws LockedError, LedgerFormatError
 */
export function openLedger(dataDir: string): Ledger {
  mkdirSync(dataDir, { recursive: true });
  const unlock = lockDataDir(dataDir);
  let db: LedgerDatabase | undefined;
  try {
    // Without `overlappingSync: false` a commit would be answered before its fsync.
    const path = join(dataDir, 'ledger.lmdb');
    checkFileLength(path, false);
    db = open({ path, encoding: 'json', overlappingSync: false });
    checkFormat(db, dataDir);
    return ledgerOn(db, unlock);
  } catch (err) {
    void db?.close();
    unlock();
    throw err;
  }
}

function ledgerOn(db: LedgerDatabase, unlock: () => void): Ledger {
  const keysOf = (kind: string, after = 0) => ({ start: [kind, after + 1], end: [kind, Number.MAX_SAFE_INTEGER] });
  const backwards = (kind: string) => ({ start: [kind, Number.MAX_SAFE_INTEGER], end: [kind], reverse: true });
  const numbers = (key: unknown) => Number((key as [string, number])[1]);
  const highest = (kind: string): number => {
    const [last] = db.getKeys({ ...backwards(kind), limit: 1 });
    return last === undefined ? 0 : numbers(last);
  };
  const last = { movement: highest('movement'), delivery: highest('delivery'), settlement: highest('settlement') };
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
  for (const { value } of db.getRange(keysOf('movement'))) {
    count(value as Movement);
    movements += 1;
  }
  if (movements !== last.movement) {
    throw new LedgerFormatError(
      `The ledger holds ${movements} movements and should hold ${last.movement}: it is damaged.`,
    );
  }
  // A new object for each call: lmdb writes into it.
  const allHeld = () => ({ start: ['held'], end: ['held', '\uffff'] });

  return {
    intent: (id) => db.get(['intent', id]) as Intent | undefined,
    refund: (id) => db.get(['refund', id]) as Refund | undefined,
    answer: (key) => db.get(['answer', key]) as KeptAnswer | undefined,
    delivery: (seq) => db.get(['delivery', seq]) as Delivery | undefined,
    deliveries: (limit = Number.MAX_SAFE_INTEGER) =>
      [...db.getRange({ ...keysOf('delivery'), limit })].map(({ key, value }) => ({
        seq: numbers(key),
        delivery: value as Delivery,
      })),
    held: (intentId) => db.get(['held', intentId]) as Delivery | undefined,
    settlement: (seq) => db.get(['settlement', seq]) as Settlement | undefined,
    settlements: () =>
      [...db.getRange(keysOf('settlement'))].map(({ key, value }) => ({
        seq: numbers(key),
        settlement: value as Settlement,
      })),
    movements: (after, limit) =>
      [...db.getRange({ ...keysOf('movement', after), limit })].map(({ key, value }) => ({
        seq: numbers(key),
        movement: value as Movement,
      })),
    lastMovements: (limit) =>
      [...db.getRange({ ...backwards('movement'), limit })].map(({ key, value }) => ({
        seq: numbers(key),
        movement: value as Movement,
      })),
    openIntents: (limit) =>
      [...db.getKeys({ ...backwards('open'), limit })].flatMap((key) => {
        const id = String((key as unknown[])[2]);
        return (db.get(['intent', id]) as Intent | undefined) ?? [];
      }),
    heldDeliveries: (limit) => [...db.getRange({ ...allHeld(), limit })].map(({ value }) => value as Delivery),
    counts: () => ({
      open: db.getKeysCount(keysOf('open', -1)),
      deliveries: db.getKeysCount(keysOf('delivery')),
      held: db.getKeysCount(allHeld()),
      settlements: db.getKeysCount(keysOf('settlement')),
    }),
    totals: () => structuredClone(sums),
    async commit(commit) {
      const { intent, refund, movement, answer, deliveries = [], settlement, settled, told } = commit;
      const toDo: ToDo = { deliveries: [], settlement: undefined };
      const putNumbered = (delivery: Delivery) => {
        const seq = ++last.delivery;
        toDo.deliveries.push({ seq, delivery });
        void db.put(['delivery', seq], delivery);
      };
      const previous = () => {
        const seq = toDo.deliveries.at(-1)?.seq;
        return seq === undefined ? {} : { behind: seq };
      };
      await db.batch(() => {
        if (intent) {
          void db.put(['intent', intent.id], intent);
          if (isOpen(intent)) void db.put(openKey(intent), true);
          else void db.remove(openKey(intent));
        }
        if (refund) void db.put(['refund', refund.id], refund);
        // Numbered in the order of the commits, so that who pages by number misses none.
        if (movement) void db.put(['movement', ++last.movement], movement);
        if (answer) void db.put(['answer', answer.key], answer.kept);
        for (const { afterPrevious, heldFor, ...delivery } of deliveries) {
          if (heldFor !== undefined) void db.put(['held', heldFor], delivery);
          else putNumbered(afterPrevious ? { ...delivery, ...previous() } : delivery);
        }
        if (told) {
          void db.remove(['held', told.heldFor]);
          putNumbered({ ...told.delivery, ...previous() });
        }
        if (settlement) {
          toDo.settlement = ++last.settlement;
          void db.put(['settlement', toDo.settlement], settlement);
        }
        if (settled !== undefined) void db.remove(['settlement', settled]);
      });
      if (movement) count(movement);
      return toDo;
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
