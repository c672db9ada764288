import type { EventLog } from '../runtime/event-store/event-log.js';
import type { ParkedCount } from './parking/parking.js';
import { furthestBack } from './positions.js';
import type { RunningProjections } from './projector.js';

const keptForMs = 1_000;

/** How far a projection is behind the log. */
export interface Lag {
  readonly id: string;
  /** `catching-up`: on its own, because it is new or built anew. */
  readonly state: 'live' | 'catching-up' | 'stopped';
  /** Decimal text; null until it has seen anything. */
  readonly position: string | null;
  /** Events of the log it has not seen; counting ends at the limit, `lag_is_at_least` says so. */
  readonly lag_events: number;
  readonly lag_is_at_least: boolean;
  /** Since the oldest event it has not seen was recorded. */
  readonly lag_seconds: number;
  /** How much it leaves out until it is replayed. */
  readonly parked: ParkedCount;
  /** Why it stopped. */
  readonly fault: { code: string; event_id: string | null; event_type: string | null; position: string | null } | null;
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
  return states.map(({ id, position, fault, live, parked }, index) => {
    const { events, oldest } = unseen[index] ?? { events: 0, oldest: undefined };
    const seconds = oldest === undefined ? 0 : Math.max(0, (now.getTime() - oldest.getTime()) / 1_000);
    return {
      id,
      state: fault !== undefined ? 'stopped' : live ? 'live' : 'catching-up',
      position: position === undefined ? null : String(position),
      lag_events: events,
      lag_is_at_least: read >= limit,
      lag_seconds: Math.round(seconds * 1_000) / 1_000,
      parked,
      fault:
        fault === undefined
          ? null
          : {
              code: fault.code,
              event_id: fault.at?.eventId ?? null,
              event_type: fault.at?.eventType ?? null,
              position: fault.at === undefined ? null : String(fault.at.position),
            },
    };
  });
}

/**
 * Measures at most once a second, whoever asks however often: health is polled.
 *
 * @throws LogUnavailable
 */
export function lagMeter(eventLog: EventLog, running: RunningProjections, clock: () => Date): () => Promise<Lag[]> {
  let kept: { at: number; lags: Promise<Lag[]> } | undefined;
  return () => {
    const now = clock();
    if (kept === undefined || Math.abs(now.getTime() - kept.at) >= keptForMs) {
      kept = { at: now.getTime(), lags: measureLag(eventLog, running, now) };
    }
    return kept.lags;
  };
}
