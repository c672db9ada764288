import type { Logger } from '../../../runtime/logger.js';
import { CommandError, code } from '../errors.js';
import { freedBytes } from './room-budget.js';
import { idBytes, type Store, type Table } from './store.js';

const mostKeys = 500;
const fewestKeys = 20;
const mostBytes = 16 * 1024 * 1024;
const retryMs = 1_000;

/** Removes what belonged to dropped collections and indexes, a piece per transaction, between the clients' writes. */
export class Sweeper {
  private isBusy = false;
  private isClosed = false;
  private keys = mostKeys;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: Store,
    private readonly log: Logger,
  ) {}

  /** Goes on until nothing is left; nothing happens when it is at it, or when there is nothing to do. */
  wake(): void {
    const [id] = this.store.catalogue.garbage;
    if (id === undefined || this.isBusy || this.isClosed) return;
    this.isBusy = true;
    const { keys } = this;
    this.store
      .write(() => this.sweep(id, keys), { removes: true })
      .then(
        () => this.again(0),
        (err: unknown) => {
          if (err instanceof CommandError && err.code === code.outOfDiskSpace) {
            this.keys = Math.max(fewestKeys, Math.floor(keys / 4));
          } else if (!this.isClosed) this.log.error('sweeping what was dropped failed', { err });
          this.again(retryMs);
        },
      );
  }

  private again(delayMs: number): void {
    this.isBusy = delayMs > 0;
    if (delayMs === 0) {
      this.wake();
      return;
    }
    this.timer = setTimeout(() => {
      this.isBusy = false;
      this.wake();
    }, delayMs).unref();
  }

  private sweep(id: number, most: number): void {
    let left = most;
    for (const name of ['data', 'ids', 'index'] as const) {
      const table: Table = this.store[name];
      const keys: Buffer[] = [];
      let bytes = 0;
      for (const { key, value } of table.getRange({ start: idBytes(id), end: idBytes(id + 1) })) {
        keys.push(key);
        bytes += value.length;
        if (keys.length >= left || bytes > mostBytes) break;
      }
      this.store.spend({ [name]: keys.length, bytes: freedBytes(bytes) });
      for (const key of keys) table.removeSync(key);
      left -= keys.length;
      if (left <= 0 || bytes > mostBytes) return;
    }
    this.store.catalogue.discarded(id);
    this.keys = mostKeys;
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }
}
