import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog } from '../../runtime/event-store/event-log.js';
import type { ReadModels } from './read-models.js';

const lookAgainMs = 100;

/**
 * Waits until every read model has seen the log up to a position, for a while.
 *
 * @returns how far each came, at most that position; none where it has seen nothing
 */
export async function whenReached(
  log: Pick<EventLog, 'readAll'>,
  readModels: ReadModels,
  ids: readonly string[],
  head: bigint,
  waitMs: number,
): Promise<ReadonlyMap<string, bigint>> {
  const deadline = performance.now() + waitMs;
  /** Checkpoints after which the log goes on before that position. */
  const short = new Set<bigint>();
  const isThere = async (at: bigint): Promise<boolean> => {
    if (at >= head) return true;
    if (short.has(at)) return false;
    if (await isQuiet(log, at, head)) return true;
    short.add(at);
    return false;
  };
  for (;;) {
    const checkpoints = await readModels.checkpoints(ids);
    const reached = new Map<string, bigint>();
    for (const [id, at] of checkpoints) reached.set(id, (await isThere(at)) ? head : at);
    if (ids.every((id) => reached.get(id) === head) || performance.now() > deadline) return reached;
    await sleep(lookAgainMs);
  }
}

/** Whether nothing that a projection would be told of lies between: the store's own records move no checkpoint. */
async function isQuiet(log: Pick<EventLog, 'readAll'>, after: bigint, upTo: bigint): Promise<boolean> {
  for await (const { position } of log.readAll(after)) return position > upTo;
  return true;
}
