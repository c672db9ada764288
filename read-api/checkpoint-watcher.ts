import type { Checkpoints } from '../runtime/document-store/checkpoints.js';
import type { Logger } from '../runtime/logger.js';

export interface CheckpointWatcher {
  /**
   * Waits until every one of the read models has reached a position.
   *
   * @param timeoutMs how long to wait at most
   * @param signal gives up early, as when the client has gone
   * @returns whether they have; false at once where too many wait already
   */
  reached(ids: readonly string[], position: bigint, timeoutMs: number, signal?: AbortSignal): Promise<boolean>;
}

interface Waiter {
  readonly ids: readonly string[];
  readonly position: bigint;
  readonly settle: (reached: boolean) => void;
}

/**
 * One poller for all waiting requests: it reads the checkpoints every few milliseconds while somebody waits, and not at
 * all otherwise. What has been reached once is known without asking again.
 */
export function watchCheckpoints(
  checkpoints: Pick<Checkpoints, 'read'>,
  log: Logger,
  { intervalMs = 10, mostWaiting = 32 }: { intervalMs?: number; mostWaiting?: number } = {},
): CheckpointWatcher {
  const known = new Map<string, bigint>();
  const waiters = new Set<Waiter>();
  let polling = false;

  const has = (ids: readonly string[], position: bigint) => ids.every((id) => (known.get(id) ?? -1n) >= position);

  const poll = async () => {
    let failing = false;
    while (waiters.size > 0) {
      const ids = new Set([...waiters].flatMap((waiter) => waiter.ids));
      try {
        for (const [id, position] of await checkpoints.read([...ids])) {
          if (position > (known.get(id) ?? -1n)) known.set(id, position);
        }
        failing = false;
      } catch (err) {
        if (!failing) log.warn('checkpoints cannot be read', { err });
        failing = true;
      }
      for (const waiter of waiters) if (has(waiter.ids, waiter.position)) waiter.settle(true);
      if (waiters.size > 0) await new Promise((resolve) => setTimeout(resolve, intervalMs));
    }
    polling = false;
  };

  return {
    async reached(ids, position, timeoutMs, signal) {
      if (has(ids, position)) return true;
      // Who waits holds a connection of the gateway: tokens that nobody ever gave out must not take them all.
      if (signal?.aborted === true || waiters.size >= mostWaiting) return false;
      return new Promise<boolean>((resolve) => {
        const settle = (reached: boolean) => {
          if (!waiters.delete(waiter)) return;
          clearTimeout(timer);
          signal?.removeEventListener('abort', giveUp);
          resolve(reached);
        };
        const giveUp = () => settle(false);
        const waiter: Waiter = { ids, position, settle };
        const timer = setTimeout(giveUp, timeoutMs);
        signal?.addEventListener('abort', giveUp);
        waiters.add(waiter);
        if (polling) return;
        polling = true;
        void poll();
      });
    },
  };
}
