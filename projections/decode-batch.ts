import type { DomainEvent } from '../domain/core/decider.js';
import { DecodeError, type EventCatalog } from '../domain/core/event-codec.js';
import type { StoredEvent } from '../runtime/event-store/event-log.js';
import type { Recorded } from './projection.js';

/** Why a projection cannot go past an event. `message` holds no personal data. */
export interface ProjectionFault {
  readonly code: string;
  readonly message: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly stream: string;
  readonly position: bigint;
}

/** A stored event as projections see it: decoded, or why it cannot be. */
export type Decoded = { readonly event: Recorded<DomainEvent> } | { readonly fault: ProjectionFault };

export function faultAt(
  event: { readonly type: string; readonly stream: string; readonly position: bigint },
  eventId: string,
  code: string,
  message: string,
): ProjectionFault {
  return { code, message, eventId, eventType: event.type, stream: event.stream, position: event.position };
}

function decode(catalog: EventCatalog, stored: StoredEvent): Decoded {
  const occurredAt = new Date(String(stored.metadata['occurred_at']));
  if (Number.isNaN(occurredAt.getTime())) {
    return { fault: faultAt(stored, stored.id, 'event-metadata-invalid', 'it does not say when it occurred') };
  }
  try {
    const { type, data } = catalog.decode(stored.type, Number(stored.metadata['event_version']), stored.data);
    const recording = {
      eventId: stored.id,
      stream: stored.stream,
      position: stored.position,
      occurredAt: occurredAt.toISOString(),
      recordedAt: stored.recordedAt.toISOString(),
    };
    return { event: { type, data, ...recording } };
  } catch (error) {
    const [code, message] =
      error instanceof DecodeError ? [error.code, error.message] : ['event-upcast-failed', 'an upcaster threw'];
    return { fault: faultAt(stored, stored.id, code, message) };
  }
}

/**
 * A reader of a batch's events that decodes each at most once, however many projections ask, and none that nobody asks
 * for.
 */
export function batchDecoder(catalog: EventCatalog): (stored: StoredEvent) => Decoded {
  const decoded = new Map<StoredEvent, Decoded>();
  return (stored) => {
    let known = decoded.get(stored);
    if (known === undefined) {
      known = decode(catalog, stored);
      decoded.set(stored, known);
    }
    return known;
  };
}
