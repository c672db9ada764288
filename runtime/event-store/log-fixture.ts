import { randomUUID } from 'node:crypto';
import { startTestLog, type TestLog } from '../../test/support/stores.js';
import { startTcpProxy, type TcpProxy } from '../../test/support/tcp-proxy.js';
import { silentLogger } from '../logger.js';
import { type EventLog, openEventLog, type ProposedEvent, type StoredEvent } from './event-log.js';

export const proposed = (n: number, padding = 0): ProposedEvent => ({
  id: randomUUID(),
  type: 'test.counted',
  data: { n, ...(padding > 0 ? { padding: 'x'.repeat(padding) } : {}) },
  metadata: { n },
});

export const several = (count: number, padding = 0): ProposedEvent[] =>
  Array.from({ length: count }, (_, n) => proposed(n, padding));

export const numberOf = (event: StoredEvent): number => Number(event.data['n']);

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The error's name, `accepted` where there is none. */
export const verdictOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'accepted',
    (error: unknown) => (error instanceof Error ? error.name : String(error)),
  );

export function tally(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

export interface ProxiedLog {
  readonly store: TestLog;
  readonly proxy: TcpProxy;
  /** The log as seen through the proxy; `store.eventLog` goes past it. */
  readonly eventLog: EventLog;
  close(): Promise<void>;
}

/** A store with a proxy before it. */
export async function startProxiedLog(timeoutMs?: number): Promise<ProxiedLog> {
  const store = await startTestLog();
  const proxy = await startTcpProxy(Number(new URL(store.url).port));
  const url = `esdb://127.0.0.1:${proxy.port}?tls=false`;
  const eventLog = openEventLog(url, silentLogger, timeoutMs === undefined ? {} : { timeoutMs });
  return {
    store,
    proxy,
    eventLog,
    async close() {
      await eventLog.close();
      await proxy.close();
      await store.close();
    },
  };
}

/** Appends events to a stream. @returns their positions, in log order */
export async function fill(eventLog: EventLog, stream: string, count: number, perAppend = 50): Promise<bigint[]> {
  const positions: bigint[] = [];
  let revision = (await eventLog.readLast(stream))?.revision ?? -1n;
  for (let done = 0; done < count; done += perAppend) {
    const events = several(Math.min(perAppend, count - done));
    const expected = revision === -1n ? 'no-stream' : revision;
    const appended = await eventLog.append(stream, events, expected);
    revision = appended.revision;
    for (let back = events.length - 1; back >= 0; back -= 1) positions.push(appended.position - BigInt(back));
  }
  return positions;
}
