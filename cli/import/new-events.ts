import { openEventLog } from '../../runtime/event-store/event-log.js';
import { silentLogger } from '../../runtime/logger.js';
import { count } from './progress.js';

/** Where the log of this machine's installation ends. */
export async function headOf(eventStoreUrl: string): Promise<bigint> {
  const eventLog = openEventLog(eventStoreUrl, silentLogger);
  try {
    return await eventLog.head();
  } finally {
    await eventLog.close();
  }
}

/** Side streams hold what processes remember of themselves, no facts. */
const sideStream = /^(checkpoint|snapshot)-/;

/** Events of record after a position, by the category of their stream. */
export async function newEvents(eventStoreUrl: string, after: bigint): Promise<ReadonlyMap<string, number>> {
  const eventLog = openEventLog(eventStoreUrl, silentLogger);
  const counts = new Map<string, number>();
  try {
    for await (const { stream } of eventLog.readAll(after)) {
      if (sideStream.test(stream)) continue;
      const category = stream.slice(0, stream.indexOf('-'));
      counts.set(category, (counts.get(category) ?? 0) + 1);
    }
    return counts;
  } finally {
    await eventLog.close();
  }
}

/** "3 new events: 0 of the import, session 1, …": a log-in and whatever else happened meanwhile are events too. */
export function newEventsInWords(counts: ReadonlyMap<string, number>): string {
  const all = [...counts.values()].reduce((sum, of) => sum + of, 0);
  const logIns = counts.get('session') ?? 0;
  const rows = [...counts]
    .filter(([category]) => category !== 'session')
    .sort(([, a], [, b]) => b - a)
    .map(([category, of]) => `${category} ${count(of)}`);
  const detail = rows.length === 0 ? '' : ` (${rows.join(', ')})`;
  return `${count(all)} new events: ${count(all - logIns)} of orders, stock and the like${detail}, ${count(logIns)} of log-ins`;
}
