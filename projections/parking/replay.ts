import type { EventLog, StoredEvent } from '../../runtime/event-store/event-log.js';
import type { Decode } from '../decode-batch.js';
import { touchedDocuments } from '../fold-batch.js';
import { foldingOf } from '../fold-log.js';
import { evermoreCareful, foldAndStore, type Runner, type RunnerDeps } from '../runner.js';
import type { ParkedRecord } from './parked-events.js';
import type { ParkedEvent, ParkedFault, ParkedKey, Parking } from './parking.js';

/** What a replay came to. */
export interface Replayed {
  /** Events that are folded in now. */
  readonly folded: number;
  readonly stillWaiting: number;
  /** Where it ended early: the event that still cannot be folded. */
  readonly at?: { readonly position: bigint; readonly eventType: string; readonly fault: ParkedFault | undefined };
}

export interface ReplayDeps extends RunnerDeps {
  readonly eventLog: EventLog;
  readonly decode: Decode;
}

/** Runs work while nothing else reads or writes the read models of this process. */
export type Exclusive = <T>(work: () => Promise<T>) => Promise<T>;

const chunk = 500;

/** What is parked no longer is in the log: a replay would leave a gap. */
export class ParkedEventGone extends Error {
  override readonly name = 'ParkedEventGone';
}

/** The events that records refer to, in log order, one read a stream. @throws ParkedEventGone, LogUnavailable */
async function eventsOf(eventLog: EventLog, records: readonly ParkedRecord[]): Promise<StoredEvent[]> {
  const streams = new Map<string, ParkedRecord[]>();
  for (const record of records) {
    const known = streams.get(record.stream);
    if (known === undefined) streams.set(record.stream, [record]);
    else known.push(record);
  }
  const found: StoredEvent[] = [];
  for (const [stream, those] of streams) {
    const wanted = new Set(those.map(({ revision }) => revision));
    const revisions = [...wanted].sort((a, b) => (a < b ? -1 : 1));
    const [first = 0n, last = 0n] = [revisions[0], revisions.at(-1)];
    for await (const event of eventLog.readStream(stream, first, Number(last - first) + 1)) {
      if (wanted.delete(event.revision)) found.push(event);
    }
    const gone = [...wanted][0];
    if (gone !== undefined) throw new ParkedEventGone(`${stream} holds no revision ${gone} any more`);
  }
  return found.sort((a, b) => (a.position < b.position ? -1 : 1));
}

const isWaiting = ({ discarded }: ParkedRecord) => discarded === null;

/** Takes the store and the process to what is parked now: from `from` on everything, nothing where it is undefined. */
async function settle(
  runner: Runner,
  key: ParkedKey,
  records: readonly ParkedRecord[],
  from: ParkedEvent | undefined,
  { parkedEvents }: RunnerDeps,
): Promise<Replayed> {
  await parkedEvents.release(runner.id, key, from?.position);
  if (from !== undefined) await parkedEvents.setFault(runner.id, key, from.position, from.fault);
  const left = records.filter(
    (record) => !isWaiting(record) || (from !== undefined && record.position >= from.position),
  );
  runner.parking.replace(
    key,
    left.map(({ position, discarded }) => ({ ...key, position, discarded: discarded !== null })),
  );
  const stillWaiting = left.filter(isWaiting).length;
  const folded = records.filter(isWaiting).length - stillWaiting;
  if (from === undefined) return { folded, stillWaiting };
  const { position, eventType, fault } = from;
  return { folded, stillWaiting, at: { position, eventType, fault } };
}

/**
 * Folds what waits of a document, in order, up to the first event that still cannot be folded. Live events cannot come
 * in between: those before are parked behind the others, those after find the document as it is then.
 */
export function replayDocument(runner: Runner, id: string, exclusive: Exclusive, deps: ReplayDeps): Promise<Replayed> {
  return exclusive(async () => {
    const key = { kind: 'document', key: id } as const;
    const records = await deps.parkedEvents.of(runner.id, key);
    const events = await eventsOf(deps.eventLog, records.filter(isWaiting));
    const { events: touched, parked } = touchedDocuments(runner.projection, events, deps.decode);
    const unreadable = parked[0];
    const own = (touched.get(id) ?? []).filter((event) => !unreadable || event.position < unreadable.position);
    const folded = await foldAndStore(runner, new Map([[id, own]]));
    return settle(runner, key, records, folded.parked[0] ?? unreadable, deps);
  });
}

