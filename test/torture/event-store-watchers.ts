import {
  type AllStreamSubscription,
  type EventStoreDBClient,
  eventTypeFilter,
  START,
  type StreamSubscription,
  streamNameFilter,
} from '@eventstore/db-client';
import { eventually } from '../support/eventually.js';
import { positionOf, type Recorded, recordDigest } from './event-store-content.js';
import type { LogEntry } from './event-store-ledger.js';
import { demand, Violation } from './violation.js';

/** A subscriber that lives as long as its store: after every interruption it goes on from the last event it saw. */
export interface Watcher {
  readonly name: string;
  /** events seen so far */
  readonly seen: number;
  /** Subscribes; an end of the subscription counts against the store unless `mayEnd` comes first. */
  enter(client: EventStoreDBClient): void;
  /** The store is about to go: what still arrives counts, the end does not. */
  mayEnd(): void;
  /**
   * Waits until everything in the log that concerns this subscriber has been seen, and compares: each event once, in
   * order, as it is stored.
   *
   * @throws Violation
   */
  compare(log: readonly LogEntry[]): Promise<void>;
}

type Subscription = AllStreamSubscription | StreamSubscription;

interface Seen {
  readonly position: number;
  readonly revision: number;
  readonly digest: string;
}

interface Watch {
  name: string;
  open: (client: EventStoreDBClient, last: Seen | undefined) => Subscription;
  concerns: (entry: LogEntry) => boolean;
  /** whether the second may come right after the first */
  follows: (last: Seen | undefined, next: Seen) => boolean;
}

const after = (last: Seen | undefined) =>
  last === undefined ? START : { commit: BigInt(last.position), prepare: BigInt(last.position) };
const rising = (last: Seen | undefined, next: Seen) => next.position > (last?.position ?? 0);

const watches: readonly Watch[] = [
  {
    name: '$all',
    open: (client, last) => client.subscribeToAll({ fromPosition: after(last) }),
    concerns: () => true,
    follows: (last, next) => next.position === (last?.position ?? 0) + 1,
  },
  {
    name: '$all of streams hot- and loose-',
    open: (client, last) =>
      client.subscribeToAll({
        fromPosition: after(last),
        filter: streamNameFilter({ prefixes: ['hot-', 'loose-'] }),
      }),
    concerns: ({ stream }) => /^(hot|loose)-/.test(stream),
    follows: rising,
  },
  {
    name: '$all of type binary',
    open: (client, last) =>
      client.subscribeToAll({ fromPosition: after(last), filter: eventTypeFilter({ regex: '^bin.ry$' }) }),
    concerns: ({ type }) => type === 'binary',
    follows: rising,
  },
  {
    name: 'stream hot-0',
    open: (client, last) =>
      client.subscribeToStream('hot-0', { fromRevision: last === undefined ? START : BigInt(last.revision) }),
    concerns: ({ stream }) => stream === 'hot-0',
    follows: (last, next) => next.revision === (last?.revision ?? -1) + 1 && rising(last, next),
  },
];

export const openWatchers = (): Watcher[] => watches.map(openWatcher);

function openWatcher({ name, open, concerns, follows }: Watch): Watcher {
  const seen: Seen[] = [];
  let fault: Violation | undefined;
  let subscription: Subscription | undefined;
  let goodbye = false;
  let compared = { log: 0, seen: 0 };

  return {
    name,
    get seen() {
      return seen.length;
    },
    enter(client) {
      const own = open(client, seen.at(-1));
      subscription = own;
      goodbye = false;
      own.on('data', ({ event }: { event?: Recorded }) => {
        if (subscription !== own || event === undefined) return;
        const next = { position: positionOf(event), revision: Number(event.revision), digest: recordDigest(event) };
        const last = seen.at(-1);
        if (!follows(last, next)) {
          fault ??= new Violation(
            `the subscription to ${name} saw position ${next.position} (revision ${next.revision}) after ${last?.position ?? 'nothing'} (revision ${last?.revision ?? 'none'})`,
          );
        }
        seen.push(next);
      });
      const ended = (err?: unknown) => {
        if (subscription !== own || goodbye) return;
        fault ??= new Violation(
          `the subscription to ${name} ended: ${err instanceof Error ? err.message : 'no error'}`,
        );
      };
      own.on('error', ended);
      own.on('end', () => ended());
    },
    mayEnd() {
      goodbye = true;
    },
    async compare(log) {
      const expected: Seen[] = [];
      for (let index = compared.log; index < log.length; index += 1) {
        const entry = log[index];
        if (entry !== undefined && concerns(entry)) expected.push({ position: index + 1, ...entry });
      }
      const last = expected.at(-1)?.position ?? 0;
      await eventually(
        `the subscription to ${name} to reach position ${last}`,
        () => fault !== undefined || (seen.at(-1)?.position ?? 0) >= last,
        30_000,
      );
      if (fault !== undefined) throw fault;
      const got = seen.slice(compared.seen);
      for (const [index, { position, digest }] of expected.entries()) {
        demand(
          got[index]?.position === position && got[index].digest === digest,
          () =>
            `the subscription to ${name} saw position ${got[index]?.position ?? 'none'} where the log has ${position}, or another content`,
        );
      }
      demand(
        got.length === expected.length,
        () => `the subscription to ${name} saw position ${got[expected.length]?.position}, which the log has not`,
      );
      compared = { log: log.length, seen: seen.length };
    },
  };
}
