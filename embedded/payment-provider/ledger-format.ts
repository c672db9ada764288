import type { Key, RootDatabase } from 'lmdb';
import type { Intent } from './objects.js';

export type LedgerDatabase = RootDatabase<unknown, Key>;

/** Written by another version of this code, or damaged. */
export class LedgerFormatError extends Error {
  override readonly name = 'LedgerFormatError';
  readonly code = 'ledger-format';
}

/** Format 2 added settlements, deliveries with an order, the status `processing` and the list of open intents. */
const format = 2;

/** Where an intent that may still be paid is listed, oldest first. */
export const openKey = ({ created, id }: Intent): Key => ['open', created, id];

export const isOpen = ({ status }: Intent): boolean => status !== 'succeeded' && status !== 'canceled';

/**
 * Makes sure that the data are of this format; older ones are brought to it.
 *
 * @throws LedgerFormatError
 */
export function checkFormat(db: LedgerDatabase, dataDir: string): void {
  const found = db.get('format');
  if (found === format) return;
  if (found === 1) {
    db.transactionSync(() => {
      for (const { value } of db.getRange({ start: ['intent'], end: ['intent', '\uffff'] })) {
        const intent = value as Intent;
        if (isOpen(intent)) void db.put(openKey(intent), true);
      }
      void db.put('format', format);
    });
    return;
  }
  if (found !== undefined || db.getKeysCount({ limit: 1 }) > 0) {
    throw new LedgerFormatError(
      `The payment provider's data in ${dataDir} have format ${String(found)}, this program knows 1 and ${format}.`,
    );
  }
  db.putSync('format', format);
}
