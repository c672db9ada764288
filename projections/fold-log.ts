import type { DomainEvent } from '../domain/core/decider.js';
import type { Positioned } from '../runtime/document-store/positioned.js';
import type { StoredEvent } from '../runtime/event-store/event-log.js';
import type { Decode } from './decode-batch.js';
import { foldDocuments, touchedDocuments } from './fold-batch.js';
import { nothingParked, type ParkedEvent, type Parking } from './parking/parking.js';
import type { Projection, Recorded } from './projection.js';

/** A read model as the log makes it, in memory. */
export interface Folding {
  /** Takes events that come after those it has taken, in log order. */
  add(events: readonly StoredEvent[]): void;
  readonly documents: ReadonlyMap<string, Positioned>;
  /** What it could not fold: of a document or a stream everything from the first fault on. */
  parked(): readonly ParkedEvent[];
}

/**
 * Folds a log for a projection without any store: what the read model must hold, document by document and position by
 * position. Audit, specifications and the replay of a stream ask it.
 *
 * @param parking what the read model says it leaves out; left out here too, so that a document that is parked equals
 *   the fold of the log up to just before its first parked event
 * @param wanted folds these documents alone
 */
export function foldingOf(
  projection: Projection,
  decode: Decode,
  parking: Parking = nothingParked,
  wanted?: ReadonlySet<string>,
): Folding {
  const documents = new Map<string, Positioned>();
  const parked: ParkedEvent[] = [];
  // What this fold itself has parked stays parked to its end.
  const own = new Set<string>();
  const both: Parking = {
    waits: (kind, key, position) => own.has(`${kind} ${key}`) || parking.waits(kind, key, position),
    isDiscarded: (kind, key, position) => parking.isDiscarded(kind, key, position),
  };
  const hold = (events: readonly ParkedEvent[]) => {
    for (const event of events) {
      parked.push(event);
      own.add(`${event.kind} ${event.key}`);
    }
  };
  return {
    documents,
    add(events) {
      const touched = touchedDocuments(projection, events, decode, both);
      hold(touched.parked);
      let those: ReadonlyMap<string, readonly Recorded<DomainEvent>[]> = touched.events;
      if (wanted !== undefined) those = new Map([...those].filter(([id]) => wanted.has(id)));
      const folded = foldDocuments(projection, documents, those);
      for (const document of folded.documents) documents.set(document._id, document);
      hold(folded.parked);
    },
    parked: () => parked,
  };
}
