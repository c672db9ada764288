import { idOf } from '../ids.js';
import { LogUnavailable, type StoredEvent } from './event-log.js';
import { chainStart, eventHash, isUnchained } from './hash-chain.js';

/** Where a hash chain breaks first. `revision` and `position` are absent where the store would not even serve the event. */
export interface ChainBreak {
  readonly stream: string;
  readonly revision: bigint | undefined;
  readonly position: bigint | undefined;
  readonly reason: 'revision-missing' | 'hash-missing' | 'hash-wrong' | 'id-wrong' | 'unreadable';
  readonly message: string;
}

export interface ChainReport {
  /** Events whose hashes hold, and the streams they are in. */
  readonly events: number;
  readonly streams: number;
  readonly firstBreak: ChainBreak | undefined;
}

function innermost(error: unknown): string {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  return cause instanceof Error ? cause.message : String(cause);
}

/**
 * Walks events in log order and checks every stream's hash chain up to the first break. Side streams and the system's
 * own are not chained.
 *
 * @param events the whole log; it is read no further than the first break
 * @param onProgress called every 10,000 events
 */
export async function verifyChain(
  events: AsyncIterable<StoredEvent>,
  onProgress: (checked: number) => void = () => {},
): Promise<ChainReport> {
  const heads = new Map<string, { revision: bigint; hash: string }>();
  let checked = 0;
  let firstBreak: ChainBreak | undefined;
  try {
    for await (const event of events) {
      if (isUnchained(event.stream)) continue;
      const head = heads.get(event.stream) ?? { revision: -1n, hash: chainStart };
      firstBreak = breakAt(event, head);
      if (firstBreak !== undefined) break;
      heads.set(event.stream, { revision: event.revision, hash: String(event.metadata['hash']) });
      checked += 1;
      if (checked % 10_000 === 0) onProgress(checked);
    }
  } catch (error) {
    if (!(error instanceof LogUnavailable)) throw error;
    const place = { stream: '$all', revision: undefined, position: undefined };
    firstBreak = { ...place, reason: 'unreadable', message: innermost(error) };
  }
  return { events: checked, streams: heads.size, firstBreak };
}

function breakAt(event: StoredEvent, head: { revision: bigint; hash: string }): ChainBreak | undefined {
  const { stream, revision, position, type, metadata } = event;
  const found = (reason: ChainBreak['reason'], message: string) => ({ stream, revision, position, reason, message });
  if (revision !== head.revision + 1n) {
    return found('revision-missing', `revision ${head.revision + 1n} is missing, ${revision} follows`);
  }
  const { hash } = metadata;
  if (typeof hash !== 'string') return found('hash-missing', 'the event carries no hash');
  if (hashOf(event, head.hash) !== hash) {
    return found('hash-wrong', `the ${type} stored here is not the one that was appended`);
  }
  if (idOf(hash) !== event.id) return found('id-wrong', 'the event id does not follow from the hash');
  return undefined;
}

/** @returns undefined for what has no canonical form, such as a number too large to be one: nobody appended that */
function hashOf({ stream, revision, type, data, metadata }: StoredEvent, previous: string): string | undefined {
  try {
    return eventHash(stream, revision, previous, type, data, metadata);
  } catch {
    return undefined;
  }
}
