import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AppendResult,
  type EventData,
  type EventStoreDBClient,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { status } from '@grpc/grpc-js';
import type { JsonObject } from '../../domain/core/event-codec.js';
import { type EventLog, LogUnavailable, openEventLog, RevisionConflict } from '../../runtime/event-store/event-log.js';
import { silentLogger } from '../../runtime/logger.js';
import { type Random, seeded } from '../support/seeded.js';
import { someEvent } from './event-store-content.js';
import type { Append, Ledger, Place } from './event-store-ledger.js';

/** What came of one append. `refused`: the store would not have it, for want of room on its disk. */
export type Outcome =
  | ({ readonly kind: 'acknowledged' } & Place)
  | { readonly kind: 'conflict'; readonly actual: number }
  | { readonly kind: 'refused' }
  | { readonly kind: 'unknown'; readonly because: unknown };

/** A way into the store. */
export type Way = (append: Append) => Promise<Outcome>;

export interface Ways {
  /** our own log: batch append */
  readonly log: Way;
  /** the official client: batch append */
  readonly client: Way;
  /** the official client with credentials of its own: the classic append, also for binary events */
  readonly classic: Way;
  close(): Promise<void>;
}

export interface WriterOptions {
  readonly ledger: Ledger;
  readonly ways: Ways;
  readonly random: Random;
  readonly writers: number;
  /** whether writers go on; asked before every append */
  readonly going: () => boolean;
  /** called after every outcome */
  readonly onOutcome: (outcome: Outcome) => void;
  /** bytes of a large event */
  readonly largest?: number;
}

const credentials = { username: 'torture', password: 'ignored' };
const closeLimitMs = 2_000;
const answerLimitMs = 2_000;

/**
 * @param client stays the caller's to dispose of
 * @param ended resolves when the server is gone; the official client forgets some appends then, which have no outcome
 */
export function openWays(connectionString: string, client: EventStoreDBClient, ended: Promise<unknown>): Ways {
  const eventLog = openEventLog(connectionString, silentLogger, { timeoutMs: 20_000 });
  const forgotten = ended
    .then(() => sleep(answerLimitMs, undefined, { ref: false }))
    .then((): never => {
      throw new Error('no answer, and the server is gone');
    });
  forgotten.catch(() => {});
  const official =
    (options: object): Way =>
    ({ stream, events, expected }) =>
      outcomeOf(
        Promise.race([
          client.appendToStream(stream, [...events], { expectedRevision: expected, ...options }).then(placeOf),
          forgotten,
        ]),
      );
  return {
    log: (append) => outcomeOf(appendToLog(eventLog, append)),
    client: official({}),
    classic: official({ credentials }),
    close: () => eventLog.close(),
  };
}

async function appendToLog(eventLog: EventLog, { stream, expected, events }: Append): Promise<Place> {
  const proposed = events.map(({ id, type, data, metadata }) => ({
    id,
    type,
    data: data as JsonObject,
    metadata: (metadata ?? {}) as JsonObject,
  }));
  const at = expected === 'no_stream' ? 'no-stream' : expected;
  if (at === 'any') throw new TypeError('Our log appends at an exact revision only.');
  const { revision, position } = await eventLog.append(stream, proposed, at);
  return { revision: Number(revision), position: Number(position) };
}

const placeOf = ({ nextExpectedRevision, position }: AppendResult): Place => ({
  revision: Number(nextExpectedRevision),
  position: Number(position?.commit ?? -1n),
});

async function outcomeOf(appending: Promise<Place>): Promise<Outcome> {
  try {
    return { kind: 'acknowledged', ...(await appending) };
  } catch (err) {
    if (err instanceof RevisionConflict) return { kind: 'conflict', actual: Number(err.actual ?? -1n) };
    if (err instanceof WrongExpectedVersionError) {
      return { kind: 'conflict', actual: err.actualVersion === 'no_stream' ? -1 : Number(err.actualVersion) };
    }
    return isRefusal(err) ? { kind: 'refused' } : { kind: 'unknown', because: err };
  }
}

/** Our log says that nothing was written; a classic append fails with the code; the client's batch has words only. */
function isRefusal(err: unknown): boolean {
  if (err instanceof LogUnavailable) return true;
  if (!(err instanceof Error)) return false;
  return Reflect.get(err, 'code') === status.RESOURCE_EXHAUSTED || /\bdisk\b.*\bfull\b/i.test(err.message);
}

/** Sends one append on its way and books what came of it. */
export async function perform(ledger: Ledger, append: Append, way: Way): Promise<Outcome> {
  const outcome = await way(append);
  if (outcome.kind === 'acknowledged') ledger.acknowledge(append, outcome);
  else if (outcome.kind === 'refused') ledger.refuse(append);
  else if (outcome.kind === 'conflict') {
    ledger.refuse(append);
    ledger.learn(append.stream, outcome.actual);
  }
  return outcome;
}

const hotStreams = 5;
const looseStreams = 6;

/**
 * Writers side by side, until `going` says no or an append has no outcome: each on a stream of its own with exact
 * revisions, several on one stream, on whatever revision, or on ever new streams; single events, batches, binary ones,
 * and now and then an append that was answered already.
 *
 * @throws Violation
 */
export async function runWriters(options: WriterOptions): Promise<void> {
  const { ledger, ways, writers, going, onOutcome } = options;
  const run = options.random.uuid();
  const write = async (writer: number) => {
    const random = seeded(run, writer);
    for (let n = 0; going(); n += 1) {
      const { stream, expected, way } = target(writer, n, run, random, options);
      const count = random.chance(0.25) ? random.between(2, 8) : 1;
      const binary = way === ways.classic;
      const events: EventData[] = Array.from({ length: count }, () =>
        someEvent(random, binary && random.chance(0.5), options.largest),
      );
      const append = ledger.send(stream, expected, events);
      const outcome = await perform(ledger, append, way);
      onOutcome(outcome);
      if (outcome.kind === 'unknown') return;
      if (outcome.kind !== 'acknowledged' || !random.chance(0.03)) continue;
      ledger.sendAgain(append);
      if ((await perform(ledger, append, way)).kind === 'unknown') return;
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: writers }, (_, writer) => write(writer)));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

function target(
  writer: number,
  n: number,
  run: string,
  random: Random,
  { ledger, ways }: WriterOptions,
): Pick<Append, 'stream' | 'expected'> & { way: Way } {
  const way = [ways.log, ways.classic, ways.log, ways.client][Math.floor(writer / 2) % 4] ?? ways.log;
  const exact = (stream: string) => {
    const revision = ledger.revisionOf(stream);
    return { stream, expected: revision < 0 ? ('no_stream' as const) : BigInt(revision), way };
  };
  switch (writer % 8) {
    case 0:
    case 1:
      return exact(`hot-${random.between(0, hotStreams - 1)}`);
    case 2:
      return { stream: `loose-${random.between(0, looseStreams - 1)}`, expected: 'any', way: ways.client };
    case 3:
      return { stream: `new-${run}-${writer}-${n}`, expected: 'no_stream', way };
    default:
      return exact(`own-${writer}`);
  }
}

/** Resolves when the client is disposed of; one whose calls hang is left behind. */
export async function disposeOf(client: EventStoreDBClient): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, closeLimitMs);
  });
  await Promise.race([client.dispose().catch(() => {}), limit]);
  clearTimeout(timer);
}
