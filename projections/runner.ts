import { isStorable, type Positioned, type PositionedDocuments } from '../runtime/document-store/positioned.js';
import type { StoredEvent } from '../runtime/event-store/event-log.js';
import type { Decode } from './decode-batch.js';
import { type Folded, FoldFault, foldDocuments, type Touched, touchedDocuments } from './fold-batch.js';
import type { ParkedEvents } from './parking/parked-events.js';
import type { KnownParking, ParkedEvent, Parking } from './parking/parking.js';
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
export function evermoreCareful(projection: Projection): readonly [Projection, Projection, Projection] {
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

const nothingFolded: Folded = { documents: [], parked: [] };

/** What was stored of a batch. */
export interface Stored {
  /** For each document that the fold failed on: the event it failed on and all after it. */
  readonly parked: readonly ParkedEvent[];
  /** Whether it is what was folded at first: nothing had to be folded again. */
  readonly asFolded: boolean;
}

/**
 * Folds events into what is stored of their documents, and stores it.
 *
 * @param check is told what would be parked before anything is written, and may throw
 * @param first what the fold came to already, with documents as they are stored or about to be
 */
export async function foldAndStore(
  { id, projection, documents }: Pick<Runner, 'id' | 'projection' | 'documents'>,
  touched: Touched['events'],
  check: (parked: readonly ParkedEvent[]) => void = () => {},
  first?: Folded,
): Promise<Stored> {
  const careful = evermoreCareful(projection);
  const care = new Map<string, number>();
  const parked = new Map<string, readonly ParkedEvent[]>();
  let pending = touched;
  let asFolded = true;
  for (let tries = 0; pending.size > 0; tries += 1) {
    if (tries === maxTries) throw new Error(`${id}: other writers kept getting in between`);
    const stored = tries === 0 && first !== undefined ? new Map() : await documents.read([...pending.keys()]);
    const folds = careful.map((how, level) => {
      if (tries === 0 && first !== undefined) return level === 0 ? first : nothingFolded;
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
    asFolded &&= again.size === 0;
    pending = only(pending, (key) => again.has(key));
  }
  return { parked: [...parked.values()].flat(), asFolded };
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

/** A batch as it is folded, before it is stored. */
export interface Prepared {
  readonly touched: Touched;
  readonly folded: Folded;
}

/**
 * Folds events on top of what is stored and of what is about to be.
 *
 * @param ahead the batch before, if it is still on its way to the store
 * @throws ProjectionStopped where more would be parked than may be
 */
export async function prepare(
  runner: Runner,
  events: readonly StoredEvent[],
  decode: Decode,
  { limits }: RunnerDeps,
  ahead?: Prepared,
): Promise<Prepared> {
  const { projection, parking, documents } = runner;
  const touched = touchedDocuments(
    projection,
    events,
    decode,
    ahead === undefined ? parking : parkedToo(parking, ahead),
  );
  checkLimits(runner, touched.parked, limits);
  const known = new Map<string, Positioned>();
  for (const document of ahead?.folded.documents ?? []) {
    if (touched.events.has(document._id)) known.set(document._id, document);
  }
  const missing = [...touched.events.keys()].filter((id) => !known.has(id));
  for (const [id, document] of await documents.read(missing)) known.set(id, document);
  return { touched, folded: foldDocuments(projection, known, touched.events) };
}

/** The parking once a batch is stored that is on its way. */
function parkedToo(parking: Parking, { touched, folded }: Prepared): Parking {
  const parked = [...touched.parked, ...folded.parked];
  if (parked.length === 0) return parking;
  const names = new Set(parked.map(({ kind, key }) => `${kind} ${key}`));
  return {
    waits: (kind, key, position) => names.has(`${kind} ${key}`) || parking.waits(kind, key, position),
    isDiscarded: (...event) => parking.isDiscarded(...event),
  };
}

/**
 * Stores a folded batch: documents, and what is parked of them. Events that are not followed by a checkpoint may come
 * again.
 *
 * @returns whether the store now holds what was folded; else a batch that was folded on top of it is void
 * @throws ProjectionStopped before anything is parked, where that would be too much
 */
export async function store(
  runner: Runner,
  { touched, folded }: Prepared,
  { limits, parkedEvents, clock }: RunnerDeps,
): Promise<boolean> {
  const check = (more: readonly ParkedEvent[]) => checkLimits(runner, [...touched.parked, ...more], limits);
  const stored = await foldAndStore(runner, touched.events, check, folded);
  const parked = [...touched.parked, ...stored.parked];
  if (parked.length > 0) {
    await parkedEvents.add(runner.id, parked, clock());
    runner.parking.add(parked.map(waiting));
  }
  return stored.asFolded;
}
