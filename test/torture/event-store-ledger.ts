import type { EventData } from '@eventstore/db-client';
import { contentDigest, positionOf, type Recorded, recordDigest } from './event-store-content.js';
import { demand, Violation } from './violation.js';

/** Where an append must find its stream. */
export type Expected = 'any' | 'no_stream' | bigint;

/** Revision and position of an append's last event. */
export interface Place {
  readonly revision: number;
  readonly position: number;
}

/** An append as its writer knows it. `unknown` is decided by what is stored later. */
export interface Append {
  readonly stream: string;
  readonly expected: Expected;
  readonly events: readonly EventData[];
  /** the highest position that anybody had been told of when this was first sent */
  after: number;
  state: 'unknown' | 'acknowledged' | 'refused';
  /** as answered */
  told: Place | undefined;
  /** as found in the log */
  stored: Place | undefined;
}

/** An event of the log as it was once read, in full and compared. */
export interface LogEntry {
  readonly stream: string;
  readonly type: string;
  readonly revision: number;
  readonly digest: string;
}

export interface Ledger {
  /** The log as verified so far; position 1 is at index 0. */
  readonly log: readonly LogEntry[];
  readonly counts: { acknowledged: number; refused: number; unknown: number; unknownStored: number };
  /** The last revision that is stored, acknowledged or told of in a refusal; -1 where there is none. */
  revisionOf(stream: string): number;
  /** A refusal told of the stream's last revision: it must be there for ever. */
  learn(stream: string, revision: number): void;
  send(stream: string, expected: Expected, events: readonly EventData[]): Append;
  /** Sends once more what had no outcome. Where it was stored, the answer must be the first one. */
  sendAgain(append: Append): void;
  acknowledge(append: Append, told: Place): void;
  refuse(append: Append): void;
  /**
   * Takes what the log holds after `log`, when no append is in flight any more, and compares it with what was sent.
   *
   * @returns the appends that had no outcome; `stored` says which of them are there
   * @throws Violation
   */
  settle(tail: AsyncIterable<Recorded>): Promise<Append[]>;
}

/** What writers sent to one store over all its lives, and what it must therefore hold. */
export function openLedger(): Ledger {
  const log: LogEntry[] = [];
  const counts = { acknowledged: 0, refused: 0, unknown: 0, unknownStored: 0 };
  const revisions = new Map<string, number>();
  const storedRevisions = new Map<string, number>();
  const storedIds = new Set<string>();
  const sent = new Map<string, { append: Append; index: number }>();
  const pending = new Set<Append>();
  let told = 0;

  const register = (append: Append) => {
    pending.add(append);
    for (const [index, { id }] of append.events.entries()) sent.set(id, { append, index });
  };
  const learn = (stream: string, revision: number) => {
    if (revision > (revisions.get(stream) ?? -1)) revisions.set(stream, revision);
  };

  /** One event of the log: dense, sent, unchanged, not twice, in its stream's order and beside those sent with it. */
  const take = (event: Recorded, before: { append: Append; index: number } | undefined) => {
    const { id, streamId: stream } = event;
    const [position, revision] = [positionOf(event), Number(event.revision)];
    const name = `event ${id} at position ${position} (${stream}, revision ${revision})`;
    demand(position === log.length + 1, () => `$all goes from position ${log.length} to ${position}`);
    demand(!storedIds.has(id), () => `${name} is stored twice`);
    const found = sent.get(id);
    if (found === undefined) throw new Violation(`${name} was not sent, or was known not to be stored`);
    const { append, index } = found;
    const proposed = append.events[index];
    demand(stream === append.stream, () => `${name} was sent to ${append.stream}`);
    demand(
      proposed !== undefined && contentDigest(proposed) === contentDigest(event),
      () => `${name} is stored with other content than was sent`,
    );
    const last = storedRevisions.get(stream) ?? -1;
    demand(revision === last + 1, () => `${name} follows revision ${last}`);
    const torn = before === undefined || before.index === before.append.events.length - 1;
    demand(
      torn ? index === 0 : append === before.append && index === before.index + 1,
      () => `${name} is number ${index + 1} of its append and stands where it must not: the append is torn`,
    );
    if (index === 0) {
      demand(position > append.after, () => `${name} was sent after position ${append.after} had been acknowledged`);
      const { expected } = append;
      const at = expected === 'any' ? revision : expected === 'no_stream' ? 0 : Number(expected) + 1;
      demand(revision === at, () => `${name} was sent for revision ${at}`);
    }
    if (index === append.events.length - 1) append.stored = { revision, position };
    storedIds.add(id);
    storedRevisions.set(stream, revision);
    learn(stream, revision);
    log.push({ stream, type: event.type, revision, digest: recordDigest(event) });
    return found;
  };

  return {
    log,
    counts,
    learn,
    revisionOf: (stream) => revisions.get(stream) ?? -1,
    send(stream, expected, events) {
      const append: Append = {
        stream,
        expected,
        events,
        after: told,
        state: 'unknown',
        told: undefined,
        stored: undefined,
      };
      register(append);
      return append;
    },
    sendAgain(append) {
      if (append.told === undefined) append.state = 'unknown';
      if (append.told === undefined && append.stored === undefined) append.after = told;
      register(append);
    },
    acknowledge(append, place) {
      const first = append.stored ?? append.told;
      if (first !== undefined) {
        demand(
          first.revision === place.revision && first.position === place.position,
          () => `a repeat in ${append.stream} was answered with ${tell(place)}, it is stored at ${tell(first)}`,
        );
      }
      if (append.state !== 'acknowledged') counts.acknowledged += 1;
      append.state = 'acknowledged';
      append.told = place;
      told = Math.max(told, place.position);
      learn(append.stream, place.revision);
    },
    refuse(append) {
      demand(append.stored === undefined, () => `a repeat in ${append.stream} was refused, it had been stored`);
      demand(append.told === undefined, () => `a repeat in ${append.stream} was refused, it had been acknowledged`);
      append.state = 'refused';
      counts.refused += 1;
    },
    async settle(tail) {
      let last: { append: Append; index: number } | undefined;
      for await (const event of tail) last = take(event, last);
      demand(
        last === undefined || last.index === last.append.events.length - 1,
        () => `the last append in the log, to ${last?.append.stream}, is torn`,
      );
      const unknown: Append[] = [];
      for (const append of pending) {
        const { stream, state, told: answer, stored } = append;
        for (const { id } of append.events) sent.delete(id);
        if (state === 'refused') {
          demand(stored === undefined, () => `an append to ${stream} was refused and is stored at ${tell(stored)}`);
        } else if (state === 'acknowledged') {
          demand(stored !== undefined, () => `an append to ${stream}, acknowledged at ${tell(answer)}, is not stored`);
          demand(
            stored?.revision === answer?.revision && stored?.position === answer?.position,
            () => `an append to ${stream} was acknowledged at ${tell(answer)} and is stored at ${tell(stored)}`,
          );
        } else {
          unknown.push(append);
          counts.unknown += 1;
          if (stored !== undefined) counts.unknownStored += 1;
        }
      }
      pending.clear();
      for (const [stream, revision] of revisions) {
        const last = storedRevisions.get(stream) ?? -1;
        demand(last >= revision, () => `${stream} was said to be at revision ${revision} and ends at ${last}`);
      }
      return unknown;
    },
  };
}

const tell = (place: Place | undefined): string =>
  place === undefined ? 'nowhere' : `revision ${place.revision}, position ${place.position}`;
