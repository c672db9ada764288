import type { DomainEvent } from '../../domain/core/decider.js';
import type { Projection, Recorded } from '../../projections/projection.js';
import type { StoredEvent } from '../../runtime/event-store/event-log.js';

/** A document as the log makes it. */
export interface FoldedDocument {
  readonly body: object;
  /** Of the last event that changed it. */
  readonly position: bigint;
}

/** Where a projection gave an event up: from there on the document, or every document for this stream, stays as it was. */
export interface ParkedPlace {
  /** `orders-v1` */
  readonly model: string;
  readonly document: string | undefined;
  readonly stream: string | undefined;
  /** Of the first event that was given up. */
  readonly position: bigint;
  /** This event alone is left out, for good, and what follows is taken in. */
  readonly alone?: boolean;
}

/** What keeps an event from being folded, if anything does. */
export interface FoldFault {
  readonly document: string | undefined;
  readonly message: string;
}

/** A projection's documents, folded one event after the other: without batches, lanes and stores. */
export interface ModelFold {
  readonly documents: ReadonlyMap<string, FoldedDocument>;
  /** Which documents an event belongs to; none where its stream is parked. @throws what `ids` throws */
  idsOf(stored: StoredEvent, event: Recorded<DomainEvent>): readonly string[];
  /** Takes an event into documents. */
  take(event: Recorded<DomainEvent>, ids: readonly string[]): FoldFault | undefined;
}

export function modelFold(projection: Projection, parked: readonly ParkedPlace[]): ModelFold {
  const documents = new Map<string, FoldedDocument>();
  const parkedDocuments = new Map<string, bigint>();
  const parkedStreams = new Map<string, bigint>();
  const alone = new Set<string>();
  for (const place of parked) {
    const { document, stream, position } = place;
    const limits = document === undefined ? parkedStreams : parkedDocuments;
    const key = document ?? stream ?? '';
    const limit = limits.get(key);
    if (place.alone === true) alone.add(`${key} ${position}`);
    else if (limit === undefined || position < limit) limits.set(key, position);
  }
  const isBefore = (limits: ReadonlyMap<string, bigint>, key: string, position: bigint) => {
    const limit = limits.get(key);
    return (limit === undefined || position < limit) && !alone.has(`${key} ${position}`);
  };
  return {
    documents,
    idsOf(stored, event) {
      if (!projection.types.has(stored.type) || !isBefore(parkedStreams, stored.stream, stored.position)) return [];
      return [...new Set(projection.ids(event))].filter((id) => isBefore(parkedDocuments, id, stored.position));
    },
    take(event, ids) {
      let fault: FoldFault | undefined;
      for (const id of ids) {
        const known = documents.get(id);
        try {
          const body = projection.evolve(known?.body, event, id);
          if (body !== undefined && body !== known?.body) documents.set(id, { body, position: event.position });
        } catch (error) {
          fault ??= { document: id, message: error instanceof Error ? error.message : String(error) };
        }
      }
      return fault;
    },
  };
}
