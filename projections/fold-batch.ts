import type { DomainEvent } from '../domain/core/decider.js';
import type { Positioned } from '../runtime/document-store/positioned.js';
import type { StoredEvent } from '../runtime/event-store/event-log.js';
import { type Decoded, faultAt, type ProjectionFault } from './decode-batch.js';
import type { Projection, Recorded } from './projection.js';

/** Which events of a batch belong to which document, in log order, up to the first that cannot be told. */
export interface Touched {
  readonly events: ReadonlyMap<string, readonly Recorded<DomainEvent>[]>;
  readonly fault?: ProjectionFault;
}

/** What a batch makes of the documents it touches. */
export interface Folded {
  /** Only those that changed. */
  readonly documents: readonly Positioned[];
  /** The earliest event that `evolve` failed on; `documents` hold nothing from there on. */
  readonly fault?: ProjectionFault;
}

const reasonOf = (error: unknown) => (error instanceof Error ? `${error.name} thrown` : 'something thrown');

export function touchedDocuments(
  projection: Projection,
  batch: readonly StoredEvent[],
  decode: (stored: StoredEvent) => Decoded,
): Touched {
  const events = new Map<string, Recorded<DomainEvent>[]>();
  for (const stored of batch) {
    if (!projection.types.has(stored.type)) continue;
    const decoded = decode(stored);
    if ('fault' in decoded) return { events, fault: decoded.fault };
    let ids: ReadonlySet<string>;
    try {
      ids = new Set(projection.ids(decoded.event));
    } catch (error) {
      return { events, fault: faultAt(stored, stored.id, 'projection-ids-failed', reasonOf(error)) };
    }
    for (const id of ids) {
      const known = events.get(id);
      if (known === undefined) events.set(id, [decoded.event]);
      else known.push(decoded.event);
    }
  }
  return { events };
}

function foldDocument(
  projection: Projection,
  id: string,
  stored: Positioned | undefined,
  events: readonly Recorded<DomainEvent>[],
): { document?: Positioned; fault?: ProjectionFault } {
  let body: object | undefined = stored;
  let position = stored?.position;
  for (const event of events) {
    if (position !== undefined && event.position <= position) continue;
    try {
      const next = projection.evolve(body, event, id);
      if (next === body || next === undefined) continue;
      body = next;
      position = event.position;
    } catch (error) {
      return { fault: faultAt(event, event.eventId, 'projection-evolve-failed', reasonOf(error)) };
    }
  }
  if (body === undefined || body === stored || position === undefined) return {};
  return { document: { _id: id, ...body, position } };
}

/** Folds each document's events into what is stored of it; events that it has seen are left out. */
export function foldDocuments(
  projection: Projection,
  stored: ReadonlyMap<string, Positioned>,
  touched: Touched['events'],
): Folded {
  const documents: Positioned[] = [];
  let fault: ProjectionFault | undefined;
  for (const [id, events] of touched) {
    const folded = foldDocument(projection, id, stored.get(id), events);
    if (folded.document !== undefined) documents.push(folded.document);
    if (folded.fault !== undefined && (fault === undefined || folded.fault.position < fault.position)) {
      fault = folded.fault;
    }
  }
  if (fault === undefined) return { documents };
  const { position } = fault;
  const before = new Map([...touched].map(([id, events]) => [id, events.filter((e) => e.position < position)]));
  return { documents: foldDocuments(projection, stored, before).documents, fault };
}
