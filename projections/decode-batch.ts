import type { DomainEvent } from '../domain/core/decider.js';
import { DecodeError, type EventCatalog } from '../domain/core/event-codec.js';
import type { StoredEvent } from '../runtime/event-store/event-log.js';
import type { ParkedFault } from './parking/parking.js';
import type { Recorded } from './projection.js';

/** A stored event as projections see it: decoded, or why it cannot be. */
export type Decoded = { readonly event: Recorded<DomainEvent> } | { readonly fault: ParkedFault };

/** Reads stored events. */
export type Decode = (stored: StoredEvent) => Decoded;

/** Decodes an event; what cannot be read is told, never thrown. */
export function decoder(catalog: EventCatalog): Decode {
  return (stored) => {
    const occurredAt = new Date(String(stored.metadata['occurred_at']));
    if (Number.isNaN(occurredAt.getTime())) {
      return { fault: { code: 'event-metadata-invalid', message: 'it does not say when it occurred' } };
    }
    try {
      const { type, data } = catalog.decode(stored.type, Number(stored.metadata['event_version']), stored.data);
      const recording = {
        eventId: stored.id,
        stream: stored.stream,
        revision: stored.revision,
        position: stored.position,
        occurredAt: occurredAt.toISOString(),
        recordedAt: stored.recordedAt.toISOString(),
      };
      return { event: { type, data, ...recording } };
    } catch (error) {
      if (error instanceof DecodeError) return { fault: { code: error.code, message: error.message } };
      return { fault: { code: 'event-upcast-failed', message: 'an upcaster threw' } };
    }
  };
}

/**
 * A reader of a batch's events that decodes each at most once, however many projections ask, and none that nobody asks
 * for.
 */
export function batchDecoder(catalog: EventCatalog): Decode {
  const decode = decoder(catalog);
  const decoded = new Map<StoredEvent, Decoded>();
  return (stored) => {
    let known = decoded.get(stored);
    if (known === undefined) {
      known = decode(stored);
      decoded.set(stored, known);
    }
    return known;
  };
}
