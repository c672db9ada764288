import { setTimeout as sleep } from 'node:timers/promises';
import {
  BACKWARDS,
  END,
  ErrorType,
  EventStoreDBClient,
  isCommandError,
  type ReadStreamOptions,
  type ResolvedEvent,
  START,
} from '@eventstore/db-client';
import type { JsonObject } from '../../domain/core/event-codec.js';
import { newId } from '../ids.js';
import type { Logger } from '../logger.js';
import { patientTimeout } from '../patient-timeout.js';
import { batchAppender, type Expected } from './batch-append.js';
import { sendCredentials } from './credentials.js';

/** An event as the log holds it. `position` is its place in `$all`, `revision` its index in the stream. */
export interface StoredEvent {
  readonly id: string;
  readonly stream: string;
  readonly revision: bigint;
  readonly position: bigint;
  readonly type: string;
  readonly data: JsonObject;
  readonly metadata: JsonObject;
  readonly recordedAt: Date;
}

export interface ProposedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: JsonObject;
  readonly metadata: JsonObject;
}

/** The stream is not where the caller thought. `actual` is its last revision, undefined if it does not exist. */
export class RevisionConflict extends Error {
  override readonly name = 'RevisionConflict';
  constructor(
    readonly stream: string,
    readonly actual: bigint | undefined,
  ) {
    super(`${stream} is at ${actual ?? 'no revision'}`);
  }
}

/** The append may or may not have happened: read before you try again. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown';
}

/** The log cannot be reached, or refuses; nothing was written. */
export class LogUnavailable extends Error {
  override readonly name = 'LogUnavailable';
}

/** More is asked than can be taken on; nothing was written. */
export class Overloaded extends Error {
  override readonly name = 'Overloaded';
}

/** Faults of the log that a later try can outlive. */
export function isPassingFault(error: unknown): boolean {
  return [LogUnavailable, OutcomeUnknown, Overloaded].some((kind) => error instanceof kind);
}

/** The append is larger than the store takes. */
export class AppendTooLarge extends Error {
  override readonly name = 'AppendTooLarge';
}

export interface Appended {
  readonly revision: bigint;
  readonly position: bigint;
}

/** Where an append must find the stream: its last revision, or that it does not exist. There is no "any". */
export type ExpectedRevision = bigint | 'no-stream';

export interface EventLog {
  /** @throws RevisionConflict, OutcomeUnknown, AppendTooLarge, LogUnavailable where the store refuses for good */
  append(stream: string, events: readonly ProposedEvent[], expected: ExpectedRevision): Promise<Appended>;
  /** Events of a stream from a revision on, at most `count`; none where it does not exist. @throws LogUnavailable */
  readStream(stream: string, from?: bigint, count?: number): AsyncIterable<StoredEvent>;
  /** Every event of `$all` after a position, system events left out. @throws LogUnavailable */
  readAll(after?: bigint): AsyncIterable<StoredEvent>;
  /** The last event of a stream. @throws LogUnavailable */
  readLast(stream: string): Promise<StoredEvent | undefined>;
  /** The position of the last record in `$all`, 0 where the log is empty. @throws LogUnavailable */
  head(): Promise<bigint>;
  /** Appends to a side stream that only one process writes (`checkpoint-…`), whatever its revision. @throws OutcomeUnknown */
  appendSide(stream: string, event: ProposedEvent): Promise<void>;
  /** Bounds a side stream to its last events. */
  keepLast(stream: string, count: number): Promise<void>;
  /** The official client, for subscriptions. */
  client(): EventStoreDBClient;
  /** Ends what is in flight: appends as OutcomeUnknown, reads as LogUnavailable. */
  close(): Promise<void>;
}

