import type { DomainEvent } from '../domain/core/decider.js';
import type { Positioned } from '../runtime/document-store/positioned.js';
import type { StoredEvent } from '../runtime/event-store/event-log.js';
import type { Decode } from './decode-batch.js';
import { nothingParked, type ParkedEvent, type ParkedFault, type ParkedKey, type Parking } from './parking/parking.js';
import type { Projection, Recorded } from './projection.js';

/** Which events of a batch belong to which document, in log order, and which of them wait. */
export interface Touched {
  readonly events: ReadonlyMap<string, readonly Recorded<DomainEvent>[]>;
  readonly parked: readonly ParkedEvent[];
}

/** What a batch makes of the documents it touches. */
export interface Folded {
  /** Only those that changed. */
  readonly documents: readonly Positioned[];
  /** For each document on which `evolve` failed: the event it failed on and all after it. */
  readonly parked: readonly ParkedEvent[];
}

/** A fault with a code of its own; what else `evolve` throws is `projection-evolve-failed`. */
export class FoldFault extends Error {
  override readonly name = 'FoldFault';
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

// A message of somebody else's error may quote the document.
function faultOf(code: string, error: unknown): ParkedFault {
  if (error instanceof FoldFault) return { code: error.code, message: error.message };
  return { code, message: error instanceof Error ? `${error.name} thrown` : 'something thrown' };
}

function parkedAt(
  key: ParkedKey,
  event: Pick<StoredEvent, 'type' | 'stream' | 'revision' | 'position'>,
  eventId: string,
  fault?: ParkedFault,
): ParkedEvent {
  const { type: eventType, stream, revision, position } = event;
  return { ...key, position, stream, revision, eventId, eventType, fault };
}

function idsOf(projection: Projection, event: Recorded<DomainEvent>): ReadonlySet<string> | { fault: ParkedFault } {
  try {
    return new Set(projection.ids(event));
  } catch (error) {
    return { fault: faultOf('projection-ids-failed', error) };
  }
}

/**
 * Sorts a batch by document. An event that cannot be read, or of which the projection cannot say where it belongs, parks
 * its stream.
 */
export function touchedDocuments(
  projection: Projection,
  batch: readonly StoredEvent[],
  decode: Decode,
  parking: Parking = nothingParked,
): Touched {
  const events = new Map<string, Recorded<DomainEvent>[]>();
  const parked: ParkedEvent[] = [];
  const streams = new Set<string>();
  const hold = (stored: StoredEvent, fault?: ParkedFault) => {
    streams.add(stored.stream);
    parked.push(parkedAt({ kind: 'stream', key: stored.stream }, stored, stored.id, fault));
  };
  for (const stored of batch) {
    if (!projection.types.has(stored.type)) continue;
    const { stream, position } = stored;
    if (parking.isDiscarded('stream', stream, position)) continue;
    if (streams.has(stream) || parking.waits('stream', stream, position)) {
      hold(stored);
      continue;
    }
    const decoded = decode(stored);
    if ('fault' in decoded) {
      hold(stored, decoded.fault);
      continue;
    }
    const ids = idsOf(projection, decoded.event);
    if ('fault' in ids) {
      hold(stored, ids.fault);
      continue;
    }
    for (const id of ids) {
      if (parking.isDiscarded('document', id, position)) continue;
      if (parking.waits('document', id, position)) {
        parked.push(parkedAt({ kind: 'document', key: id }, stored, stored.id));
        continue;
      }
      const known = events.get(id);
      if (known === undefined) events.set(id, [decoded.event]);
      else known.push(decoded.event);
    }
  }
  return { events, parked };
}

function foldDocument(
  projection: Projection,
  id: string,
  stored: Positioned | undefined,
  events: readonly Recorded<DomainEvent>[],
): { document?: Positioned; parked: readonly ParkedEvent[] } {
  let body: object | undefined = stored;
  let position = stored?.position;
  let parked: readonly ParkedEvent[] = [];
  for (const [index, event] of events.entries()) {
    if (position !== undefined && event.position <= position) continue;
    try {
      const next = projection.evolve(body, event, id);
      if (next === body || next === undefined) continue;
      body = next;
      position = event.position;
    } catch (error) {
      const key = { kind: 'document', key: id } as const;
      parked = events.slice(index).map((held) => parkedAt(key, held, held.eventId));
      parked = parked.with(0, parkedAt(key, event, event.eventId, faultOf('projection-evolve-failed', error)));
      break;
    }
  }
  if (body === undefined || body === stored || position === undefined) return { parked };
  return { document: { _id: id, ...body, position }, parked };
}

/**
 * Folds each document's events into what is stored of it; events that it has seen are left out. A document on which
 * `evolve` fails is folded up to there, and parked from there on; the others are not concerned.
 */
export function foldDocuments(
  projection: Projection,
  stored: ReadonlyMap<string, Positioned>,
  touched: Touched['events'],
): Folded {
  const documents: Positioned[] = [];
  const parked: ParkedEvent[] = [];
  for (const [id, events] of touched) {
    const folded = foldDocument(projection, id, stored.get(id), events);
    if (folded.document !== undefined) documents.push(folded.document);
    parked.push(...folded.parked);
  }
  return { documents, parked };
}
