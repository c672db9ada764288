import type { EventLog } from '../runtime/event-store/event-log.js';
import { furthestBack } from './positions.js';
import type { RunningProjections } from './projector.js';

/** How far a projection is behind the log. */
export interface Lag {
  readonly id: string;
  readonly state: 'live' | 'stopped';
  /** Decimal text; null until it has seen anything. */
  readonly position: string | null;
  /** Events of the log it has not seen; counting ends at the limit, `lag_is_at_least` says so. */
  readonly lag_events: number;
  readonly lag_is_at_least: boolean;
  /** Since the oldest event it has not seen was recorded. */
  readonly lag_seconds: number;
  /** Why it stopped. */
  readonly fault: { code: string; event_id: string; event_type: string; position: string } | null;
}

/**
 * Measures every projection against the log in one read.
 *
 * @param limit counting ends after so many events behind the one that is furthest back
 * @throws LogUnavailable
 */
export async function measureLag(
  eventLog: EventLog,
  running: RunningProjections,
  now: Date,
  limit = 1_000,
): Promise<Lag[]> {
  const states = running.states();
  const unseen = states.map(() => ({ events: 0, oldest: undefined as Date | undefined }));
  const head = await eventLog.head();
  const behind = states.filter(({ position }) => position === undefined || position < head);
  let read = 0;
  if (behind.length > 0) {
    const furthest = furthestBack(behind.map(({ position }) => position));
    for await (const event of eventLog.readAll(furthest)) {
      states.forEach(({ position }, index) => {
        const counted = unseen[index];
        if (counted === undefined || (position !== undefined && event.position <= position)) return;
        counted.events += 1;
        counted.oldest ??= event.recordedAt;
      });
      read += 1;
      if (read >= limit) break;
    }
  }
  return states.map(({ id, position, fault }, index) => {
    const { events, oldest } = unseen[index] ?? { events: 0, oldest: undefined };
    const seconds = oldest === undefined ? 0 : Math.max(0, (now.getTime() - oldest.getTime()) / 1_000);
    return {
      id,
      state: fault === undefined ? 'live' : 'stopped',
      position: position === undefined ? null : String(position),
      lag_events: events,
      lag_is_at_least: read >= limit,
      lag_seconds: Math.round(seconds * 1_000) / 1_000,
      fault:
        fault === undefined
          ? null
          : {
              code: fault.code,
              event_id: fault.eventId,
              event_type: fault.eventType,
              position: String(fault.position),
            },
    };
  });
}