export interface EventLogOptions {
  /** How long an append, or a read for its next event, waits for the store. Milliseconds. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 8_000;
const disposeLimitMs = 2_000;

/** @returns undefined for what is no JSON event (a link whose target is gone, a binary event of somebody else's) */
export function toStoredEvent(resolved: ResolvedEvent): StoredEvent | undefined {
  const event = resolved.event;
  if (event === undefined || !event.isJson) return undefined;
  return {
    id: event.id,
    stream: event.streamId,
    revision: event.revision,
    position: event.position?.commit ?? resolved.commitPosition ?? 0n,
    type: event.type,
    data: event.data as JsonObject,
    metadata: (event.metadata ?? {}) as JsonObject,
    recordedAt: event.created,
  };
}

function hasType(error: unknown, type: ErrorType): boolean {
  return error instanceof Error && isCommandError(error) && error.type === type;
}

/** A read of the official client: a stream of resolved events whose call can be ended. */
type Reading = AsyncIterable<ResolvedEvent> & {
  on(event: 'error', listener: () => void): unknown;
  destroy(error: Error): unknown;
  cancel(): Promise<void>;
};

/** A process opens one log and shares it. */
export function openEventLog(connectionString: string, log: Logger, options: EventLogOptions = {}): EventLog {
  const { timeoutMs = defaultTimeoutMs } = options;
  const client = EventStoreDBClient.connectionString(connectionString);
  sendCredentials(client);
  const appender = batchAppender(client, timeoutMs);
  let closed = false;

  const append = async (stream: string, events: readonly ProposedEvent[], expected: Expected): Promise<Appended> => {
    if (closed) throw new LogUnavailable('The event log is closed.');
    const outcome = await appender.append(stream, events, expected);
    switch (outcome.kind) {
      case 'appended':
        return { revision: outcome.revision, position: outcome.position };
      case 'conflict':
        throw new RevisionConflict(stream, outcome.actual);
      case 'too-large':
        throw new AppendTooLarge(`an append to ${stream} is too large`);
      case 'refused':
        throw new LogUnavailable(`The event store refuses to append to ${stream}: ${outcome.because}`);
      case 'unknown': {
        const { because, cause } = outcome;
        log.debug('append of unknown outcome', { stream, because, err: cause });
        throw new OutcomeUnknown(`the append to ${stream} has no outcome: ${because}`, { cause });
      }
    }
  };

  /** Opens the read when its first event is asked for, and ends its call when it is left early. */
  async function* read<T>(
    open: () => unknown,
    pick: (resolved: ResolvedEvent) => T | undefined,
  ): AsyncGenerator<T, void, undefined> {
    if (closed) throw new LogUnavailable('The event log is closed.');
    const reading = open() as Reading;
    // A call that fails after nobody listens any more is no fault of the process.
    reading.on('error', () => {});
    let asking = true;
    let ended = false;
    const late = patientTimeout(timeoutMs, () => {
      if (asking) reading.destroy(new Error('The event store does not answer in time.'));
    });
    try {
      for await (const item of reading) {
        const picked = pick(item);
        if (picked !== undefined) {
          asking = false;
          yield picked;
          asking = true;
        }
        late.refresh();
      }
      // The client ends a read that it cancels as if it were complete.
      if (closed) throw new Error('The event log was closed meanwhile.');
      ended = true;
    } catch (error) {
      if (hasType(error, ErrorType.STREAM_NOT_FOUND)) return;
      throw new LogUnavailable('The event store cannot be reached or refuses to read.', { cause: error });
    } finally {
      late.clear();
      if (!ended) reading.cancel().catch(() => {});
    }
  }

  return {
    append,
    readStream(stream, from, count) {
      const range: ReadStreamOptions = { fromRevision: from ?? START };
      if (count !== undefined) range.maxCount = count;
      return read(() => client.readStream(stream, range), toStoredEvent);
    },
    readAll(after) {
      const from = after === undefined ? START : { commit: after, prepare: after };
      return read(
        () => client.readAll({ fromPosition: from }),
        (item) => {
          const event = toStoredEvent(item);
          if (event === undefined || event.stream.startsWith('$') || event.type.startsWith('$')) return undefined;
          return after === undefined || event.position > after ? event : undefined;
        },
      );
    },
    async readLast(stream) {
      const last = { direction: BACKWARDS, fromRevision: END, maxCount: 1 } as const;
      for await (const event of read(() => client.readStream(stream, last), toStoredEvent)) return event;
      return undefined;
    },
    async head() {
      const last = { direction: BACKWARDS, fromPosition: END, maxCount: 1 } as const;
      const position = ({ event, commitPosition }: ResolvedEvent) => event?.position?.commit ?? commitPosition;
      for await (const head of read(() => client.readAll(last), position)) return head;
      return 0n;
    },
    async appendSide(stream, event) {
      await append(stream, [event], 'any');
    },
    async keepLast(stream, count) {
      const bound = { id: newId(), type: '$metadata', data: { $maxCount: count }, metadata: {} };
      await append(`$$${stream}`, [bound], 'any');
    },
    client: () => client,
    async close() {
      closed = true;
      appender.close();
      // A call that never ends would keep `dispose` waiting for ever.
      const limit = new AbortController();
      const waited = sleep(disposeLimitMs, undefined, { signal: limit.signal });
      // The wait holds the process: one that has nothing else to do would end in the middle of this close.
      await Promise.race([client.dispose(), waited]).finally(() => limit.abort());
    },
  };
}