async function addFromLog(
  eventLog: EventLog,
  after: bigint | undefined,
  upTo: bigint,
  add: (events: readonly StoredEvent[]) => void,
): Promise<void> {
  let events: StoredEvent[] = [];
  for await (const event of eventLog.readAll(after)) {
    if (event.position > upTo) break;
    events.push(event);
    if (events.length < chunk) continue;
    add(events);
    events = [];
  }
  add(events);
}

/** What waits of a stream: which documents it belongs to, and from where on it still cannot be read. */
interface Readable {
  readonly records: readonly ParkedRecord[];
  readonly ids: ReadonlySet<string>;
  readonly from: ParkedEvent | undefined;
}

async function readableOf(runner: Runner, stream: string, deps: ReplayDeps): Promise<Readable> {
  const records = await deps.parkedEvents.of(runner.id, { kind: 'stream', key: stream });
  const events = await eventsOf(deps.eventLog, records.filter(isWaiting));
  const touched = touchedDocuments(runner.projection, events, deps.decode);
  return { records, ids: new Set(touched.events.keys()), from: touched.parked[0] };
}

/**
 * Replays streams. Their documents may have moved on by events of other streams, so that what waits cannot simply be
 * folded on top: they are folded anew from the log, in one reading of it, most of it while live events go on.
 */
export async function replayStreams(
  runner: Runner,
  streams: readonly string[],
  exclusive: Exclusive,
  deps: ReplayDeps,
): Promise<Replayed[]> {
  const { eventLog, decode, parkedEvents, clock } = deps;
  // A document that could not be stored is parked again where it came to be so.
  const [, storable] = evermoreCareful(runner.projection);
  const look = async () => {
    const found = await Promise.all(streams.map((stream) => readableOf(runner, stream, deps)));
    const ids = new Set(found.flatMap((readable) => [...readable.ids]));
    const from = new Map(streams.map((stream, index) => [stream, found[index]?.from?.position]));
    return { found, ids, from };
  };
  const foldAnew = ({ ids, from }: Awaited<ReturnType<typeof look>>) => {
    const released: Parking = {
      waits(kind, key, position) {
        if (kind === 'document' || !from.has(key)) return runner.parking.waits(kind, key, position);
        const still = from.get(key);
        return still !== undefined && position >= still;
      },
      isDiscarded: (kind, key, position) => runner.parking.isDiscarded(kind, key, position),
    };
    return foldingOf(storable, decode, released, ids);
  };

  let seen = await look();
  let upTo = runner.position;
  let folding = foldAnew(seen);
  if (seen.ids.size > 0 && upTo !== undefined) await addFromLog(eventLog, undefined, upTo, folding.add);

  return exclusive(async () => {
    const now = await look();
    if ([...now.ids].some((id) => !seen.ids.has(id))) {
      // More of these streams came meanwhile, and leads to other documents.
      upTo = undefined;
      folding = foldAnew(now);
    }
    seen = now;
    const position = runner.position;
    if (seen.ids.size > 0 && position !== undefined) {
      if (upTo === undefined || position > upTo) await addFromLog(eventLog, upTo, position, folding.add);
      const unwritten = await runner.documents.overwrite([...folding.documents.values()], position);
      const missing = unwritten.refused.length + unwritten.unstorable.length;
      if (missing > 0) throw new Error(`${runner.id}: ${missing} documents of parked streams could not be written`);
      const parked = folding.parked().filter(({ kind, key }) => kind === 'document' && seen.ids.has(key));
      await parkedEvents.add(runner.id, parked, clock());
      runner.parking.add(parked.map((event) => ({ ...event, discarded: false })));
    }
    const outcomes: Replayed[] = [];
    for (const [index, stream] of streams.entries()) {
      const { records = [], from } = seen.found[index] ?? {};
      outcomes.push(await settle(runner, { kind: 'stream', key: stream }, records, from, deps));
    }
    return outcomes;
  });
}
