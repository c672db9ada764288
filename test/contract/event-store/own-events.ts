import type { AllStreamResolvedEvent } from '@eventstore/db-client';

/** Those events of `$all` that lie in these streams: others may write to the same store. */
export async function* ownEvents<T extends AllStreamResolvedEvent>(
  events: AsyncIterable<T>,
  streams: Iterable<string>,
): AsyncGenerator<T> {
  const own = new Set(streams);
  for await (const resolved of events) {
    if (own.has((resolved.link ?? resolved.event)?.streamId ?? '')) yield resolved;
  }
}

/** Whether positions rise from one event to the next. */
export function isRising(events: readonly AllStreamResolvedEvent[]): boolean {
  const positions = events.map(({ event, link }) => (link ?? event)?.position.commit ?? -1n);
  return positions.every((position, n) => n === 0 || position > (positions[n - 1] ?? position));
}
