import { isStorable, type PositionedDocuments } from '../runtime/document-store/positioned.js';
import type { StoredEvent } from '../runtime/event-store/event-log.js';
import type { Decode } from './decode-batch.js';
import { type Folded, FoldFault, foldDocuments, type Touched, touchedDocuments } from './fold-batch.js';
import type { ParkedEvents } from './parking/parked-events.js';
import type { KnownParking, ParkedEvent } from './parking/parking.js';
import type { Projection } from './projection.js';

/** Why a projection goes no further. `message` holds no personal data. */
export interface ProjectionFault {
  readonly code: 'parked-too-much' | 'collection-gone';
  readonly message: string;
  /** The event that it stopped at, where it is one. */
  readonly at?: { readonly eventId: string; readonly eventType: string; readonly position: bigint };
}

/** A projection that must not go on. */
export class ProjectionStopped extends Error {
  override readonly name = 'ProjectionStopped';
  constructor(readonly fault: ProjectionFault) {
    super(fault.message);
  }
}

/** How much may wait before a projection stops: beyond that it is the projection that is at fault, not a document. */
export interface ParkingLimits {
  /** documents and streams */
  readonly keys: number;
  readonly events: number;
}

/** A projection at work. */
export interface Runner {
  readonly id: string;
  readonly projection: Projection;
  readonly documents: PositionedDocuments;
  readonly parking: KnownParking;
  /** The identity of the collection that it writes. */
  collection: string;
  /** undefined until it has seen anything */
  position: bigint | undefined;
  fault: ProjectionFault | undefined;
}

export interface RunnerDeps {
  readonly parkedEvents: ParkedEvents;
  readonly limits: ParkingLimits;
  readonly clock: () => Date;
}

const maxTries = 5;

/**
 * The projection, then with an `evolve` that fails on what cannot be stored, then with one that fails on everything: how
 * a document is folded for the first time, once it could not be stored, and once the store refuses it all the same.
 */
function evermoreCareful(projection: Projection): readonly [Projection, Projection, Projection] {
  const ids: Projection['ids'] = (event) => projection.ids(event);
  return [
    projection,
    {
      ...projection,
      ids,
      evolve(document, event, id) {
        const next = projection.evolve(document, event, id);
        if (next === undefined || next === document) return next;
        if (isStorable({ _id: id, ...next, position: event.position })) return next;
        throw new FoldFault('projection-document-unstorable', 'the document is too large, or BSON cannot say it');
      },
    },
    {
      ...projection,
      ids,
      evolve() {
        throw new FoldFault('projection-document-refused', 'the document store refuses the document');
      },
    },
  ];
}

/**
 * Folds events into what is stored of their documents, and stores it.
 *
 * @param check is told what would be parked before anything is written, and may throw
 * @returns for each document that the fold failed on: the event it failed on and all after it
 */
export async function foldAndStore(
  { id, projection, documents }: Pick<Runner, 'id' | 'projection' | 'documents'>,
  touched: Touched['events'],
  check: (parked: readonly ParkedEvent[]) => void = () => {},
): Promise<Pick<Folded, 'parked'>> {
  const careful = evermoreCareful(projection);
  const care = new Map<string, number>();
  const parked = new Map<string, readonly ParkedEvent[]>();
  let pending = touched;
  for (let tries = 0; pending.size > 0; tries += 1) {
    if (tries === maxTries) throw new Error(`${id}: other writers kept getting in between`);
    const stored = await documents.read([...pending.keys()]);
    const folds = careful.map((how, level) => {
      const those = level === 0 && care.size === 0 ? pending : only(pending, (key) => (care.get(key) ?? 0) === level);
      return foldDocuments(how, stored, those);
    });
    for (const key of pending.keys()) parked.delete(key);
    for (const event of folds.flatMap((folded) => folded.parked)) {
      parked.set(event.key, [...(parked.get(event.key) ?? []), event]);
    }
    check([...parked.values()].flat());
    const unwritten = await documents.replace(folds.flatMap((folded) => folded.documents));
    for (const key of unwritten.unstorable) care.set(key, (care.get(key) ?? 0) + 1);
    const again = new Set([...unwritten.refused, ...unwritten.unstorable]);
    pending = only(pending, (key) => again.has(key));
  }
  return { parked: [...parked.values()].flat() };
}

function only(touched: Touched['events'], wanted: (key: string) => boolean): Touched['events'] {
  return new Map([...touched].filter(([key]) => wanted(key)));
}

/** @throws ProjectionStopped where more would wait than may */
function checkLimits({ parking }: Runner, parked: readonly ParkedEvent[], limits: ParkingLimits): void {
  if (parked.length === 0) return;
  const { documents, streams, events } = parking.countWith(parked.map(waiting));
  const keys = documents + streams;
  if (keys <= limits.keys && events <= limits.events) return;
  const { eventId, eventType, position } = parked.reduce((a, b) => (a.position <= b.position ? a : b));
  const message = `${events} events of ${keys} documents and streams would be parked; at most ${limits.events} of ${limits.keys} may be`;
  throw new ProjectionStopped({ code: 'parked-too-much', message, at: { eventId, eventType, position } });
}

const waiting = (event: ParkedEvent) => ({ ...event, discarded: false });

/**
 * Takes events to the read model: documents, and what is parked of them. Events that are not followed by a checkpoint may
 * come again.
 *
 * @throws ProjectionStopped before anything is parked, where that would be too much
 */
export async function advance(
  runner: Runner,
  events: readonly StoredEvent[],
  decode: Decode,
  { limits, parkedEvents, clock }: RunnerDeps,
): Promise<void> {
  const touched = touchedDocuments(runner.projection, events, decode, runner.parking);
  checkLimits(runner, touched.parked, limits);
  const check = (more: readonly ParkedEvent[]) => checkLimits(runner, [...touched.parked, ...more], limits);
  const folded = await foldAndStore(runner, touched.events, check);
  const parked = [...touched.parked, ...folded.parked];
  if (parked.length === 0) return;
  await parkedEvents.add(runner.id, parked, clock());
  runner.parking.add(parked.map(waiting));
}
